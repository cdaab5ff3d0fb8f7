import { createServer } from 'node:http';
import path from 'node:path';
import type { Locator, Page } from '@playwright/test';
import type { Centre } from '../../../src/guidance/centres/centre.ts';
import { listen } from '../../demo/listen.ts';
import { staticFiles } from '../../demo/static-files.ts';
import { operatorApi } from '../../operator-api/api.ts';
import { ApiProblem } from '../../operator-api/problem.ts';
import { answerWith, requestUrl, sendJson, type RequestHandler } from '../../reference-ca/http.ts';
import { expect } from '../fixtures.ts';

const dist = path.resolve(import.meta.dirname, '../../../dist');
const counterToken = 'counter';

/** What becomes of a request that books or cancels, in the order in which they come; then all is well. */
type Fate =
  /** Taken, but the answer is never heard. */
  | 'answerLost'
  /** 503 with Retry-After: 1. */
  | 'busy'
  | 'refused'
  /** Waits for `release` before anything is done. */
  | 'held';

interface Sent {
  readonly method: string;
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A site of its own, with an operator that goes wrong on demand. */
export interface Bookings {
  readonly url: string;
  readonly fates: Fate[];
  /** Everything that asked to book or to cancel. */
  readonly sent: readonly Sent[];
  readonly release: () => void;
  /** As the counter sees it: the day of a slot, cancelled ones included. */
  readonly atCounter: (day: string) => Promise<readonly Record<string, unknown>[]>;
  /** Somebody else books. */
  readonly rival: (slot: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

const centre = (id: string, name: string, services: Centre['services']): Centre => ({
  ...{ id, name, district: '120103', address: '某某路 1 号', phone: '022-23456789', services, sample: false },
  hours: '每天 8:00–20:00',
});
export const centres: readonly Centre[] = [
  centre('hexi', '河西服务中心', ['upgrade', 'new', 'renew', 'replace', 'unlock']),
  centre('nankai', '南开服务中心', ['renew', 'unlock']),
];

export async function openBookings({ open = true, api = true, capacity = 5 } = {}): Promise<Bookings> {
  const fates: Fate[] = [];
  const sent: Sent[] = [];
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));

  const config: RequestHandler = (request, response) => {
    if (requestUrl(request).pathname !== '/config.json') return Promise.resolve(false);
    sendJson(response, {
      ...{ version: 1, ca: null, api: '/api', anchors: [], intermediates: [], oldIssuers: [], appointments: open },
      holder: { taxpayerNumber: [] },
    });
    return Promise.resolve(true);
  };
  const trouble: RequestHandler = async (request, response) => {
    const { method = '' } = request;
    if (!requestUrl(request).pathname.startsWith('/api/appointments') || !['POST', 'DELETE'].includes(method))
      return false;
    sent.push({ method, key: String(request.headers['idempotency-key'] ?? ''), at: Date.now() });
    const fate = fates.shift();
    if (fate === 'busy')
      throw new ApiProblem(503, 'unavailable', 'Busy.', { retryAfterSeconds: 1 }, { 'Retry-After': '1' });
    if (fate === 'refused')
      throw new ApiProblem(422, 'idempotency-key-reused', 'Another booking.', { conflict: 'idempotencyKey' });
    if (fate === 'held') await released;
    if (fate === 'answerLost')
      Object.assign(response, {
        writeHead: () => response,
        end: () => {
          request.socket.destroy();
          return response;
        },
      });
    return false;
  };
  const operator = operatorApi({
    centres: () => centres,
    ...(api && { appointments: { centres: () => centres, counterToken, capacity } }),
  });
  const make = () => createServer(answerWith(config, trouble, operator, staticFiles(dist)));
  const server = await listen(make, { port: 0, strictPort: true, host: '127.0.0.1' });
  const { url } = server;
  return {
    ...{ url, fates, sent, release, close: () => server.close() },
    atCounter: async (day) => {
      const address = new URL(`/api/appointments?centre=hexi&date=${day}`, url);
      const answer = await fetch(address, { headers: { Authorization: `Bearer ${counterToken}` } });
      return ((await answer.json()) as { appointments: Record<string, unknown>[] }).appointments;
    },
    rival: async (slot) => {
      const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() };
      const body = { business: 'renew', centre: 'hexi', slot, surname: '李', phone: '13900139000' };
      const address = new URL('/api/appointments', url);
      return (await fetch(address, { method: 'POST', headers, body: JSON.stringify(body) })).status;
    },
  };
}

const title = (page: Page, name: string) => page.getByRole('heading', { level: 1, name });
export const slots = (page: Page): Locator => page.getByRole('group', { name: /的时段/ }).getByRole('link');

/** Answers the first three questions. @returns the slot, as its address has it */
export async function chooseSlot(page: Page, business = '证书更新', centreName = '河西服务中心'): Promise<string> {
  await expect(title(page, '要办哪一项业务？')).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: business }).click();
  await expect(title(page, '去哪个网点？')).toBeVisible();
  await page.getByRole('link', { name: centreName }).click();
  await expect(title(page, '什么时间去？')).toBeVisible();
  // Tomorrow's first: today may be over any minute.
  await page.getByRole('group', { name: '哪一天' }).getByRole('button').nth(1).click();
  const slot = slots(page).first();
  const chosen = new URL((await slot.getAttribute('href')) ?? '', 'http://localhost').searchParams.get('slot') ?? '';
  await slot.click();
  await expect(title(page, '怎么联系您？')).toBeVisible();
  return chosen;
}

/** Answers the last one and sends. */
export async function sendVisitor(page: Page, button: string | RegExp = /提交预约|联网后送出/): Promise<void> {
  await page.getByLabel('姓氏').fill('张');
  await page.getByLabel('手机号码').fill('138 0013 8000');
  await page.getByRole('button', { name: button }).click();
}

/** All questions of a booking from its first. @returns the slot's name */
export async function book(page: Page, business?: string): Promise<string> {
  const slot = await chooseSlot(page, business);
  await sendVisitor(page);
  return slot;
}
