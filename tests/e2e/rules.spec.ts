import type { Page } from '@playwright/test';
import { ruleIds } from '../../src/guidance/rule-ids.ts';
import { expect, test } from './fixtures.ts';
import { rulePages, visibleRules, type Citation } from './parts/collect-rules.ts';
import { ruleWords } from './parts/rule-words.ts';

// What is told to people is told by the production build.
test.use({ baseURL: `http://localhost:${Number(process.env['E2E_PORT'] ?? 4373) + 1}` });

/** The guide has sixty-one rules; one that is taken off the list is missed here. */
const count = 61;
const hotlines = ['400-880-9888', '95105345-2'] as const;

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await expect(page.locator('main')).toHaveAttribute('aria-busy', 'false');
}

async function collect(page: Page): Promise<Citation[]> {
  const found: Citation[] = [];
  for (const path of rulePages) {
    await open(page, path);
    found.push(...(await visibleRules(page, path)));
  }
  return found;
}

const fits = (words: string, fact: string | RegExp): boolean =>
  typeof fact === 'string' ? words.includes(fact) : fact.test(words);

test(`each of the guide’s ${count} rules is in sight on some page, with its facts beside it`, async ({ page }) => {
  expect(new Set(ruleIds).size).toBe(count);

  const citations = await collect(page);

  const missing = ruleIds.filter((id) => !citations.some(({ rule }) => rule === id));
  expect(missing).toEqual([]);
  const untold = ruleIds.flatMap((id) => {
    const here = citations.filter(({ rule }) => rule === id);
    const whole = here.some(({ words }) => ruleWords[id].every((fact) => fits(words, fact)));
    return whole ? [] : [`${id}: ${ruleWords[id].join(' ')} ↔ ${here.map(({ words }) => words).join(' | ')}`];
  });
  expect(untold).toEqual([]);
  expect(citations.filter(({ rule }) => !(ruleIds as readonly string[]).includes(rule))).toEqual([]);
});

test('in English the same rules are in sight', async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem('casupport.locale', 'en'));

  const citations = await collect(page);

  const shown = new Set(citations.map(({ rule }) => rule));
  expect(ruleIds.filter((id) => !shown.has(id))).toEqual([]);
  const stillChinese = citations.filter(
    ({ path, words }) => path !== '/letter' && (words.match(/\p{Script=Han}/gu)?.length ?? 0) > words.length / 2,
  );
  expect(stillChinese).toEqual([]);
});

for (const [flow, bring, never] of [
  ['upgrade', ['USBKEY'], ['身份证', '授权书', '公章']],
  ['renew', ['USBKEY'], ['身份证', '授权书', '公章']],
  [
    'new',
    [
      '税务登记证件原件',
      '一照一码纳税人：营业执照',
      '本人身份证件',
      '证书协办函',
      '加盖企业公章',
      '经办人签字',
      '身份证原件',
    ],
    ['授权书', 'USBKEY'],
  ],
  ['replace', ['身份证原件', '授权书', '加盖公章', '开票信息'], ['证书协办函', '营业执照']],
  ['unlock', ['身份证原件', '授权书', '加盖公章'], ['证书协办函', '营业执照']],
] as const)
  test(`${flow}: the checklist asks for what the guide asks for and nothing else`, async ({ page }) => {
    await open(page, `/guide/${flow}`);
    const boxes = page
      .getByRole('main')
      .getByRole('listitem')
      .filter({ has: page.getByRole('checkbox') });

    const list = (await boxes.allInnerTexts()).join('\n');

    for (const words of bring) expect(list).toContain(words);
    for (const words of never) expect(list).not.toContain(words);
    await boxes.first().getByRole('checkbox').check();
    await expect(boxes.first().getByRole('checkbox')).toBeChecked();
  });

test('what the guide does not ask for a USBKEY is a suggestion, apart from the list', async ({ page }) => {
  for (const flow of ['replace', 'unlock']) {
    await open(page, `/guide/${flow}`);
    const advice = page.getByText('建议带上', { exact: true });
    await expect(advice).toBeVisible();
    await expect(advice.locator('xpath=following-sibling::*[1]').getByText('USBKEY', { exact: true })).toBeVisible();
  }
});

test('new, replacement and unlocking are in person only: nothing can be sent, and no administrator’s code is asked for', async ({
  page,
}) => {
  for (const flow of ['new', 'replace', 'unlock']) {
    await open(page, `/guide/${flow}`);
    const main = page.getByRole('main');
    await expect(main.getByText('只能现场办理').first()).toBeVisible();
    await expect(main.locator('form, input:not([type=checkbox], [type=radio]), button[type=submit]')).toHaveCount(0);
    await expect(main.getByText(/PUK|管理员口令|管理员密码/)).toHaveCount(0);
  }
});

test('a fee is named where the guide names one, and nowhere else', async ({ page }) => {
  for (const flow of ['upgrade', 'renew', 'new', 'unlock']) {
    await open(page, `/guide/${flow}`);
    await expect(page.getByRole('main').getByText(/\d+ ?元/), flow).toHaveCount(0);
    await expect(page.getByRole('heading', { name: '费用' }), flow).toHaveCount(0);
  }
  await open(page, '/guide/replace');
  await expect(page.getByRole('heading', { name: '费用' })).toBeVisible();
});

for (const [answers, fee] of [
  [['丢了'], '预估 26 元，现场交。'],
  [['坏了', '不是', '完好'], '预估可以免费更换。'],
  [['坏了', '是', '完好'], '预估 26 元，现场交。'],
  [['坏了', '不是', '有损坏'], '预估 26 元，现场交。'],
  [['坏了', '说不准', '完好'], '说不准：可能免费，也可能是 26 元。'],
] as const)
  test(`the fee of a replacement, ${answers.join('、')}: ${fee}`, async ({ page }) => {
    await open(page, '/guide/replace');
    await page.getByText('估一下费用').click();
    const questions = ['USBKEY 怎么了？', '是人为损坏吗', '外观完好吗'];

    for (const [at, answer] of answers.entries())
      await page
        .getByRole('group', { name: questions[at] ?? '' })
        .getByRole('radio', { name: answer, exact: true })
        .check();

    await expect(page.getByRole('status').getByText(fee)).toBeVisible();
    if (answers[0] === '坏了') await expect(page.getByText(/由网点核验后判断/)).toBeVisible();
  });

test('what this site assumes says so: the centres and the hot-line have the last word', async ({ page }) => {
  for (const path of rulePages.filter((one) => one.startsWith('/guide/'))) {
    await open(page, path);
    // In its own words, in those of its section, or as advice under a heading that says it is advice.
    const unmarked = await page.locator('[data-assumption]:not([data-rule])').evaluateAll((elements) =>
      elements
        .map((element) => ({ element, around: element.closest('section') ?? element }))
        .filter(({ around }) => !/以服务网点或热线答复为准|建议带上/.test(around.textContent))
        .map(({ element }) => element.textContent.trim()),
    );
    expect(unmarked, path).toEqual([]);
    await expect(page.getByText('以服务网点和热线答复为准').first(), path).toBeVisible();
  }
});

test('both hot-lines stand in the same place on every page, exactly as the service writes them', async ({ page }) => {
  for (const path of [...rulePages, '/certificates', '/renew', '/faq', '/faq/locked', '/check', '/no-such-page']) {
    await open(page, path);
    const foot = page.getByRole('contentinfo');
    const [first, second] = hotlines;
    await expect(foot.getByRole('link', { name: first, exact: true }), path).toHaveAttribute('href', 'tel:4008809888');
    await expect(foot.getByRole('link', { name: second, exact: true }), path).toHaveAttribute('href', 'tel:95105345,2');
    await expect(foot.getByText('（接通后按 2）'), path).toBeVisible();
    await expect(foot.getByRole('link', { name: '附近网点' }), path).toHaveAttribute('href', '/centres');
  }
});
