import type { Enrolment } from '../device/models.ts';
import { readSpki } from '../pki/algorithms.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { signatureOidFor, verifySignature } from '../pki/signature.ts';
import type { Container, ContainerRef, UsbKey } from '../usbkey/usbkey.ts';
import type { Journal, JournalRecord } from './journal.ts';
import { sameContainer } from './key-contents.ts';
import { Login, type AskPassword } from './login.ts';
import { explain, Stop, type Stopped } from './outcome.ts';

/** What is done to a key after its renewal, by the person's choice, needs this of the world. */
export interface AfterwardsPorts {
  readonly key: UsbKey;
  readonly journal: Journal;
  /** What may be done with this key (`enrolmentMode`), asked a moment ago: unless `on`, nothing new is begun on it. */
  readonly enrolment: Enrolment;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
}

export interface AfterwardsOptions {
  readonly transactionId: string;
  readonly askPassword: AskPassword;
}

/** Why nothing is done. */
export type Unready =
  /** The authority has not acknowledged the new certificate, or this browser does not know of it. */
  | 'notFinished'
  /** Another key is plugged in. */
  | 'otherKey'
  /** The new certificate is not on the key, or not valid now. */
  | 'newNotUsable'
  /** The new key's signature does not verify. */
  | 'newKeyFails';

/** A finished transaction with the key it was about. */
export interface Finished {
  readonly record: JournalRecord;
  readonly login: Login;
}

/**
 * Does something to the key of a finished transaction. Never rejects. The user is logged out of the key at the end.
 * @param work gets the record of the transaction, with its key plugged in
 */
export async function afterwards<T>(
  { key, journal }: AfterwardsPorts,
  { transactionId, askPassword }: AfterwardsOptions,
  unready: (because: 'notFinished' | 'otherKey') => T,
  work: (finished: Finished) => Promise<T>,
): Promise<T | Stopped> {
  try {
    const record = await journal.get(transactionId);
    if (record?.stage !== 'done') return unready('notFinished');
    if ((await key.readInfo()).serialNumber !== record.keySerialNumber) return unready('otherKey');
    return await work({ record, login: new Login(key, askPassword) });
  } catch (error) {
    return { kind: 'stopped', ...explain(error), step: 'finish', resumable: false, transactionId };
  } finally {
    await key.logOut().catch(() => undefined);
  }
}

/** A model that is stopped gets nothing written. @throws Stop */
export function mustMayWrite({ enrolment }: AfterwardsPorts): void {
  if (enrolment !== 'on') throw new Stop({ reason: 'modelStopped' });
}

/** Whether a container's certificate is this one. @param certificate DER */
export const holds = ({ signing }: Container, certificate: Uint8Array): boolean =>
  signing?.certificate !== undefined && bytesEqual(signing.certificate, certificate);

export async function isThere(key: UsbKey, ref: ContainerRef): Promise<boolean> {
  return (await key.listContainers()).some((listed) => sameContainer(listed, ref));
}

/** Looks on the key, now: the new certificate is there with its key pair, and valid. */
export async function holdsNew(
  { key, now }: AfterwardsPorts,
  { newContainer, newCertificate, newPublicKey }: JournalRecord,
): Promise<Unready | undefined> {
  if (!newCertificate || !newPublicKey) return 'notFinished';
  const { notBefore, notAfter } = parseCertificate(newCertificate);
  if (notBefore > now() || notAfter < now() || !(await isThere(key, newContainer))) return 'newNotUsable';
  const container = await key.readContainer(newContainer);
  const isPair = container.signing !== undefined && bytesEqual(container.signing.publicKey, newPublicKey);
  return isPair && holds(container, newCertificate) ? undefined : 'newNotUsable';
}

/** Lets the new key sign a challenge; the login is asked for where there is none. */
export async function newKeySigns(
  { key, randomBytes }: AfterwardsPorts,
  { record, login }: Finished,
): Promise<boolean> {
  const { newContainer, newPublicKey: spki } = record;
  if (!spki) return false;
  const message = randomBytes(32);
  const signature = await login.asUser(newContainer.application, () => key.sign(newContainer, message));
  return verifySignature({ spki, algorithm: signatureOidFor(readSpki(spki).algorithm), message, signature });
}
