import { beforeEach, describe, expect, test, vi } from 'vitest';
import { userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { setLocale } from '../../../src/app/i18n.svelte.ts';
import { questionWords } from '../../../src/app/messages/questions.ts';
import GuideFlow from '../../../src/app/pages/GuideFlow.svelte';
import Guides from '../../../src/app/pages/Guides.svelte';
import Recommended from '../../../src/app/pages/guide-parts/Recommended.svelte';
import { guideOnlyPolicy } from '../../../src/app/state/recommend-input.ts';
import { router, type Page, type Params } from '../../../src/app/router.svelte.ts';
import { choices, inputOf, questions, type Answers } from '../../../src/renewal/questionnaire.ts';
import { recommend } from '../../../src/renewal/recommend.ts';

/** Shows a page as the router would. */
function open(Page: Page, address: string, params: Params = {}): ReturnType<typeof render<Page>> {
  history.replaceState({ entry: 0 }, '', address);
  router.path = location.pathname;
  router.query = new URLSearchParams(location.search);
  router.params = params;
  return render(Page, {});
}
type Screen = Awaited<ReturnType<typeof open>>;

const choose = async (screen: Screen, label: string): Promise<void> => {
  await screen.getByRole('radio', { name: label }).click();
  await screen.getByRole('button', { name: '下一题' }).click();
};
const heading = (screen: Screen, name: string): ReturnType<Screen['getByRole']> =>
  screen.getByRole('heading', { level: 1, name });

beforeEach(() => {
  setLocale('zh-CN');
});

describe('the questions for a person without a key', () => {
  test('lead to the centre after one answer, where there never was a certificate', async () => {
    const screen = await open(Guides, '/guide?ask=1');

    await choose(screen, '没有，这是第一次');

    await expect.element(heading(screen, '去现场新办证书')).toBeVisible();
    await expect.element(heading(screen, '去现场新办证书')).toHaveFocus();
    await expect.element(screen.getByText('依据：服务指南 1.2（R-1.2.1-1、R-1.2.2-1、R-1.2.3-0）')).toBeVisible();
    await expect.element(screen.getByText('证书协办函', { exact: true })).toBeVisible();
    await expect.element(screen.getByRole('link', { name: '看办理步骤' })).toHaveAttribute('href', '/guide/new');
  });

  test('lead to the renewal in six answers, and count the days to a day that was named', async () => {
    const screen = await open(Guides, '/guide?ask=1');
    await choose(screen, '领过');
    await choose(screen, '在手边，是好的');
    await choose(screen, '记得');
    await choose(screen, '2018年9月18日或以后');
    await expect.element(screen.getByText(/第 5 题，最多 6 题/)).toBeVisible();
    await screen.getByRole('radio', { name: '我知道是哪一天' }).click();
    const inTenDays = new Date(Date.now() + 10 * 86_400_000 + 8 * 3_600_000).toISOString().slice(0, 10);
    await screen.getByLabelText('到期日').fill(inTenDays);
    await screen.getByRole('button', { name: '下一题' }).click();
    await choose(screen, '有 装了 Chrome 或 Edge，也有网络');

    // The configuration in the tree names no authority: what is due is done at a centre.
    await expect.element(heading(screen, '去网点更新证书')).toBeVisible();
    await expect
      .element(screen.getByText('证书还有 10 天到期。在线办理现在没有开放，请到任意服务中心办理。'))
      .toBeVisible();
    expect(screen.container.querySelector('.primary')?.getAttribute('href')).toBe('/centres?service=renew');
  });

  test('name what a lost key takes and costs', async () => {
    const screen = await open(Guides, '/guide?ask=1');
    await choose(screen, '领过');
    await choose(screen, '丢了，找不到');

    await expect.element(heading(screen, '去网点补办 USBKEY')).toBeVisible();
    await expect.element(screen.getByText('预估 26 元，现场交。')).toBeVisible();
    await expect.element(screen.getByText('经办人身份证原件')).toBeVisible();
    await expect
      .element(screen.getByRole('link', { name: '填写授权书' }))
      .toHaveAttribute('href', '/letter?for=replacement');
  });

  test('can be gone back over, and what was chosen is still chosen', async () => {
    const screen = await open(Guides, '/guide?ask=1');
    await choose(screen, '领过');
    await choose(screen, '在手边，是好的');

    history.back();
    router.query = new URLSearchParams('ask=2');
    await expect.element(screen.getByRole('radio', { name: '在手边，是好的' })).toBeChecked();
    await choose(screen, '丢了，找不到');

    await expect.element(heading(screen, '去网点补办 USBKEY')).toBeVisible();
  });

  test('do not go on without an answer, nor with half a one', async () => {
    const screen = await open(Guides, '/guide?ask=1');
    await screen.getByRole('button', { name: '下一题' }).click();
    await expect.element(screen.getByRole('alert')).toHaveTextContent('请选一项。');
    await expect.element(screen.getByRole('radio').first()).toHaveFocus();
    for (const label of ['领过', '在手边，是好的', '不确定', '不清楚']) await choose(screen, label);

    await screen.getByRole('radio', { name: '我知道是哪一天' }).click();
    await screen.getByRole('button', { name: '下一题' }).click();

    await expect.element(screen.getByText('请填写到期日；不知道的话，选“不知道”。')).toBeVisible();
    await expect.element(screen.getByLabelText('到期日')).toHaveFocus();
  });

  test('are answered with the keyboard alone', async () => {
    const screen = await open(Guides, '/guide?ask=1');
    screen.container.querySelector('input')?.focus();

    await userEvent.keyboard('{ArrowDown}{Enter}');

    await expect.element(heading(screen, '去现场新办证书')).toHaveFocus();
  });

  test('begin at the first where the address is ahead of the answers', async () => {
    const screen = await open(Guides, '/guide?ask=result');

    await expect.element(heading(screen, '以前领过天津税务的 CA 证书吗？')).toBeVisible();
  });

  test('leave nothing behind', async () => {
    const before = JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)]);
    const screen = await open(Guides, '/guide?ask=1');
    await choose(screen, '领过');
    await choose(screen, '在手边，是好的');

    expect(JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])).toBe(before);
    expect(location.search).toBe('?ask=3');
    await screen.unmount();
    const again = await open(Guides, '/guide?ask=1');
    expect(again.container.querySelector(':checked')).toBeNull();
  });
});

test.each(['zh-CN', 'en'] as const)('every result has its words in %s', (locale) => {
  const words = questionWords[locale];
  const now = new Date();
  const missing = new Set<string>();
  for (const key of choices.key)
    for (const password of choices.password)
      for (const received of choices.received)
        for (const ends of choices.ends)
          for (const computer of choices.computer)
            for (const hasOnlineCa of [true, false]) {
              const policy = { ...guideOnlyPolicy, hasOnlineCa };
              const answers: Answers = { issued: 'yes', key, password, received, ends, computer };
              const { reason } = recommend(inputOf(answers, policy, now), policy, now);
              if (!words.reason[reason]) missing.add(reason);
            }
  expect([...missing]).toEqual([]);
  for (const question of questions)
    expect(Object.keys(words.options[question]).sort()).toEqual([...choices[question]].sort());
});

test.each<[string, Answers, string]>([
  ['another service’s key', { issued: 'yes', key: 'foreign' }, 'tel:4008809888'],
  [
    'a locked key',
    { issued: 'yes', key: 'intact', password: 'locked', received: 'since', ends: 'soon' },
    '/letter?for=unlock',
  ],
  ['no computer', { key: 'intact', received: 'since', ends: 'soon', computer: 'none' }, '/centres?service=renew'],
  ['nothing known, no computer', { key: 'intact', computer: 'none' }, '/centres'],
  ['another browser', { key: 'intact', computer: 'elsewhere' }, '/faq/which-browser'],
  ['no network', { key: 'intact', received: 'before', computer: 'offline' }, '/guide/upgrade'],
  ['halfway', { key: 'intact', computer: 'halfway' }, '/certificates'],
  ['nothing due', { key: 'intact', received: 'since', ends: 'later', computer: 'ready' }, '/'],
])('the one filled button leads on: %s', async (_what, answers, href) => {
  const screen = await render(Recommended, { answers, policy: guideOnlyPolicy, restart: () => undefined });

  const filled = screen.container.querySelectorAll<HTMLAnchorElement>('.primary');
  expect(Array.from(filled, (link) => link.getAttribute('href'))).toEqual([href]);
});

describe('the invoice slip', () => {
  const written = (screen: Screen): string => screen.container.querySelector('.slip dl')?.textContent ?? '';

  test('carries what is filled in, and is printed under its own name', async () => {
    const titles: string[] = [];
    const printed = vi.spyOn(window, 'print').mockImplementation(() => {
      titles.push(document.title);
      dispatchEvent(new Event('afterprint'));
    });
    const screen = await open(GuideFlow, '/guide/replace?slip=1', { flow: 'replace' });
    await screen.getByLabelText('发票抬头（公司名称）').fill('天津示例商贸有限公司');
    await screen.getByLabelText('纳税人识别号', { exact: true }).fill('91350100M000100Y43');
    await screen.getByLabelText('接收电子发票的邮箱').fill('kuaiji@example.cn');

    await screen.getByRole('button', { name: '打印信息单' }).click();

    expect(titles).toEqual(['USBKEY介质费开票信息单']);
    expect(document.title).not.toBe('USBKEY介质费开票信息单');
    for (const words of ['天津示例商贸有限公司', '91350100M000100Y43', 'kuaiji@example.cn'])
      expect(written(screen)).toContain(words);
    printed.mockRestore();
  });

  test('is not printed with an address that cannot be one, unless the person insists', async () => {
    const printed = vi.spyOn(window, 'print').mockImplementation(() => undefined);
    const screen = await open(GuideFlow, '/guide/replace?slip=1', { flow: 'replace' });
    await screen.getByLabelText('接收电子发票的邮箱').fill('kuaiji');

    await screen.getByRole('button', { name: '打印信息单' }).click();
    await expect.element(screen.getByLabelText('接收电子发票的邮箱')).toHaveFocus();
    expect(printed).not.toHaveBeenCalled();
    await screen.getByRole('button', { name: '仍然打印' }).click();
    expect(printed).toHaveBeenCalledTimes(1);
    printed.mockRestore();
  });

  test('is cleared at a press, and kept nowhere', async () => {
    const screen = await open(GuideFlow, '/guide/replace?slip=1', { flow: 'replace' });
    await screen.getByLabelText('联系电话').fill('13800138000');
    expect(written(screen)).toContain('13800138000');

    await screen.getByRole('button', { name: '清空' }).click();

    expect(written(screen)).not.toContain('13800138000');
    expect(JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), location.href])).not.toContain(
      '13800138000',
    );
  });
});
