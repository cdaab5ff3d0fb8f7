import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { pageCount, pageSize } from './parts/pdf.ts';
import { everythingStored } from './parts/storage.ts';

test.use({ baseURL: `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}` });

/** The appendix of the service guide, as published; its two boxes are garbled there. */
const appendix = readFileSync(new URL('../unit/guidance/appendix.txt', import.meta.url), 'utf8')
  .trimEnd()
  .replaceAll(' (', ' □')
  .split('\n')
  .map((line) => line.trim());

/** The examples of GB 32100 and GB 11643; nobody's. */
const values = {
  公司名称: '示例科技（天津）有限公司',
  纳税人识别号: '91350100M000100Y43',
  姓名: '张三丰',
  身份证号: '11010519491231002X',
  手机号码: '13800138000',
} as const;
const days = { 从: '2026-03-01', 至: '2026-03-31', 落款日期: '2026-03-02' } as const;

const field = (page: Page, label: string) => page.getByRole('main').getByLabel(label, { exact: true });

async function fill(page: Page): Promise<void> {
  for (const [label, value] of Object.entries({ ...values, ...days })) await field(page, label).fill(value);
}

/** What stands on paper, line by line. */
async function paper(page: Page): Promise<string[]> {
  await page.emulateMedia({ media: 'print' });
  const text = await page.locator('body').innerText();
  await page.emulateMedia({ media: null });
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

const print = (page: Page): Promise<Buffer> => page.pdf({ format: 'A4', preferCSSPageSize: true });

test.beforeEach(async ({ page }) => {
  // The browser's own window cannot be operated from here: it is enough to know that it was asked for, and under which name.
  await page.addInitScript(() => {
    const asked: string[] = [];
    Object.assign(window, { asked });
    window.print = () => {
      asked.push(document.title);
      dispatchEvent(new Event('afterprint'));
    };
  });
});
const printed = (page: Page): Promise<unknown> => page.evaluate<unknown>('window.asked');

test('blank: one page of A4, and on it the appendix, character by character', async ({ page }) => {
  await page.goto('/letter');
  await expect(page.getByRole('heading', { level: 1, name: '授权书' })).toBeVisible();

  const pdf = await print(page);

  expect(pageCount(pdf)).toBe(1);
  expect(pageSize(pdf)).toEqual([210, 297]);
  expect(await paper(page)).toEqual(appendix);
});

for (const [business, replacement, unlock] of [
  ['replacement', '☑', '□'],
  ['unlock', '□', '☑'],
] as const)
  test(`filled for ${business}: one page, every value in its place, the right box ticked`, async ({ page }) => {
    await page.goto(`/letter?for=${business}`);
    await fill(page);

    await page.getByRole('button', { name: '打印授权书' }).click();
    const pdf = await print(page);

    expect(await printed(page)).toEqual(['天津税务证书办理业务授权书']);
    expect(pageCount(pdf)).toBe(1);
    const [name, title, body, boxes, note, from, until, signature, date, ...rest] = await paper(page);
    expect([name, title, note, signature, rest]).toEqual([appendix[0], appendix[1], appendix[4], appendix[7], []]);
    expect(body).toBe(
      '我公司示例科技（天津）有限公司，企业证件号码（纳税人识别号）91350100M000100Y43，兹授权我司员工张三丰,身份证号11010519491231002X，手机号码13800138000，办理天津市税务局CA证书相关业务，请予以协助。',
    );
    expect(boxes).toBe(`业务类型：USBKEY补办 ${replacement}    USBKEY解锁 ${unlock}`);
    expect([from, until, date].map((line) => line?.replace(/\s/g, ''))).toEqual([
      '授权期限：2026年3月1日',
      '至2026年3月31日',
      '日期：2026年3月2日',
    ]);
  });

test('the longest that can be written still goes on one page', async ({ page }) => {
  await page.goto('/letter');
  await field(page, '公司名称').fill('天'.repeat(80));
  await field(page, '纳税人识别号').fill('9'.repeat(20));
  await field(page, '姓名').fill('司'.repeat(30));
  await field(page, '身份证号').fill(values.身份证号);

  expect(pageCount(await print(page))).toBe(1);
});

test('on a narrow screen too, whichever side is shown, paper is one page with the whole letter', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await page.goto('/letter');
  for (const side of ['填写', '预览']) {
    await page.getByRole('button', { name: side, exact: true }).click();
    expect(await paper(page), side).toEqual(appendix);
    expect(pageCount(await print(page)), side).toBe(1);
  }
});

test('in English, large and dark the paper is the same', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.addInitScript(() => {
    localStorage.setItem('casupport.locale', 'en');
    localStorage.setItem('casupport.type', 'large');
  });
  await page.goto('/letter');
  await expect(page.getByRole('heading', { level: 1, name: 'Letter of authorisation' })).toBeVisible();

  expect(await paper(page)).toEqual(appendix);
  expect(pageCount(await print(page))).toBe(1);
});

test('no seal is drawn on paper, only its place on the screen', async ({ page }) => {
  await page.goto('/letter');
  await page.emulateMedia({ media: 'print' });

  await expect(page.getByText('在这里盖公章')).toBeHidden();
  await expect(page.locator('.sheet').locator('img, svg, canvas, image')).toHaveCount(0);
});

for (const [label, wrong, said] of [
  ['纳税人识别号', '91350100M000100Y44', '和校验位对不上'],
  ['纳税人识别号', '12345', '应为 18 位统一社会信用代码'],
  ['身份证号', '110105194912310021', '和校验位对不上'],
  ['手机号码', '12800138000', '应为 11 位手机号码。'],
] as const)
  test(`${label} ${wrong} is asked about before printing, by name and at its field`, async ({ page }) => {
    await page.goto('/letter');
    await field(page, label).fill(wrong);

    await page.getByRole('button', { name: '打印授权书' }).click();

    await expect(page.getByRole('alert').getByRole('link', { name: label })).toBeVisible();
    await expect(field(page, label)).toBeFocused();
    await expect(field(page, label)).toHaveAttribute('aria-invalid', 'true');
    await expect(field(page, label)).toHaveAccessibleDescription(new RegExp(said));
    expect(await printed(page)).toEqual([]);
    await field(page, label).fill('');
    await page.getByRole('button', { name: '打印授权书' }).click();
    expect(await printed(page)).toHaveLength(1);
  });

test('a period that ends before it begins is asked about', async ({ page }) => {
  await page.goto('/letter');
  await field(page, '从').fill(days.至);
  await field(page, '至').fill(days.从);

  await page.getByRole('button', { name: '打印授权书' }).click();

  await expect(field(page, '至')).toHaveAccessibleDescription(/早于/);
});

test('what is typed leaves this page neither by the network nor into any storage, and is gone afterwards', async ({
  page,
}) => {
  const secrets = [...Object.values(values), encodeURIComponent(values.公司名称), encodeURIComponent(values.姓名)];
  const sent: string[] = [];
  page.on('request', (request) => sent.push(`${request.url()} ${request.postData() ?? ''}`));
  await page.goto('/letter?for=unlock', { waitUntil: 'networkidle' });
  await fill(page);
  await page.getByRole('button', { name: '打印授权书' }).click();
  await expect(page.locator('.sheet')).toContainText(values.身份证号);

  const during = await everythingStored(page);
  await page.getByRole('link', { name: '业务指南' }).first().click();
  await expect(page.getByRole('heading', { level: 1, name: '业务指南' })).toBeVisible();
  const after = await everythingStored(page);
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1, name: '授权书' })).toBeVisible();

  const leaks = (text: string): string[] => secrets.filter((secret) => text.includes(secret));
  expect(leaks(sent.join('\n'))).toEqual([]);
  expect(leaks(during)).toEqual([]);
  expect(leaks(after)).toEqual([]);
  expect(leaks(await page.locator('body').innerText())).toEqual([]);
  for (const label of Object.keys(values)) await expect(field(page, label)).toHaveValue('');
});

test('清空 takes everything back', async ({ page }) => {
  await page.goto('/letter?for=unlock');
  await fill(page);

  await page.getByRole('button', { name: '清空' }).click();

  await expect(page.getByText('已清空。')).toBeVisible();
  expect(await paper(page)).toEqual(appendix);
});
