import type { ContainerRef, UsbKey } from '../usbkey/usbkey.ts';
import { transactionIdOf } from './container-name.ts';
import {
  afterwards,
  holds,
  holdsNew,
  isThere,
  newKeySigns,
  type AfterwardsOptions,
  type AfterwardsPorts,
  type Finished,
  type Unready,
} from './finished.ts';
import { sameContainer } from './key-contents.ts';
import type { Stopped } from './outcome.ts';

/** Why the old container stays. */
export type Kept =
  | Unready
  /** It holds an encryption key pair: what was encrypted for it could never be read again. */
  | 'holdsEncryptionKey'
  /** It is not what was replaced, or it is not there. */
  | 'changed'
  /** A slot that this site has not filled: what is in it may serve something this site knows nothing of. */
  | 'notOurs';

export type Retirement =
  | { readonly kind: 'retired' }
  | { readonly kind: 'kept'; readonly because: Kept }
  /** Nothing is lost by doing it again. */
  | Stopped;

/** Whether an old container is one that can be given up at all. */
export const mayRetire = (commandSet: UsbKey['commandSet'], { container }: ContainerRef): boolean =>
  commandSet === 'gmt0017' || transactionIdOf(container) !== undefined;

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
  if (old.encryption) return kept('holdsEncryptionKey');
  if (!mayRetire(key.commandSet, oldContainer)) return kept('notOurs');
  if (!holds(old, oldCertificate) || sameContainer(oldContainer, newContainer)) return kept('changed');

  await login.logIn(oldContainer.application);
  if (!(await newKeySigns(ports, finished))) return kept('newKeyFails');
  await put('chosen');
  await login.asUser(oldContainer.application, () => key.deleteContainer(oldContainer));
  if (await isThere(key, oldContainer)) return kept('changed');
  await put('done');
  return { kind: 'retired' };
}
