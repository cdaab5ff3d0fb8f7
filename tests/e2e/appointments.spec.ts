import { readFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';
import { expect, seen, test } from './fixtures.ts';
import { book, chooseSlot, openBookings, sendVisitor, slots, type Bookings } from './parts/bookings.ts';
import { pageCount, pageSize } from './parts/pdf.ts';
import { everythingStored } from './parts/storage.ts';

let office: Bookings;
test.afterEach(async ({ context }) => {
  // A page that is still open may ask a server that is gone.
  for (const page of context.pages()) await page.close();
  await office.close();
});

const heading = (page: Page, name: string | RegExp): ReturnType<Page['getByRole']> =>
  page.getByRole('heading', { level: 1, name });
const address = (path: string): string => new URL(path, office.url).href;
const dayOf = (slot: string): string => slot.slice(0, 10);

/** What a browser says by itself of requests that came to nothing; everything else is a fault. */
function forgive(problems: string[], ...words: readonly string[]): void {
  const others = problems.filter((problem) => !words.some((word) => problem.includes(word)));
  problems.splice(0, problems.length, ...others);
}
const network = ['ERR_INTERNET_DISCONNECTED', 'ERR_EMPTY_RESPONSE', 'ERR_CONNECTION_RESET', 'ERR_SOCKET_NOT_CONNECTED'];

/** The page as it is after one visit: it opens without a network too. */
async function visitOnce(page: Page): Promise<void> {
  await page.goto(address('/appointments'));
  await expect(heading(page, '要办哪一项业务？')).toBeVisible();
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
}

/** What the counter has of a slot, once it has anything. */
const names = async (slot: string): Promise<unknown[]> =>
  (await office.atCounter(dayOf(slot))).map(({ surname, status }) => `${String(surname)} ${String(status)}`);

test('four answers, and it is taken down: asked and sent is only what is needed', async ({ page }) => {
  office = await openBookings();
  const bodies: unknown[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') bodies.push(request.postDataJSON());
  });
  await page.goto(address('/appointments'));
  await expect(page.getByText('预约意向，以网点确认为准。', { exact: false }).first()).toBeVisible();

  const slot = await chooseSlot(page, 'USBKEY补办');
  await expect(page.getByRole('main').getByRole('textbox')).toHaveCount(2);
  await sendVisitor(page);

  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  await expect(heading(page, '预约：USBKEY补办')).toBeFocused();
  await expect(page.getByText('预约意向，以网点确认为准。').first()).toBeVisible();
  expect(bodies).toEqual([{ business: 'replace', centre: 'hexi', slot, surname: '张', phone: '13800138000' }]);
  const [row] = await office.atCounter(dayOf(slot));
  expect(row).toMatchObject({ surname: '张', phone: '13800138000', business: 'replace', status: 'requested' });
  await expect(page.getByRole('definition').filter({ hasText: String(row?.['number']) })).toBeVisible();
  for (const material of ['经办人身份证原件', '授权书', '开票信息'])
    await expect(page.getByRole('checkbox', { name: material })).toBeVisible();
  expect(await everythingStored(page)).not.toContain('13800138000');
});

test('the slip is one page of A4: number, business, time, place and what to bring', async ({ page }) => {
  office = await openBookings();
  await page.goto(address('/appointments'));
  const slot = await book(page, '证书新办');
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  const [row] = await office.atCounter(dayOf(slot));

  const pdf = await page.pdf({ preferCSSPageSize: true, format: 'A4' });
  expect([pageCount(pdf), ...pageSize(pdf)]).toEqual([1, 210, 297]);
  await page.emulateMedia({ media: 'print' });
  const paper = await page.locator('body').innerText();
  for (const words of [
    ...['预约单', String(row?.['number']), '证书新办', '河西服务中心', '某某路 1 号', '400-880-9888'],
    ...['预约意向，以网点确认为准。', '税务登记证件原件', '营业执照', '本人身份证件', '证书协办函', '经办人身份证原件'],
    slot.slice(11),
  ])
    expect(paper).toContain(words);
  for (const words of ['取消预约', '13800138000', '系统检测']) expect(paper).not.toContain(words);
});

test('the calendar’s entry begins when the slot begins', async ({ page }) => {
  office = await openBookings();
  await page.goto(address('/appointments'));
  const slot = await book(page);
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: '存入日历' }).click(),
  ]);
  const file = await readFile(await download.path(), 'utf8');
  const utc = new Date(`${slot}:00+08:00`).toISOString().slice(0, 19).replace(/[-:]/g, '');
  expect(file).toContain(`DTSTART:${utc}Z`);
  expect(file.replace(/\r\n /g, '')).toMatch(/DESCRIPTION:预约号 [0-9A-Z-]+。预约意向/);
});

test('a guide and a centre bring along what is known already', async ({ page }) => {
  office = await openBookings();
  await page.goto(address('/guide/unlock'));
  await page.getByRole('main').getByRole('link', { name: '预约' }).click();
  await expect(heading(page, '去哪个网点？')).toBeVisible();
  await expect(page.getByRole('list', { name: '已选' })).toContainText('USBKEY解锁');

  await page.goto(address('/centres'));
  await page.getByRole('article').filter({ hasText: '南开' }).getByRole('link', { name: '预约' }).click();
  await expect(heading(page, '要办哪一项业务？')).toBeVisible();
  await expect(page.locator('.cards').getByRole('link')).toHaveCount(2);
  await page.getByRole('main').getByRole('link', { name: '证书更新' }).click();
  await expect(heading(page, '什么时间去？')).toBeFocused();
  await expect(page.getByRole('list', { name: '已选' })).toContainText('南开服务中心');
  await page.goBack();
  await expect(heading(page, '要办哪一项业务？')).toBeFocused();
});

test('what is missing or wrong is said at its field, and nothing is sent', async ({ page }) => {
  office = await openBookings();
  await page.goto(address('/appointments'));
  await chooseSlot(page);
  await page.getByRole('button', { name: '提交预约' }).click();
  await expect(page.getByLabel('姓氏')).toBeFocused();
  await expect(page.getByLabel('姓氏')).toHaveAccessibleDescription(/请填写姓氏。/);
  await page.getByLabel('姓氏').fill('张');
  await page.getByLabel('手机号码').fill('022-23456789');
  await page.getByRole('button', { name: '提交预约' }).click();
  await expect(page.getByLabel('手机号码')).toBeFocused();
  await expect(page.getByLabel('手机号码')).toHaveAccessibleDescription(/应为 11 位手机号码。/);
  expect(office.sent).toEqual([]);
});

test.describe('without a network', () => {
  test('a wish is kept, said to be unsent, survives a reload, and leaves once there is one', async ({
    page,
    context,
    problems,
  }) => {
    office = await openBookings();
    await visitOnce(page);
    await context.setOffline(true);
    await page.reload();

    await chooseSlot(page).then(async (slot) => {
      await sendVisitor(page, '存下，联网后送出');
      await expect(seen(page, '还没有送出，联网后自动送出。')).toBeVisible();
      await page.reload();
      await expect(seen(page, '还没有送出，联网后自动送出。')).toBeVisible();
      expect(office.sent).toEqual([]);
      await context.setOffline(false);
      await expect(seen(page, /^已登记，预约号/)).toBeVisible();
      expect(await names(slot)).toEqual(['张 requested']);
    });
    forgive(problems, ...network);
  });

  test('it leaves from any page of the site', async ({ page, context, problems }) => {
    office = await openBookings();
    await visitOnce(page);
    await context.setOffline(true);
    const slot = await book(page);
    await expect(seen(page, '还没有送出，联网后自动送出。')).toBeVisible();
    await page.getByRole('link', { name: '业务指南' }).first().click();
    await expect(heading(page, '业务指南')).toBeVisible();
    await context.setOffline(false);
    await expect.poll(() => names(slot)).toEqual(['张 requested']);
    forgive(problems, ...network);
  });

  test('two tabs and a lost first answer: exactly one is taken, and both tabs know', async ({
    page,
    context,
    problems,
  }) => {
    office = await openBookings();
    await visitOnce(page);
    await context.setOffline(true);
    const slot = await book(page);
    await expect(seen(page, '还没有送出，联网后自动送出。')).toBeVisible();
    const other = await context.newPage();
    await other.goto(page.url());
    await expect(seen(other, '还没有送出，联网后自动送出。')).toBeVisible();

    office.fates.push('answerLost');
    await context.setOffline(false);

    await expect(seen(page, /^已登记，预约号/)).toBeVisible();
    await expect(seen(other, /^已登记，预约号/)).toBeVisible();
    expect(await names(slot)).toEqual(['张 requested']);
    expect(office.sent.length).toBeGreaterThanOrEqual(2);
    expect(new Set(office.sent.map(({ key }) => key)).size).toBe(1);
    forgive(problems, ...network);
  });

  test('a booking is cancelled once there is one again', async ({ page, context, problems }) => {
    office = await openBookings();
    await visitOnce(page);
    const slot = await book(page);
    await expect(seen(page, /^已登记，预约号/)).toBeVisible();
    await context.setOffline(true);
    await page.getByRole('button', { name: '取消预约' }).click();
    await page.getByRole('alert').getByRole('button', { name: '取消预约' }).click();
    await expect(seen(page, '取消还没有送出，联网后自动送出。')).toBeVisible();
    expect(await names(slot)).toEqual(['张 requested']);
    await context.setOffline(false);
    await expect(seen(page, '已取消。')).toBeVisible();
    expect(await names(slot)).toEqual(['张 cancelled']);
    forgive(problems, ...network);
  });

  test('what never left is cancelled on the spot, and nothing is ever sent', async ({ page, context, problems }) => {
    office = await openBookings();
    await visitOnce(page);
    await context.setOffline(true);
    await book(page);
    await page.getByRole('button', { name: '取消预约' }).click();
    await page.getByRole('alert').getByRole('button', { name: '取消预约' }).click();
    await expect(seen(page, '已取消。')).toBeVisible();
    await context.setOffline(false);
    await expect(page.getByText('现在没有网络。')).toBeHidden();
    await page.goto(address('/appointments'));
    await expect(seen(page, '已取消')).toBeVisible();
    expect(office.sent).toEqual([]);
    forgive(problems, ...network);
  });
});

test('reloaded while it is on its way: it is sent again under its key, and taken once', async ({ page, problems }) => {
  office = await openBookings();
  office.fates.push('held');
  await page.goto(address('/appointments'));
  const slot = await book(page);
  await expect(seen(page, '正在送出…')).toBeVisible();
  await expect.poll(() => office.sent.length).toBe(1);
  await page.reload();
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  office.release();
  await expect.poll(() => names(slot)).toEqual(['张 requested']);
  expect(new Set(office.sent.map(({ key }) => key)).size).toBe(1);
  forgive(problems, ...network);
});

test('409: nothing is booked, other slots are there, one of them is booked', async ({ page, problems }) => {
  office = await openBookings({ capacity: 1 });
  await page.goto(address('/appointments'));
  const slot = await chooseSlot(page);
  expect(await office.rival(slot)).toBe(201);
  await sendVisitor(page);

  await expect(seen(page, '这个时段约满了，什么也没有约上。请另选一个时段。')).toBeVisible();
  expect(await names(slot)).toEqual(['李 requested']);
  await page
    .getByRole('group', { name: /的时段/ })
    .getByRole('button')
    .first()
    .click();
  await page.getByRole('button', { name: /^改约/ }).click();
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  expect((await names(slot)).sort()).toEqual(['张 requested', '李 requested']);
  forgive(problems, '409');
});

test('422: said in words, nothing is sent again by itself, and one can begin anew', async ({ page, problems }) => {
  office = await openBookings();
  office.fates.push('refused');
  await page.goto(address('/appointments'));
  await book(page);
  await expect(seen(page, '网点系统没有接受这次预约，什么也没有约上。')).toBeVisible();
  await page.reload();
  await expect(seen(page, '网点系统没有接受这次预约，什么也没有约上。')).toBeVisible();
  expect(office.sent).toHaveLength(1);
  await page.getByRole('link', { name: '重新预约' }).click();
  await expect(heading(page, '什么时间去？')).toBeVisible();
  await slots(page).last().click();
  await sendVisitor(page);
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  expect(new Set(office.sent.map(({ key }) => key)).size).toBe(2);
  forgive(problems, '422');
});

test('503 with Retry-After: the page says when, nothing leaves before, and then it leaves by itself', async ({
  page,
  problems,
}) => {
  office = await openBookings();
  office.fates.push('busy');
  await page.goto(address('/appointments'));
  const slot = await book(page);
  await expect(seen(page, /^网点系统忙，还没有约上，\d\d:\d\d:\d\d 自动再送一次。$/)).toBeVisible();
  await page.getByRole('button', { name: '现在送出' }).click();
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  const [first, second] = office.sent;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_000);
  expect(office.sent).toHaveLength(2);
  expect(await names(slot)).toEqual(['张 requested']);
  forgive(problems, '503');
});

test('cancelled at the centre too, after a word of confirmation; kept in the list until it is removed', async ({
  page,
}) => {
  office = await openBookings();
  await page.goto(address('/appointments'));
  const slot = await book(page);
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  await page.getByRole('button', { name: '取消预约' }).click();
  await page.getByRole('button', { name: '不取消' }).click();
  await page.getByRole('link', { name: '全部预约' }).click();
  await expect(heading(page, '我的预约')).toBeFocused();
  await page.getByRole('link', { name: /证书更新.*已登记/ }).click();
  await page.getByRole('button', { name: '取消预约' }).click();
  await page.getByRole('alert').getByRole('button', { name: '取消预约' }).click();
  await expect(seen(page, '已取消。')).toBeVisible();
  expect(await names(slot)).toEqual(['张 cancelled']);
  await page.getByRole('button', { name: '从本机删除' }).click();
  await expect(heading(page, '要办哪一项业务？')).toBeVisible();
});

test('cleared with everything else, and said to be there before', async ({ page }) => {
  office = await openBookings();
  await page.goto(address('/appointments'));
  const slot = await book(page);
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  await page.getByRole('contentinfo').getByRole('button', { name: '清除本机数据' }).click();
  const dialog = page.getByRole('dialog');
  await expect(dialog.getByText(/^1 个。网点已登记的仍然有效/)).toBeVisible();
  await dialog.getByRole('button', { name: '清除', exact: true }).click();
  await expect(dialog.getByText('已清除。')).toBeVisible();
  await Promise.all([page.waitForURL(address('/')), dialog.getByRole('button', { name: '完成' }).click()]);
  await page.goto(address('/appointments'));
  await expect(heading(page, '要办哪一项业务？')).toBeVisible();
  expect(await names(slot)).toEqual(['张 requested']);
});

test('on a centre’s computer it goes with the visit', async ({ page }) => {
  office = await openBookings();
  await page.goto(address('/appointments?kiosk'));
  await chooseSlot(page);
  await expect(page.getByText(/这是公用电脑/)).toBeVisible();
  await sendVisitor(page);
  await expect(seen(page, /^已登记，预约号/)).toBeVisible();
  await Promise.all([page.waitForURL(address('/')), page.getByRole('button', { name: '结束', exact: true }).click()]);
  await page.goto(address('/appointments'));
  await expect(heading(page, '要办哪一项业务？')).toBeVisible();
  expect(await everythingStored(page)).not.toContain('"stage"');
});

test('an operator that takes no bookings: the page says how to go without one', async ({ page }) => {
  office = await openBookings({ open: false });
  await page.goto(address('/appointments?service=renew'));
  await expect(page.getByText('网上预约还没有开放，可以直接到任意服务中心办理。')).toBeVisible();
  await expect(page.getByRole('main').getByRole('link', { name: /400-880-9888/ })).toBeVisible();
});

test('an operator that says it does and has no such service: no times are made up', async ({ page, problems }) => {
  office = await openBookings({ api: false });
  await page.goto(address('/appointments?service=renew&centre=hexi'));
  await expect(page.getByText('这个网点现在不接受这项业务的网上预约。')).toBeVisible();
  await expect(page.getByRole('main').getByRole('link', { name: /400-880-9888/ })).toBeVisible();
  await expect(slots(page)).toHaveCount(0);
  forgive(problems, '404');
});

test('in English, by keyboard alone, from the first question to the number', async ({ page }) => {
  office = await openBookings();
  await page.addInitScript(() => localStorage.setItem('casupport.locale', 'en'));
  await page.goto(address('/appointments?service=renew&centre=hexi'));
  await expect(heading(page, 'When would you come?')).toBeVisible();
  const last = page
    .getByRole('group', { name: /^Times on/ })
    .getByRole('link')
    .last();
  await last.focus();
  await page.keyboard.press('Enter');
  await expect(heading(page, 'How can you be reached?')).toBeFocused();
  await page.getByLabel('Surname').focus();
  await page.keyboard.type('Smith');
  await page.keyboard.press('Tab');
  await page.keyboard.type('13800138000');
  await page.keyboard.press('Enter');
  await expect(seen(page, /^Taken down, number/)).toBeVisible();
  await expect(heading(page, 'Appointment: Certificate renewal')).toBeFocused();
});
