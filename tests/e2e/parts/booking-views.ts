import type { Page } from '@playwright/test';
import type { Appointment, State } from '../../../src/appointments/model.ts';
import { expect } from '../fixtures.ts';
import type { View } from './views.ts';

const hourMs = 3_600_000;
const stamp = (ms: number): string => `${new Date(ms + 8 * hourMs).toISOString().slice(0, 19)}+08:00`;

/** A row as it is kept in the browser, of a visit some hours from now. */
function row(id: string, state: State, hours = 48): Appointment {
  const start = Math.ceil(Date.now() / hourMs + hours) * hourMs;
  return {
    ...{ id, key: id, createdAt: Date.now(), business: 'replace', state },
    place: { id: 'sample-1', name: '示例服务中心一', address: '示例路 1 号', phone: '022-23456789', sample: true },
    slot: { id: stamp(start).slice(0, 16), start: stamp(start), end: stamp(start + hourMs / 2) },
    visitor: { surname: '欧阳', phone: '13800138000' },
  };
}
const delivery = { attempts: 1, unanswered: false, busy: true, sendingSince: undefined };
const waiting = (): State => ({
  ...{ stage: 'waiting', toCancel: false },
  delivery: { ...delivery, notBefore: Date.now() + hourMs },
});
const otherSlots = [20, 21, 22, 44].map((hours) => row('', waiting(), hours).slot);

/** Puts rows where the page keeps them, and shows them. */
const keeping =
  (...rows: readonly (() => Appointment)[]) =>
  async (page: Page): Promise<void> => {
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await page.evaluate(
      (kept) =>
        new Promise<void>((resolve, reject) => {
          const open = indexedDB.open('casupport-user');
          open.onerror = () => reject(new Error('the database does not open'));
          open.onsuccess = () => {
            const transaction = open.result.transaction('appointments', 'readwrite');
            for (const one of kept) transaction.objectStore('appointments').put(one);
            transaction.oncomplete = () => {
              open.result.close();
              resolve();
            };
          };
        }),
      rows.map((make) => make()),
    );
    await page.reload();
    await expect(page.getByRole('main').getByText('USBKEY补办').first()).toBeVisible();
  };

const times = (page: Page) => page.locator('.times').getByRole('link');
const toVisitor = async (page: Page): Promise<void> => {
  await times(page).last().click();
  await expect(page.getByLabel('姓氏')).toBeVisible();
};

/** What a booking has to show, one question after the other, and then how it stands. */
export const bookingViews: readonly View[] = [
  {
    name: 'appointments: where',
    path: '/appointments?service=renew',
    reach: (page: Page) => expect(page.getByRole('link', { name: /示例服务中心一/ })).toBeVisible(),
  },
  {
    name: 'appointments: when',
    path: '/appointments?service=renew&centre=sample-1',
    reach: (page: Page) => expect(times(page).first()).toBeVisible(),
  },
  {
    name: 'appointments: no time',
    path: '/appointments?service=renew&centre=sample-3',
    reach: (page: Page) => expect(page.getByText('这个网点近两周没有可以约的时段。')).toBeVisible(),
  },
  { name: 'appointments: who', path: '/appointments?service=renew&centre=sample-1', reach: toVisitor },
  {
    name: 'appointments: who, nothing filled in',
    path: '/appointments?service=renew&centre=sample-1',
    reach: async (page: Page): Promise<void> => {
      await toVisitor(page);
      await page.getByRole('button', { name: '提交预约' }).click();
      await expect(page.getByText('请填写姓氏。')).toBeVisible();
      await page.evaluate(() => scrollTo(0, 0));
    },
  },
  {
    name: 'appointments: taken down',
    path: '/appointments?service=unlock&centre=sample-1',
    reach: async (page: Page): Promise<void> => {
      await toVisitor(page);
      await page.getByLabel('姓氏').fill('欧阳');
      await page.getByLabel('手机号码').fill('13800138000');
      await page.getByRole('button', { name: '提交预约' }).click();
      await expect(page.getByText(/^已登记，预约号/)).toBeVisible();
    },
  },
  { name: 'appointments: waiting', path: '/appointments?id=a', reach: keeping(() => row('a', waiting())) },
  {
    name: 'appointments: conflict',
    path: '/appointments?id=a',
    reach: keeping(() => row('a', { stage: 'conflict', otherSlots })),
  },
  {
    name: 'appointments: refused',
    path: '/appointments?id=a',
    reach: keeping(() => row('a', { stage: 'refused', because: 'request' })),
  },
  {
    name: 'appointments: mine',
    path: '/appointments',
    reach: keeping(
      () => row('a', waiting()),
      () => row('b', { stage: 'conflict', otherSlots: [] }, 24),
      () => row('c', { stage: 'cancelled', by: 'centre' }, 72),
      () => row('d', waiting(), -48),
    ),
  },
];
