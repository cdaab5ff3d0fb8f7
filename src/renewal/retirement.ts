import { readSpki } from '../pki/algorithms.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { signatureOidFor, verifySignature } from '../pki/signature.ts';
import type { Container, ContainerRef, UsbKey } from '../usbkey/usbkey.ts';
import type { Journal, JournalRecord } from './journal.ts';
import { sameContainer } from './key-contents.ts';
import { Login, type AskPassword } from './login.ts';
import { explain, type Stopped } from './outcome.ts';

/** Why the old container stays. */
export type Kept =
  /** The authority has not acknowledged the new certificate, or this browser does not know of it. */
  | 'notFinished'
  /** Another key is plugged in. */
  | 'otherKey'
  /** It holds an encryption key pair: what was encrypted for it could never be read again. */
  | 'holdsEncryptionKey'
  /** It is not what was replaced, or it is not there. */
  | 'changed'
  /** The new certificate is not on the key, or not valid now. */
  | 'newNotUsable'
  /** The new key's signature does not verify. */
  | 'newKeyFails';

export type Retirement =
  | { readonly kind: 'retired' }
  | { readonly kind: 'kept'; readonly because: Kept }
  /** Nothing is lost by doing it again. */
  | Stopped;

export interface RetireOptions {
  readonly transactionId: string;
  readonly askPassword: AskPassword;
}

interface RetirePorts {
  readonly key: UsbKey;
  readonly journal: Journal;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
}

/**
 * Deletes the old container of a finished transaction (GM/T 0017 has no command that deletes a certificate alone, and
 * DeleteContainer takes the keys with it). Everything that makes this safe is looked at on the key, now: the new
 * certificate is there and valid, the new key signs, and the old container holds no encryption key pair. The choice is
 * journaled before the deletion, so that a cut in between is known for what it is. Only ever by the person's choice.
 * Never rejects. The user is logged out of the key at the end.
 */
export async function retireOld(ports: RetirePorts, options: RetireOptions): Promise<Retirement> {
  try {
    const record = await ports.journal.get(options.transactionId);
    if (record?.stage !== 'done') return kept('notFinished');
    return await retire(ports, record, new Login(ports.key, options.askPassword));
  } catch (error) {
    const { transactionId } = options;
    return { kind: 'stopped', ...explain(error), step: 'finish', resumable: false, transactionId };
  } finally {
    await ports.key.logOut().catch(() => undefined);
  }
}

const kept = (because: Kept): Retirement => ({ kind: 'kept', because });

async function retire(ports: RetirePorts, record: JournalRecord, login: Login): Promise<Retirement> {
  const { key, journal, now } = ports;
  const { oldContainer, newContainer, oldCertificate } = record;
  if ((await key.readInfo()).serialNumber !== record.keySerialNumber) return kept('otherKey');
  const put = (retirement: 'chosen' | 'done'): Promise<void> =>
    journal.put({ ...record, retirement, updatedAt: now().getTime() });

  const fresh = await holdsNew(ports, record);
  if (fresh !== undefined) return kept(fresh);
  if (!(await isThere(key, oldContainer))) {
    if (record.retirement === undefined) return kept('changed');
    // An earlier run was cut after the deletion and before it could say so.
    await put('done');
    return { kind: 'retired' };
  }
  const old = await key.readContainer(oldContainer);
  if (old.encryption) return kept('holdsEncryptionKey');
  if (!holds(old, oldCertificate) || sameContainer(oldContainer, newContainer)) return kept('changed');

  await login.logIn(oldContainer.application);
  if (!(await newKeySigns(ports, record, login))) return kept('newKeyFails');
  await put('chosen');
  await login.asUser(oldContainer.application, () => key.deleteContainer(oldContainer));
  if (await isThere(key, oldContainer)) return kept('changed');
  await put('done');
  return { kind: 'retired' };
}

const holds = ({ signing }: Container, certificate: Uint8Array): boolean =>
  signing?.certificate !== undefined && bytesEqual(signing.certificate, certificate);

async function isThere(key: UsbKey, ref: ContainerRef): Promise<boolean> {
  return (await key.listContainers()).some((listed) => sameContainer(listed, ref));
}

async function holdsNew({ key, now }: RetirePorts, record: JournalRecord): Promise<Kept | undefined> {
  const { newContainer, newCertificate, newPublicKey } = record;
  if (!newCertificate || !newPublicKey) return 'notFinished';
  const { notBefore, notAfter } = parseCertificate(newCertificate);
  if (notBefore > now() || notAfter < now() || !(await isThere(key, newContainer))) return 'newNotUsable';
  const container = await key.readContainer(newContainer);
  const isPair = container.signing !== undefined && bytesEqual(container.signing.publicKey, newPublicKey);
  return isPair && holds(container, newCertificate) ? undefined : 'newNotUsable';
}

async function newKeySigns({ key, randomBytes }: RetirePorts, record: JournalRecord, login: Login): Promise<boolean> {
  const { newContainer, newPublicKey: spki } = record;
  if (!spki) return false;
  const message = randomBytes(32);
  const signature = await login.asUser(newContainer.application, () => key.sign(newContainer, message));
  return verifySignature({ spki, algorithm: signatureOidFor(readSpki(spki).algorithm), message, signature });
}
