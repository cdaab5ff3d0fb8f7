import type { Page } from '@playwright/test';
import { creditCodeCheckCharacter } from '../reference-ca/subject.ts';
import { containersOf, expect, keyState, seen, test, typePassword } from './fixtures.ts';
import { watchArrays } from './parts/arrays.ts';
import { chooseSlot, openBookings, type Bookings } from './parts/bookings.ts';
import { choose, plugStrange, serialNumberOfStrangers } from './parts/devices.ts';
import { heldInMemory } from './parts/memory.ts';
import { storedPlaces } from './parts/storage.ts';
import { watch } from './parts/witness.ts';

/*
 * Which datum about a person may be where: what the page on privacy says. Each flow watches every place there is and names
 * those in which it has found something; the screen and paper are the person's own.
 */
const mayBe = {
  /** In the certificate: the one read last, those being renewed, and what the authority is asked with. */
  holder: ['indexedDB casupport-user/readings', 'indexedDB casupport-user/transactions', 'sent to /ca/cmp'],
  taxNumber: ['indexedDB casupport-user/readings', 'indexedDB casupport-user/transactions', 'sent to /ca/cmp'],
  /** With a booking; the telephone number here only until the centre has it. */
  surname: ['indexedDB casupport-user/appointments', 'sent to /api/appointments'],
  telephone: ['indexedDB casupport-user/appointments', 'sent to /api/appointments'],
  /** Typed into the letter or the invoice slip: nowhere that anybody could read it. */
  company: [],
  creditCode: [],
  agent: [],
  identityNumber: [],
  mobile: [],
  email: [],
} as const;

const withCheckCharacter = (body: string): string => body + creditCodeCheckCharacter(body);

/** Nobody's; the numbers are well formed. No other text of the site has even six characters of it. */
const letter = {
  company: '璞玥样本（天津）有限公司',
  creditCode: withCheckCharacter('91350211MA7HQ4K2R'),
  agent: '逄璟曈',
  identityNumber: '110106198706142736',
  mobile: '13926417385',
} as const;
const email = 'qzvkwx.4711@xjqkzv.cn';
const visitor = { surname: '亓官', telephone: '13920416837' } as const;

const field = (page: Page, label: string) => page.getByRole('main').getByLabel(label, { exact: true });
const dialogOf = (page: Page) => page.getByRole('dialog', { name: '清除本机数据' });
const workerIsThere = (page: Page): Promise<void> =>
  page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

async function fillLetter(page: Page): Promise<void> {
  await field(page, '公司名称').fill(letter.company);
  await field(page, '纳税人识别号').fill(letter.creditCode);
  await field(page, '姓名').fill(letter.agent);
  await field(page, '身份证号').fill(letter.identityNumber);
  await field(page, '手机号码').fill(letter.mobile);
}

/** The certificate's holder and tax number, as the key on the desk has them. */
async function holderOnDesk(page: Page): Promise<{ holder: string; taxNumber: string }> {
  const certificate = containersOf(await keyState(page))[0]?.signing?.certificate ?? '';
  const text = Buffer.from(certificate, 'hex').toString('utf8');
  const holder = /某某\p{L}+\(示例\)/u.exec(text)?.[0] ?? '';
  const taxNumber = /91120100MA[0-9A-Z]{8}/.exec(text)?.[0] ?? '';
  expect([holder.length, taxNumber.length]).toEqual([12, 18]);
  return { holder, taxNumber };
}

/** What is typed to print is neither kept nor sent; the browser's own window for it does not open here. */
async function printNothing(page: Page): Promise<void> {
  await page.addInitScript(() => {
    window.print = () => void dispatchEvent(new Event('afterprint'));
  });
}

async function save(page: Page, button: string): Promise<void> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  await (await download).path();
}

test('a holder’s name and tax number are where the certificate is, and nowhere else', async ({
  page,
  desk,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const witness = await watch(page);
  await desk({ scenario: 'due-30-days' });
  await page.goto('/certificates');
  const data = await holderOnDesk(page);
  await expect(page.getByText(data.holder).first()).toBeVisible();
  await page.getByRole('checkbox', { name: '记在本机' }).check();
  await expect(page.getByRole('region', { name: 'USBKEY 清单' }).getByRole('listitem')).toHaveCount(1);
  await save(page, '全部加入日历');
  await workerIsThere(page);
  await witness.look();

  await page.getByRole('link', { name: '更新证书' }).first().click();
  await typePassword(page);
  await expect(seen(page, /证书已更新/)).toBeVisible();
  await witness.look();
  await save(page, '加入日历提醒');

  await page.goto('/check');
  await page.getByRole('button', { name: '开始检测' }).click();
  await page.getByText('检测报告，供热线查看').click();
  await page.getByRole('button', { name: '复制报告' }).click();
  await expect(page.getByText('已复制，可以粘贴给热线。')).toBeVisible();
  await save(page, '下载报告');
  witness.saw('report', await page.locator('pre').innerText());
  witness.saw('clipboard', await page.evaluate(() => navigator.clipboard.readText()));

  expect(await witness.found(data)).toEqual({ holder: mayBe.holder, taxNumber: mayBe.taxNumber });
});

test('of a refusal no datum is in the card, its code, the page of the code or any report', async ({
  page,
  desk,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const witness = await watch(page);
  await desk({ scenario: 'ca-refuses' });
  await page.goto('/renew');
  await typePassword(page);
  const card = page.getByRole('alert').filter({ hasText: '证书机构没有同意这次申请。' });
  await expect(card).toBeVisible();
  const data = await holderOnDesk(page);
  const said = await card.innerText();
  witness.saw('error card', said);
  const code = /\d{3} ?\d{3}/.exec(said)?.[0].replace(' ', '') ?? '';
  await page.goto(`/code/${code}`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/故障码/);
  witness.saw('page of the code', await page.locator('body').innerText());

  await page.goto('/certificates');
  await page.evaluate(() => window.virtualKey.unplug());
  await page.reload();
  await plugStrange(page, { productName: 'Gadget', interfaceClass: 2, endpoints: 'interrupt' });
  await page.getByRole('button', { name: '列表里没有？换一种方式' }).click();
  await page.getByRole('dialog', { name: '网页想要连接一个设备' }).getByRole('button', { name: '取消' }).click();
  await page.getByRole('button', { name: '还是没有？列出这台电脑上的全部设备' }).click();
  await choose(page, 'Gadget');
  const trouble = page.getByRole('alert').filter({ hasText: '没有认出这个设备' });
  await expect(trouble).toBeVisible();
  witness.saw('error card', await trouble.innerText());
  await page.getByText('设备报告，供热线查看').click();
  await page.getByRole('button', { name: '复制报告' }).click();
  await expect(page.getByText('已复制，可以粘贴给热线。')).toBeVisible();
  await save(page, '下载报告');
  witness.saw('report', await page.locator('pre').innerText());

  expect(await witness.found({ ...data, serialNumber: serialNumberOfStrangers })).toEqual({
    holder: mayBe.holder,
    taxNumber: mayBe.taxNumber,
    serialNumber: [],
  });
});

test('a letter of authorisation, kept or not, and an invoice slip are found nowhere', async ({ page }) => {
  const witness = await watch(page);
  await watchArrays(page);
  await printNothing(page);
  await page.goto('/letter?for=unlock');
  await fillLetter(page);
  await page.getByRole('button', { name: '打印授权书' }).click();
  await witness.look();
  await page.getByRole('checkbox', { name: '记在本机（加密）' }).check();
  const sealed = async (): Promise<string> => (await storedPlaces(page))['indexedDB casupport-user/letter'] ?? '';
  await expect.poll(sealed).toContain('CryptoKey, not extractable');
  await witness.look();

  await page.goto('/guide/replace?slip');
  await field(page, '发票抬头（公司名称）').fill(letter.company);
  await field(page, '纳税人识别号').fill(letter.creditCode);
  await field(page, '接收电子发票的邮箱').fill(email);
  await field(page, '联系电话').fill(letter.mobile);
  await page.getByRole('button', { name: '打印' }).first().click();
  await witness.look();
  // To another page of the site, without a new document.
  await page.getByRole('link', { name: '业务指南' }).first().click();
  await expect(page.getByRole('heading', { level: 1, name: '业务指南' })).toBeVisible();
  const held = await heldInMemory(page, [...Object.values(letter), email]);

  expect(held).toEqual([[], [], [], [], [], []]);
  const { company, creditCode, agent, identityNumber, mobile } = mayBe;
  const nowhere = { company, creditCode, agent, identityNumber, mobile, email: mayBe.email };
  expect(await witness.found({ ...letter, email })).toEqual(nowhere);
});

test.describe('a booking', () => {
  let office: Bookings;
  test.afterEach(async ({ context }) => {
    // A page that is still open may ask a server that is gone.
    for (const page of context.pages()) await page.close();
    await office.close();
  });

  async function fillVisitor(page: Page): Promise<void> {
    await page.getByLabel('姓氏').fill(visitor.surname);
    await page.getByLabel('手机号码').fill(visitor.telephone);
    await page.getByRole('button', { name: '提交预约' }).click();
  }

  test('goes to the centre alone, and the telephone number stays here only until it is there', async ({ page }) => {
    office = await openBookings();
    office.fates.push('held');
    const witness = await watch(page);
    await watchArrays(page);
    await page.goto(new URL('/appointments', office.url).href);
    await workerIsThere(page);
    await chooseSlot(page);
    await fillVisitor(page);
    await expect.poll(() => office.sent.length).toBe(1);
    await witness.look();
    office.release();
    await expect(seen(page, /^已登记，预约号/)).toBeVisible();
    await save(page, '存入日历');
    const left = (await storedPlaces(page))['indexedDB casupport-user/appointments'];

    expect(left).toContain('"booked"');
    expect(left).not.toContain(visitor.telephone);
    expect(await heldInMemory(page, [visitor.telephone])).toEqual([[]]);
    const { surname, telephone } = mayBe;
    expect(await witness.found(visitor)).toEqual({ surname, telephone });
  });

  test('that is refused says nothing of the person', async ({ page, problems }) => {
    office = await openBookings();
    office.fates.push('refused');
    const witness = await watch(page);
    await page.goto(new URL('/appointments', office.url).href);
    await workerIsThere(page);
    await chooseSlot(page);
    await fillVisitor(page);
    await expect(page.getByRole('main').locator('.state')).toBeVisible();
    await expect.poll(() => office.sent.length).toBe(1);
    witness.saw('how it stands', await page.getByRole('main').locator('.state').innerText());

    const { surname, telephone } = mayBe;
    expect(await witness.found(visitor)).toEqual({ surname, telephone });
    // The browser logs a refused request of its own accord.
    problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes('422')));
  });
});

test('清除本机数据 leaves nothing: neither stored, nor in memory, nor in a form to go back to', async ({
  page,
  desk,
  problems,
}) => {
  await watchArrays(page);
  await desk({ scenario: 'ca-waits' });
  // Unfinished, with the certificate in the journal.
  await page.goto('/renew');
  const onDesk = await holderOnDesk(page);
  await typePassword(page);
  await expect(seen(page, /证书机构正在处理/)).toBeVisible();
  await page.evaluate(() => window.virtualKey.unplug());
  await expect(seen(page, 'USBKEY 断开了。')).toBeVisible();
  await page.goto('/appointments?service=renew&centre=sample-1');
  await page.locator('.times').getByRole('link').last().click();
  await page.route('**/api/appointments', (route) =>
    route.fulfill({ status: 503, headers: { 'Retry-After': '3600' } }),
  );
  await page.getByLabel('姓氏').fill(visitor.surname);
  await page.getByLabel('手机号码').fill(visitor.telephone);
  await page.getByRole('button', { name: '提交预约' }).click();
  await expect(page.getByRole('heading', { level: 1, name: /^预约：/ })).toBeVisible();
  await page.goto('/letter');
  await fillLetter(page);
  await page.getByRole('checkbox', { name: '记在本机（加密）' }).check();
  const contents = async (): Promise<string> => Object.values(await storedPlaces(page)).join('\n');
  await expect.poll(contents).toContain('CryptoKey');
  const data = [visitor.surname, visitor.telephone, ...Object.values(letter)];
  const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  const isThere = (text: string) => (datum: string) => text.includes(datum) || text.includes(utf8(datum));
  expect([onDesk.holder, onDesk.taxNumber, visitor.telephone].filter(isThere(await contents()))).toHaveLength(3);

  await page.getByRole('button', { name: '清除本机数据' }).click();
  await dialogOf(page).getByRole('checkbox', { name: '没有办完的也一并清除' }).check();
  await dialogOf(page).getByRole('button', { name: '清除', exact: true }).click();
  await expect(dialogOf(page).getByText('已清除。')).toBeVisible();
  const left = await storedPlaces(page);
  await Promise.all([page.waitForURL('/'), dialogOf(page).getByRole('button', { name: '完成' }).click()]);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  const held = await heldInMemory(page, data);

  const kept = Object.entries(left).filter(([, text]) => !['', '[]', 'null'].includes(text));
  expect(kept.map(([place]) => place)).toEqual(['address', 'history.state']);
  expect([...data, onDesk.holder, onDesk.taxNumber].filter(isThere(await contents()))).toEqual([]);
  expect(held).toEqual(data.map(() => []));
  await page.goBack();
  await page.goto('/letter');
  await expect(field(page, '身份证号')).toHaveValue('');
  await expect(field(page, '公司名称')).toHaveValue('');
  // The browser logs a failed request of its own accord.
  problems.splice(0, problems.length, ...problems.filter((problem) => !problem.includes('503')));
});
