import type { Container, UsbKey } from '../usbkey/usbkey.ts';
import { transactionIdOf } from './container-name.ts';
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
import { sameContainer } from './key-contents.ts';
import type { Stopped } from './outcome.ts';
import { usualSlot } from './usual-slot.ts';

/** Why the old container stays. */
export type Kept =
  | Unready
  /** It holds an encryption key pair: what was encrypted for it could never be read again. */
  | 'holdsEncryptionKey'
  /** It is not what was replaced, or it is not there. */
  | 'changed'
  /** A slot that this site has not filled: what is in it may serve something this site knows nothing of. */
  | 'notOurs'
  /** Other programs would find nothing: the new pair is not where they look, and then cannot come there any more. */
  | 'notPromoted';

export type Retirement =
  | { readonly kind: 'retired' }
  | { readonly kind: 'kept'; readonly because: Kept }
  /** Nothing is lost by doing it again. */
  | Stopped;

/** Why an old container cannot be given up at all, or not before the new one has its place; undefined: it can. */
export function whyKept(
  commandSet: UsbKey['commandSet'],
  old: Container,
  fresh: Pick<Container, 'slot'> | undefined,
): Kept | undefined {
  if (old.encryption) return 'holdsEncryptionKey';
  if (commandSet !== 'piv') return undefined;
  if (transactionIdOf(old.ref.container) === undefined) return 'notOurs';
  return usualSlot(old.slot) !== undefined && usualSlot(fresh?.slot) === undefined ? 'notPromoted' : undefined;
}

/**
 * Deletes the old container of a finished transaction (GM/T 0017 has no command that deletes a certificate alone, and
 * DeleteContainer takes the keys with it). Everything that makes this safe is looked at on the key, now: the new
 * certificate is there and valid, the new key signs, and the old container holds no encryption key pair. The choice is
 * journaled before the deletion, so that a cut in between is known for what it is. Only ever by the person's choice.
 * Never rejects. The user is logged out of the key at the end.
 */
export const retireOld = (ports: AfterwardsPorts, options: AfterwardsOptions): Promise<Retirement> =>
  afterwards<Retirement>(ports, options, kept, (finished) => retire(ports, finished));

const kept = (because: Kept): Retirement => ({ kind: 'kept', because });

async function retire(ports: AfterwardsPorts, finished: Finished): Promise<Retirement> {
  const { key, journal, now } = ports;
  const { record, login } = finished;
  const { oldContainer, newContainer, oldCertificate } = record;
  const put = (retirement: 'chosen' | 'done'): Promise<void> =>
    journal.put({ ...record, retirement, updatedAt: now().getTime() });

  const unready = await holdsNew(ports, record);
  if (unready !== undefined) return kept(unready);
  if (!(await isThere(key, oldContainer))) {
    if (record.retirement === undefined) return kept('changed');
    // An earlier run was cut after the deletion and before it could say so.
    await put('done');
    return { kind: 'retired' };
  }
  const old = await key.readContainer(oldContainer);
  const because = whyKept(key.commandSet, old, await key.readContainer(newContainer));
  if (because !== undefined) return kept(because);
  // Half-way the old pair is what the rest of the move goes by.
  if (record.promotion === 'chosen') return kept('notPromoted');
  if (!holds(old, oldCertificate) || sameContainer(oldContainer, newContainer)) return kept('changed');

  mustMayWrite(ports);
  await login.logIn(oldContainer.application);
  if (!(await newKeySigns(ports, finished))) return kept('newKeyFails');
  await put('chosen');
  await login.asUser(oldContainer.application, () => key.deleteContainer(oldContainer));
  if (await isThere(key, oldContainer)) return kept('changed');
  await put('done');
  return { kind: 'retired' };
}
