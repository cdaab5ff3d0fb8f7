import { beforeEach, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import Place from '../../src/app/components/Place.svelte';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import type { Reading } from '../../src/app/state/usbkey.svelte.ts';
import { indexedDbJournal } from '../../src/renewal/indexeddb-journal.ts';
import type { JournalRecord } from '../../src/renewal/journal.ts';
import type { Container } from '../../src/usbkey/usbkey.ts';

const serialNumber = 'PIV-1';
const transactionId = '2b'.repeat(16);
const [oldName, newName] = [`R${'1a'.repeat(16)}`, `R${transactionId}`];
const [oldDer, newDer] = [Uint8Array.of(1), Uint8Array.of(2)];

const container = (slot: string, name: string, certificate?: Uint8Array): Container => ({
  ref: { application: 'PIV', container: name },
  signing: certificate && { publicKey: certificate, certificate },
  encryption: undefined,
  slot,
});
const reading = (containers: readonly Container[]): Reading => {
  const active = { container: containers.find(({ ref }) => ref.container === newName) };
  const contents = { commandSet: 'piv', canPromote: true, info: { serialNumber }, containers, active };
  return { contents } as unknown as Reading;
};

/** A second renewal: the old pair of this site was in 9A and is on its way to 83, the new one waits in 82. */
const halfWay = reading([container('9A', '9A'), container('82', newName, newDer), container('83', oldName, oldDer)]);
const begun: JournalRecord = {
  ...{ transactionId, purpose: 'renewal', stage: 'done', keySerialNumber: serialNumber },
  oldContainer: { application: 'PIV', container: oldName },
  oldCertificate: oldDer,
  newContainer: { application: 'PIV', container: newName },
  newCertificate: newDer,
  ...{ promotion: 'chosen', promotionSlot: '9A', startedAt: 1, updatedAt: 2 },
};

beforeEach(async () => {
  setLocale('zh-CN');
  await indexedDbJournal.remove(transactionId);
});

test('a move cut half-way is offered again when the old certificate is one of this site’s own', async () => {
  await indexedDbJournal.put(begun);

  const screen = await render(Place, { reading: halfWay });

  await expect.element(screen.getByRole('button', { name: '接着换完' })).toBeVisible();
  await expect.element(screen.getByText('找到的还是原来的证书', { exact: false })).not.toBeInTheDocument();
});

test('a browser that knows nothing of the move does not say that others find the old certificate', async () => {
  const screen = await render(Place, { reading: halfWay });

  await expect.element(screen.getByText('在那里现在找不到可用的证书', { exact: false })).toBeVisible();
});

test('with the old certificate still in its place, others are said to find that one', async () => {
  const screen = await render(Place, {
    reading: reading([container('9A', oldName, oldDer), container('82', newName, newDer)]),
  });

  await expect.element(screen.getByText('找到的还是原来的证书', { exact: false })).toBeVisible();
});
