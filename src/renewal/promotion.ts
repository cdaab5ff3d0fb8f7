import { toHex } from '../pki/bytes.ts';
import { KeyError, type ContainerRef, type KeyErrorCode, type Promoted, type UsbKey } from '../usbkey/usbkey.ts';
import {
  afterwards,
  holds,
  holdsNew,
  isThere,
  mustMayWrite,
  newKeySigns,
  type AfterwardsOptions,
  type AfterwardsPorts,
  type Finished,
  type Unready,
} from './finished.ts';
import type { JournalRecord } from './journal.ts';
import type { Stopped } from './outcome.ts';
import { usualSlot } from './usual-slot.ts';

/** Why the new key pair stays where it is. */
export type Stays =
  | Unready
  /** This key cannot move key pairs. */
  | 'unsupported'
  /** The key has no second free container for the old key pair; nothing was moved. */
  | 'noRoom'
  /** The old container is not what was replaced, or what was moved does not read back as it was. */
  | 'changed'
  /** The two pairs are not where they could change places: doing it again changes nothing. */
  | 'impossible';

export type Promotion =
  | { readonly kind: 'promoted' }
  | { readonly kind: 'stays'; readonly because: Stays }
  /** Both key pairs are on the key with their certificates; doing it again goes on, or begins. */
  | Stopped;

const stays = (because: Stays): Promotion => ({ kind: 'stays', because });

/**
 * Puts the new key pair of a finished transaction where other programs look for it, and the old one into another free
 * container, where it stays (on a PIV key with MOVE KEY: old → second spare slot, new → its place). The new certificate is
 * there and valid and its key signs, and the old one is where it was; the choice is journaled before anything moves, and
 * taken back where nothing has moved; afterwards both are read back. Only ever by the person's choice. Never rejects. The
 * user is logged out of the key at the end.
 */
export const promoteNew = (ports: AfterwardsPorts, options: AfterwardsOptions): Promise<Promotion> =>
  afterwards<Promotion>(ports, options, stays, (finished) => promote(ports, finished));

async function promote(ports: AfterwardsPorts, finished: Finished): Promise<Promotion> {
  const { key, journal, now } = ports;
  const { record, login } = finished;
  const { oldContainer, newContainer, oldCertificate } = record;
  const put = (change: Partial<JournalRecord>): Promise<void> =>
    journal.put({ ...record, ...change, updatedAt: now().getTime() });

  if (record.promotion === 'done') return { kind: 'promoted' };
  if (!key.promote) return stays('unsupported');
  const unready = await holdsNew(ports, record);
  if (unready !== undefined) return stays(unready);
  // Cut in the middle, the old one may be on its way already: the key knows which it is.
  const begun = record.promotion === 'chosen';
  if (!begun && !(await holdsAt(ports, oldContainer, oldCertificate))) return stays('changed');
  const promotionSlot = record.promotionSlot ?? usualSlot(await slotOf(key, oldContainer));
  if (!begun && promotionSlot === undefined) return stays('impossible');
  // Half-way other programs find no certificate at all: of a model that is stopped too, the rest is the smaller harm.
  const isHalfWay = begun && !(await isInPlace(ports, record));
  if (!isHalfWay) mustMayWrite(ports);

  await login.logIn(newContainer.application);
  if (!(await newKeySigns(ports, finished))) return stays('newKeyFails');
  const before = await placesOf(key);
  await put({ promotion: 'chosen', ...(promotionSlot && { promotionSlot }) });
  let promoted: Promoted | undefined;
  try {
    promoted = await login.asUser(newContainer.application, async () => key.promote?.(newContainer, oldContainer));
  } catch (error) {
    // Nothing has moved, so there is nothing to come back to. Of a key that cannot be asked, the choice stands.
    const untouched = !begun && (await placesOf(key).catch(() => undefined)) === before;
    if (untouched) await journal.put(record);
    const because = refusals.get(error instanceof KeyError ? error.code : undefined);
    if (because === undefined) throw error;
    return stays(because);
  }
  if (!promoted) return stays('unsupported');
  const { fresh, former } = promoted;
  const isRight =
    (await holdsAt(ports, fresh, record.newCertificate)) && (await holdsAt(ports, former, oldCertificate));
  if (!isRight) return stays('changed');
  await put({ promotion: 'done', newContainer: fresh, oldContainer: former });
  return { kind: 'promoted' };
}

/** The old pair is whole where other programs look. */
async function isInPlace(ports: AfterwardsPorts, { oldContainer, oldCertificate }: JournalRecord): Promise<boolean> {
  const isUsual = usualSlot(await slotOf(ports.key, oldContainer)) !== undefined;
  return isUsual && (await holdsAt(ports, oldContainer, oldCertificate));
}

/** Refusals that say why; after any other, doing it again may end well. */
const refusals: ReadonlyMap<KeyErrorCode | undefined, Stays> = new Map([
  ['noRoom', 'noRoom'],
  ['unsupported', 'unsupported'],
  ['notFound', 'impossible'],
  ['noKeyPair', 'impossible'],
]);

/** Which containers are where, as text to compare: each change of a promotion alters it. */
async function placesOf(key: UsbKey): Promise<string> {
  const places: string[] = [];
  for (const ref of await key.listContainers()) {
    const { slot, signing } = await key.readContainer(ref);
    places.push(`${slot ?? ''} ${ref.container} ${signing ? toHex(signing.publicKey) : ''}`);
  }
  return places.sort().join();
}

async function slotOf(key: UsbKey, ref: ContainerRef): Promise<string | undefined> {
  return (await isThere(key, ref)) ? (await key.readContainer(ref)).slot : undefined;
}

async function holdsAt(
  { key }: AfterwardsPorts,
  ref: ContainerRef,
  certificate: Uint8Array | undefined,
): Promise<boolean> {
  if (!certificate || !(await isThere(key, ref))) return false;
  return holds(await key.readContainer(ref), certificate);
}
