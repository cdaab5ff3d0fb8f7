import { beforeEach, describe, expect, test, vi } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { setLocale } from '../../../src/app/i18n.svelte.ts';
import Faq from '../../../src/app/pages/Faq.svelte';
import FaqEntry from '../../../src/app/pages/FaqEntry.svelte';
import CentreList from '../../../src/app/pages/guide-parts/CentreList.svelte';
import type { CentreList as List } from '../../../src/app/pages/guide-parts/load-centres.ts';
import Centres from '../../../src/app/pages/Centres.svelte';
import GuideFlow from '../../../src/app/pages/GuideFlow.svelte';
import Guides from '../../../src/app/pages/Guides.svelte';
import Letter from '../../../src/app/pages/Letter.svelte';
import { router, type Page, type Params } from '../../../src/app/router.svelte.ts';
import { allFaq } from '../../../src/guidance/faq/all.ts';
import { filledEntry } from '../../../src/guidance/faq/in-use.ts';
import { blankLetter, letterText } from '../../../src/guidance/letter.ts';
import { ruleHomes } from '../../../src/guidance/rule-homes.ts';
import { flowSlugs } from '../../../src/guidance/rule-ids.ts';

/** Shows a page as the router would. */
function open(Page: Page, address = '/', params: Params = {}): ReturnType<typeof render<Page>> {
  history.replaceState({ entry: 0 }, '', address);
  router.path = location.pathname;
  router.query = new URLSearchParams(location.search);
  router.params = params;
  return render(Page, {});
}

const rulesShown = (): Set<string> =>
  new Set(
    Array.from(document.querySelectorAll<HTMLElement>('[data-rule]'), (one) =>
      (one.dataset['rule'] ?? '').split(' '),
    ).flat(),
  );

beforeEach(() => {
  setLocale('zh-CN');
  router.path = '/';
});

describe('every rule of the guide is shown on its page', () => {
  test.each([
    ['/guide', Guides, {}],
    ...flowSlugs.map((flow) => [`/guide/${flow}`, GuideFlow, { flow }] as const),
    ['/centres', Centres, {}],
    ['/letter', Letter, {}],
  ] as const)('%s', async (address, Page, params) => {
    await open(Page, address, params);

    const shown = rulesShown();
    const living = [...ruleHomes].filter(([, home]) => home === address).map(([id]) => id);
    expect(living.length).toBeGreaterThan(0);
    expect(living.filter((id) => !shown.has(id))).toEqual([]);
  });
});

describe('a flow', () => {
  test('that is only done in person offers no way to submit anything', async () => {
    for (const flow of ['new', 'replace', 'unlock']) {
      const screen = await open(GuideFlow, `/guide/${flow}`, { flow });
      await expect.element(screen.getByText('只能现场办理', { exact: true })).toBeVisible();
      expect(document.querySelector('form, input[type="password"], a[href="/renew"]')).toBeNull();
      await screen.unmount();
    }
  });

  test('says what a replacement costs, once asked', async () => {
    const screen = await open(GuideFlow, '/guide/replace', { flow: 'replace' });
    await screen.getByText('估一下费用').click();

    await screen.getByRole('radio', { name: '丢了' }).click();
    await expect.element(screen.getByRole('status')).toHaveTextContent('预估 26 元');
    await screen.getByRole('radio', { name: '坏了' }).click();
    await expect.element(screen.getByRole('status')).toBeEmptyDOMElement();
    await screen.getByRole('radio', { name: '不是' }).click();
    await screen.getByRole('radio', { name: '完好', exact: true }).click();
    await expect.element(screen.getByRole('status')).toHaveTextContent('免费更换');
    await expect.element(screen.getByRole('status')).toHaveTextContent('网点核验');
  });

  test('that does not exist is told so', async () => {
    const screen = await open(GuideFlow, '/guide/constructor', { flow: 'constructor' });

    await expect.element(screen.getByRole('heading', { level: 1 })).toBeVisible();
    expect(document.querySelectorAll('[data-rule]')).toHaveLength(0);
  });
});

describe('the questions', () => {
  test('are found while typing, and the address keeps what was asked', async () => {
    const screen = await open(Faq, '/faq');

    await screen.getByRole('searchbox').fill('wangjimima');

    await expect.element(screen.getByRole('link', { name: /^忘记 USBKEY 密码怎么办/ })).toBeVisible();
    expect(new URLSearchParams(location.search).get('q')).toBe('wangjimima');
  });

  test('that nobody has asked lead to the hot-line', async () => {
    const screen = await open(Faq, '/faq?q=zzzzqqqq');

    await expect.element(screen.getByText('没有找到“zzzzqqqq”的回答。')).toBeVisible();
    await expect.element(screen.getByRole('link', { name: '400-880-9888' })).toBeVisible();
  });

  test.each(allFaq.map((entry) => [entry.id, filledEntry(entry)] as const))(
    '%s opens in both languages and leads on',
    async (id, entry) => {
      const screen = await open(FaqEntry, `/faq/${id}`, { id });
      await expect.element(screen.getByRole('heading', { level: 1, name: entry.question['zh-CN'] })).toBeVisible();
      expect(document.querySelectorAll('.actions a')).toHaveLength(entry.pages.length);
      expect(Array.from(document.querySelectorAll('.actions a'), (link) => link.textContent.trim())).not.toContain('');

      setLocale('en');
      await expect.element(screen.getByRole('heading', { level: 1, name: entry.question.en })).toBeVisible();
    },
  );
});

describe('the centres', () => {
  const list: List = {
    source: 'operator',
    copyFrom: undefined,
    centres: [
      {
        id: 'a',
        name: '示例一',
        district: '120101',
        address: '示例路 1 号',
        hours: '',
        phone: '022-23456789',
        services: ['renew'],
        sample: false,
      },
      {
        id: 'b',
        name: '示例二',
        district: '120116',
        address: '示例路 2 号',
        hours: '',
        phone: '',
        services: ['unlock'],
        sample: false,
      },
    ],
  };
  const show = (given: List): ReturnType<typeof render<typeof CentreList>> => {
    router.query = new URLSearchParams();
    router.path = '/centres';
    history.replaceState({ entry: 0 }, '', '/centres');
    return render(CentreList, { list: given });
  };

  test('are chosen by district and by service', async () => {
    const screen = await show(list);
    await expect.element(screen.getByRole('article')).toHaveLength(2);

    await screen.getByRole('button', { name: '滨海新区' }).click();
    await expect.element(screen.getByRole('article')).toHaveLength(1);
    await screen.getByRole('combobox').selectOptions('renew');
    await expect.element(screen.getByText('没有符合条件的网点。')).toBeVisible();
    expect(location.search).toBe('?district=120116&service=renew');
  });

  test('can be called, and found on both maps', async () => {
    const screen = await show({ ...list, centres: list.centres.slice(0, 1) });

    await expect.element(screen.getByRole('link', { name: '022-23456789' })).toHaveAttribute('href', 'tel:02223456789');
    await expect.element(screen.getByRole('link', { name: /高德地图/ })).toHaveAttribute('rel', 'noopener noreferrer');
    await expect.element(screen.getByRole('link', { name: /百度地图/ })).toBeVisible();
  });

  test.each([
    ['copied', () => Promise.resolve(), '地址已复制。'],
    ['not copied', () => Promise.reject(new Error('denied')), '没有复制成功，请选中地址后复制。'],
  ])('have an address that is %s, and it is said', async (_what, outcome, words) => {
    const written = vi.spyOn(navigator.clipboard, 'writeText').mockImplementation(outcome);
    const [centre] = list.centres;
    const screen = await show({ ...list, centres: list.centres.slice(0, 1) });

    await screen.getByRole('button', { name: '复制地址' }).click();

    await expect.element(screen.getByText(words)).toBeVisible();
    expect(written).toHaveBeenCalledWith(`${centre?.name ?? ''}，${centre?.address ?? ''}`);
    written.mockRestore();
  });

  test('that are samples say so, each of them', async () => {
    const screen = await show({
      ...list,
      source: 'sample',
      centres: list.centres.map((one) => ({ ...one, sample: true })),
    });

    await expect.element(screen.getByText(/下面是示例，不是真的网点/)).toBeVisible();
    await expect.element(screen.getByText('示例', { exact: true })).toHaveLength(2);
  });

  test('without a published list, the hot-line answers', async () => {
    const screen = await show({ source: 'none', copyFrom: undefined, centres: [] });

    await expect.element(screen.getByRole('link', { name: '拨打 400-880-9888' })).toBeVisible();
  });
});

describe('the letter', () => {
  const sheet = (): string =>
    Array.from(document.querySelectorAll('.sheet p'), (line) =>
      Array.from(line.querySelectorAll('span:not(.seal)'), (part) => part.textContent).join(''),
    ).join('\n');

  test('stands on the sheet as in the appendix, but for the blanks ahead of its lines', async () => {
    await open(Letter, '/letter');

    expect(sheet()).toBe(letterText(blankLetter).replace(/^ +/gm, ''));
  });

  test.each([
    ['replacement', 'USBKEY补办 ☑    USBKEY解锁 □'],
    ['unlock', 'USBKEY补办 □    USBKEY解锁 ☑'],
  ])('asked for %s, has that box ticked', async (business, boxes) => {
    await open(Letter, `/letter?for=${business}`);

    expect(sheet()).toContain(boxes);
  });

  test('is not printed with a number that cannot be right, unless the person insists', async () => {
    const printed = vi.spyOn(window, 'print').mockImplementation(() => void dispatchEvent(new Event('afterprint')));
    const title = document.title;
    const screen = await open(Letter, '/letter');
    await screen.getByLabelText('身份证号').fill('110105194912310021');

    await screen.getByRole('button', { name: '打印授权书' }).click();
    await expect.element(screen.getByLabelText('身份证号')).toHaveFocus();
    await expect.element(screen.getByText('和校验位对不上，请再核对一遍。')).toBeVisible();
    expect(printed).not.toHaveBeenCalled();

    await screen.getByRole('button', { name: '仍然打印' }).click();
    expect(printed).toHaveBeenCalledTimes(1);

    await screen.getByLabelText('身份证号').fill('11010519491231002X');
    await screen.getByRole('button', { name: '打印授权书' }).click();
    expect(printed).toHaveBeenCalledTimes(2);
    expect(document.title).not.toBe('天津税务证书办理业务授权书');
    printed.mockRestore();
    document.title = title;
  });

  test('is cleared at a press, and nothing of it is kept', async () => {
    const screen = await open(Letter, '/letter');
    await screen.getByLabelText('姓名').fill('张三');
    expect(sheet()).toContain('张三');

    await screen.getByRole('button', { name: '清空' }).click();

    await expect.element(screen.getByLabelText('姓名')).toHaveValue('');
    expect(sheet()).toBe(letterText(blankLetter).replace(/^ +/gm, ''));
    expect(JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage), location.href])).not.toContain(
      '张三',
    );
  });
});
