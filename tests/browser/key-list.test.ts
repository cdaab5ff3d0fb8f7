import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import KeyList from '../../src/app/components/KeyList.svelte';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { byExpiry, keyListCalendar, listStatus, listStatuses, maskName } from '../../src/app/key-list.ts';
import { keyOffer } from '../../src/app/key-offer.ts';
import { keyListWords } from '../../src/app/messages/key-list.ts';
import { keyState } from '../../src/app/messages/key-state.ts';
import type { ReminderWords } from '../../src/guidance/ics.ts';
import type { Recommendation } from '../../src/renewal/recommend.ts';
import { clearKeyList, listedKeys, putListedKey, type ListedKey } from '../../src/storage/key-list.ts';

const beijing = (text: string): Date => new Date(`${text}+08:00`);
const key = (id: string, end: string, change: Partial<ListedKey> = {}): ListedKey => ({
  ...{
    id,
    tail: '1A2B',
    holder: '某某科***',
    notAfter: beijing(end).getTime(),
    readAt: 0,
    windowDays: 60,
    status: 'none',
  },
  ...change,
});

beforeEach(async () => {
  setLocale('zh-CN');
  await clearKeyList();
});

describe('a masked name', () => {
  test.each([
    ['某某科技有限公司', '某某科***'],
    ['天津市某某科技有限公司', '某某科***'],
    ['天津某某商贸有限公司', '某某商***'],
    ['张三', '张***'],
    ['张', '***'],
    ['', '***'],
    ['天津', '天***'],
  ])('%s becomes %s', (name, masked) => {
    expect(maskName(name)).toBe(masked);
  });

  test('shows at most three characters and at most half of them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-composite' }), (name) => {
        const shown = Array.from(maskName(name)).length - 3;
        expect(shown).toBeLessThanOrEqual(3);
        expect(shown * 2).toBeLessThanOrEqual(Array.from(name).length);
      }),
    );
  });
});

test('the list is ordered by the end of the certificates, both ways, and keeps every key', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(fc.uuid(), fc.nat()), { selector: ([id]) => id }), (given) => {
      const keys = given.map(([id, notAfter]) => ({ ...key(id, '2025-01-01T00:00:00'), notAfter }));
      const ends = byExpiry(keys).map(({ notAfter }) => notAfter);

      expect(ends).toEqual(keys.map(({ notAfter }) => notAfter).sort((a, b) => a - b));
      expect(byExpiry(keys, true)).toEqual(byExpiry(keys).reverse());
    }),
  );
});

test('one calendar names every key, and leaves out days of renewing that have passed', () => {
  const keys = [key('b', '2025-03-20T23:59:59', { holder: '乙***' }), key('a', '2025-12-31T23:59:59')];
  const words = ({ holder }: ListedKey): ReminderWords => ({
    renewable: { summary: `renewable ${holder}`, description: '' },
    lastDay: { summary: `last ${holder}`, description: '' },
  });

  const lines = keyListCalendar(keys, words, beijing('2025-03-01T12:00:00')).split('\r\n');

  expect(lines.filter((line) => line === 'BEGIN:VCALENDAR')).toHaveLength(1);
  expect(lines.filter((line) => /^(UID|DTSTART)/.test(line))).toEqual([
    'UID:b-last-day@casupport.cn',
    'DTSTART;VALUE=DATE:20250320',
    'UID:a-renewable@casupport.cn',
    'DTSTART;VALUE=DATE:20251101',
    'UID:a-last-day@casupport.cn',
    'DTSTART;VALUE=DATE:20251231',
  ]);
  expect(lines.filter((line) => line.startsWith('SUMMARY'))).toEqual([
    'SUMMARY:last 乙***',
    'SUMMARY:renewable 某某科***',
    'SUMMARY:last 某某科***',
  ]);
});

test('every status has its words in both languages, and one of another version claims nothing', () => {
  for (const words of Object.values(keyListWords))
    expect(listStatuses.map((status) => words.status[status]).every((text) => text.length > 0)).toBe(true);
  expect(listStatus('renewal')).toBe('renewal');
  expect(listStatus('something else')).toBe('none');
});

test.each<[Recommendation['action'], string, string]>([
  ['onlineRenewal', '/renew', '更新证书'],
  ['onlineUpgrade', '/renew', '升级证书'],
  ['resume', '/renew', '继续办理'],
  ['centreUnlock', '/guide/unlock', '看要带什么'],
  ['none', '/certificates', '查看证书'],
  ['callHotline', '/certificates', '查看证书'],
])('%s is offered at %s', (action, href, words) => {
  const recommendation = { action, flow: 'unlock' } as Recommendation;

  expect(keyOffer(recommendation, keyState['zh-CN'])).toEqual({ href, words });
});

describe('the list on the page', () => {
  test('is not there for somebody who has none', async () => {
    await render(KeyList, { reading: undefined });

    expect(document.querySelector('.key-list')).toBeNull();
  });

  test('shows the next to expire first, and removes one at a time', async () => {
    await putListedKey(key('a', '2030-12-31T23:59:59', { holder: '甲***' }));
    await putListedKey(key('b', '2020-03-20T23:59:59', { holder: '乙***', status: 'renewal' }));
    const screen = await render(KeyList, { reading: undefined });
    await expect.element(screen.getByText('2020年3月20日 已过期')).toBeVisible();
    expect([...document.querySelectorAll('.key-list li strong')].map((name) => name.textContent)).toEqual([
      '乙***',
      '甲***',
    ]);

    await screen.getByRole('button', { name: '移除 乙***，尾号 1A2B' }).click();

    await expect.element(screen.getByText('已移除。')).toBeVisible();
    expect((await listedKeys()).map(({ id }) => id)).toEqual(['a']);
  });

  test('asks once more before it removes all', async () => {
    await putListedKey(key('a', '2030-12-31T23:59:59'));
    const screen = await render(KeyList, { reading: undefined });

    await screen.getByRole('button', { name: '全部移除' }).click();
    expect(await listedKeys()).toHaveLength(1);
    await screen.getByRole('button', { name: '确定全部移除' }).click();

    await expect.poll(listedKeys).toEqual([]);
  });
});
