import type { AddressInfo } from 'node:net';
import type { Page } from '@playwright/test';
import { acceptance } from '../../src/app/messages/acceptance.ts';
import { renew } from '../../src/app/messages/renew.ts';
import { fromHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { demoDirectory } from '../demo/options.ts';
import { createDemoServer } from '../demo/server.ts';
import { staticFiles } from '../demo/static-files.ts';
import { hostileCertificates } from '../hostile/certificates.ts';
import { hostileEncryptionCertificates } from '../hostile/encryption-certificates.ts';
import { hostileMessages, type MessageKit } from '../hostile/messages.ts';
import { changedEnrolment } from '../hostile/rig.ts';
import { openReferenceCa, type ReferenceCa } from '../reference-ca/reference-ca.ts';
import { containersOf, expect, keyState, seen, test, typePassword } from './fixtures.ts';

/*
 * The site before an authority that can be told to turn against its holders: a few of what `tests/unit/hostile` puts
 * through the procedure, here through the page.
 */

// One authority for all of them: its keys take a while to make.
test.describe.configure({ mode: 'default' });

let ca: ReferenceCa;
let origin: string;
let close: () => Promise<void>;
test.beforeAll(async () => {
  ca = await openReferenceCa({ policy: { encryptionCertificate: 'ifOldHas' } });
  const server = createDemoServer(ca, staticFiles(demoDirectory), { demo: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  close = async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await ca.close();
  };
});
test.afterAll(() => close());

const stopped = renew['zh-CN'].stopped;
const card = (page: Page): ReturnType<Page['getByRole']> => page.getByRole('main');

/** A key whose certificate is due lies on the desk, and the page asks for its password. */
async function upToPassword(page: Page): Promise<void> {
  await page.goto(`${origin}/certificates`);
  await expect(seen(page, '证书还有 30 天到期，现在就可以更新。')).toBeVisible();
  await card(page).getByRole('link', { name: '更新证书' }).click();
  await expect(page.locator('input[type=password]')).toBeVisible();
}

/** Another key takes the place of the one on the desk. */
async function anotherKey(page: Page): Promise<void> {
  await page.evaluate(() => window.virtualKey.reset('due-30-days', 'longmai-hid'));
}

const chosen = [
  'for a key pair that is not on the USBKEY',
  'with somebody else’s name',
  'with another taxpayer number',
  'signed with SHA-1',
  'that is the old one',
  'that has not begun',
  'that may not sign',
  'that makes the holder an authority',
  'of an authority that is not pinned',
  'of an authority that is to be left behind',
  'whose signature algorithm has parameters',
  'that is none',
];
const perPage = 6;

for (let first = 0; first < chosen.length; first += perPage) {
  const names = chosen.slice(first, first + perPage);
  test(`a certificate ${names.join(', or ')} is not written, and the page says why`, async ({ page, desk }) => {
    await desk({ scenario: 'due-30-days' });
    for (const name of names) {
      const hostile = hostileCertificates.find((one) => one.name === name);
      if (!hostile) throw new RangeError(`no certificate ${name}`);
      await upToPassword(page);
      const [before] = containersOf(await keyState(page));
      const oldCertificate = parseCertificate(fromHex(before?.signing?.certificate ?? ''));
      ca.faults.certify((perfect) =>
        hostile.make(perfect, { hierarchy: ca.hierarchy, oldCertificate, now: new Date() }),
      );

      await typePassword(page);

      await expect(card(page).getByText(stopped.notAcceptable.happened)).toBeVisible();
      for (const failure of hostile.stoppedBy)
        await expect(card(page).getByText(acceptance['zh-CN'].failures[failure])).toBeVisible();
      await expect(card(page).getByText('原来的证书仍在。')).toBeVisible();
      await expect(card(page).getByText(/请致电热线，报故障码/)).toBeVisible();
      await expect(
        card(page)
          .getByRole('link', { name: /致电热线/ })
          .first(),
      ).toBeVisible();
      const [old, begun, ...others] = containersOf(await keyState(page));
      expect(old).toEqual(before);
      expect(begun?.signing?.publicKey).toBeTruthy();
      expect([begun?.signing?.certificate, begun?.encryption]).toEqual([undefined, undefined]);
      expect(others).toEqual([]);
      expect(ca.ledger.transaction(begun?.name.slice(1) ?? '')?.status).toBe('withdrawn');
      await anotherKey(page);
    }
  });
}

const chosenForEncryption = ['that may sign too', 'for another key pair than the envelope’s'];

test(`an encryption certificate ${chosenForEncryption.join(', or ')} is not written, nothing is confirmed, and the work goes on once there is a right one`, async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  for (const name of chosenForEncryption) {
    const hostile = hostileEncryptionCertificates.find((one) => one.name === name);
    if (!hostile) throw new RangeError(`no certificate ${name}`);
    await upToPassword(page);
    const [before] = containersOf(await keyState(page));
    const oldCertificate = parseCertificate(fromHex(before?.signing?.certificate ?? ''));
    const { hierarchy } = ca;
    let signingCertificate = oldCertificate;
    ca.faults.certify(
      (perfect) => {
        signingCertificate = parseCertificate(perfect);
        return Promise.resolve(perfect);
      },
      (perfect) => hostile.make(perfect, { hierarchy, oldCertificate, signingCertificate, now: new Date() }),
    );

    await typePassword(page);

    for (const failure of hostile.overCmp ?? hostile.stoppedBy)
      await expect(card(page).getByText(acceptance['zh-CN'].failures[failure])).toBeVisible();
    await expect(card(page).getByText(/^原来的证书仍在/)).toBeVisible();
    const [old, begun] = containersOf(await keyState(page));
    expect(old).toEqual(before);
    expect(begun?.encryption).toBeUndefined();
    const transactionId = begun?.name.slice(1) ?? '';
    expect(ca.ledger.transaction(transactionId)?.status).toBe('issued');
    expect(ca.ledger.encryptionTransactions(transactionId).map(({ status }) => status)).toEqual(['withdrawn']);

    await page.goto(`${origin}/certificates`);
    await card(page).getByRole('link', { name: '继续办理' }).click();
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
    expect(ca.ledger.transaction(transactionId)?.status).toBe('confirmed');
    expect(containersOf(await keyState(page))[1]?.encryption?.certificate).toBeTruthy();
    await anotherKey(page);
  }
});

/** Everything the authority says to the page is changed from now on. */
async function changeAnswers(page: Page, { make }: (typeof hostileMessages)[number], kit: MessageKit): Promise<void> {
  await page.route('**/ca/cmp', async (route) => {
    const response = await route.fetch();
    const answer = await make(new Uint8Array(await response.body()), kit);
    await route.fulfill({ response, body: Buffer.from(answer) });
  });
  await page.route('**/api/enrolments/**', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: await changedEnrolment(await response.json(), { make }, kit) });
  });
}

const chosenMessages = [
  'about another transaction',
  'that issues without protection',
  'that is an error without protection',
  'protected by another holder',
  'that was given to somebody else before',
];

test(`an answer ${chosenMessages.join(', or ')} is not believed, and the work goes on once the line is honest`, async ({
  page,
  desk,
}) => {
  await desk({ scenario: 'due-30-days' });
  let earlier = new Uint8Array();
  for (const name of chosenMessages) {
    const message = hostileMessages.find((one) => one.name === name);
    if (!message) throw new RangeError(`no answer ${name}`);
    await upToPassword(page);
    const [before] = containersOf(await keyState(page));
    await changeAnswers(page, message, { hierarchy: ca.hierarchy, earlier });

    await typePassword(page);

    await expect(card(page).getByText(stopped.caUntrusted.happened)).toBeVisible();
    await expect(card(page).getByText('原来的证书仍在。')).toBeVisible();
    await expect(card(page).getByText(/请换一个网络再试；还是这样，请致电热线，报故障码/)).toBeVisible();
    const [old, begun, ...others] = containersOf(await keyState(page));
    expect(old).toEqual(before);
    expect([begun?.signing?.certificate, begun?.encryption]).toEqual([undefined, undefined]);
    expect(others).toEqual([]);
    const transactionId = begun?.name.slice(1) ?? '';
    expect(ca.ledger.transaction(transactionId)?.status).toBe('issued');

    await page.unroute('**/ca/cmp');
    await page.unroute('**/api/enrolments/**');
    await card(page).getByRole('button', { name: '再试一次' }).click();
    await typePassword(page);
    await expect(seen(page, /证书已更新，新的有效期到/)).toBeVisible();
    expect(ca.ledger.transaction(transactionId)?.status).toBe('confirmed');
    expect(containersOf(await keyState(page))[0]).toEqual(before);
    earlier = new Uint8Array(ca.ledger.transaction(transactionId)?.answer ?? []);
    await anotherKey(page);
  }
});
