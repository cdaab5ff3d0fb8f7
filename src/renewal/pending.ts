import type { CertificateAuthority, EnrolmentState } from '../ca/authority.ts';
import { bytesEqual } from '../pki/bytes.ts';
import type { Certificate } from '../pki/certificate.ts';
import type { Container, ContainerRef } from '../usbkey/usbkey.ts';
import { activeUnlessRevoked } from './active-certificate.ts';
import { transactionIdBytes, transactionIdOf } from './container-name.ts';
import type { Journal, JournalRecord } from './journal.ts';
import { chooseActive, sameContainer, type KeyContents } from './key-contents.ts';
import { withRetry, type Wait } from './retry.ts';

/** What an earlier run, here or on another computer, has left. */
export interface Pending {
  /** The transaction to go on with. */
  readonly record: JournalRecord | undefined;
  /** Containers whose certificate does not count: refused, or taken back by the authority. */
  readonly notActive: readonly ContainerRef[];
  /** Containers of ours whose transaction is done, with the journal's record of it where there is one. */
  readonly confirmed: readonly { readonly container: ContainerRef; readonly record: JournalRecord | undefined }[];
}

export interface PendingPorts {
  readonly authority: Pick<CertificateAuthority, 'lookUp'>;
  readonly journal: Journal;
  readonly isRevoked?: (certificate: Certificate) => boolean;
  readonly now: () => Date;
  readonly wait: Wait;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** How long the journal keeps what is not finished: somebody with a locked password has to go to a centre first. */
const keptMs = 30 * 86_400_000;

/**
 * Looks for an unfinished transaction: first in the journal, then on the key, whose containers are named after their
 * transactions. What the journal does not know the authority is asked about before anything new begins.
 * @throws CaError, StorageError
 */
export async function findPending(
  contents: KeyContents,
  ports: PendingPorts,
  { signal }: { readonly signal?: AbortSignal },
): Promise<Pending> {
  const { journal } = ports;
  const records = await currentRecords(contents.info.serialNumber, ports);
  const open = records.find(({ stage }) => stage !== 'ended' && stage !== 'done');
  if (open) {
    if (stillThere(contents, open)) return { record: open, notActive: [], confirmed: [] };
    await journal.put({ ...open, stage: 'ended', endedBecause: 'goneFromKey', updatedAt: ports.now().getTime() });
  }
  const notActive: ContainerRef[] = [];
  const confirmed: { container: ContainerRef; record: JournalRecord | undefined }[] = [];
  for (const container of contents.containers) {
    const { ref } = container;
    const transactionId = transactionIdOf(ref.container);
    if (transactionId === undefined) continue;
    const known = records.find((record) => record.transactionId === transactionId);
    if (known?.stage === 'done') {
      confirmed.push({ container: ref, record: known });
      continue;
    }
    if (known && isTakenBack(known)) {
      notActive.push(ref);
      continue;
    }
    const state = await askAuthority(transactionId, ports, signal);
    if (state.kind === 'withdrawn') {
      notActive.push(ref);
      continue;
    }
    if (hasSoundCertificate(contents, container) && (state.kind === 'confirmed' || state.kind === 'unknown')) {
      confirmed.push({ container: ref, record: undefined });
      continue;
    }
    const record = adopt(contents, container, transactionId, state, [...notActive, ref], ports);
    if (!record) continue;
    await journal.put(record);
    return { record, notActive, confirmed: [] };
  }
  return { record: undefined, notActive, confirmed };
}

/** Of any other end of a record the authority may think differently: it is asked. */
const isTakenBack = ({ stage, endedBecause }: JournalRecord): boolean =>
  stage === 'ended' && (endedBecause === 'withdrawn' || endedBecause === 'notAcceptable');

/**
 * A container that a broken attempt left and that can never be of use again: named by a transaction of ours that the
 * authority says has ended, and with nothing in it that anybody could miss.
 * @throws CaError
 */
export async function findLeftover(
  { containers }: KeyContents,
  application: string,
  ports: PendingPorts,
  { signal }: { readonly signal?: AbortSignal },
): Promise<ContainerRef | undefined> {
  for (const container of containers) {
    const transactionId = transactionIdOf(container.ref.container);
    if (transactionId === undefined || container.ref.application !== application || !isBare(container)) continue;
    if ((await askAuthority(transactionId, ports, signal)).kind === 'withdrawn') return container.ref;
  }
  return undefined;
}

/** The key's records, less those whose time is over: the names on the key still lead to what they were about. */
async function currentRecords(serialNumber: string, { journal, now }: PendingPorts): Promise<readonly JournalRecord[]> {
  const oldest = now().getTime() - keptMs;
  const current: JournalRecord[] = [];
  for (const record of await journal.ofKey(serialNumber)) {
    if (record.stage === 'done' || record.updatedAt >= oldest) current.push(record);
    else await journal.remove(record.transactionId);
  }
  return current;
}

/** Nothing in it that anybody could miss: no certificate, sound or torn, and no encryption key pair. */
export const isBare = ({ signing, encryption }: Container): boolean =>
  encryption === undefined && signing?.certificate === undefined;

/**
 * This is the key a record is about: keys are known to share serial numbers. The certificate being replaced is where it
 * was, since without it nothing can be signed; or, when the last message is signed already, the new key pair is there.
 */
function stillThere({ certificates, containers }: KeyContents, record: JournalRecord): boolean {
  const { oldContainer, oldCertificate, newContainer, newPublicKey } = record;
  const hasOld = certificates.some(
    ({ container, certificate }) =>
      sameContainer(container.ref, oldContainer) && bytesEqual(certificate.der, oldCertificate),
  );
  if (hasOld || record.stage !== 'confirm' || !newPublicKey) return hasOld;
  return containers.some(
    ({ ref, signing }) =>
      sameContainer(ref, newContainer) && signing !== undefined && bytesEqual(signing.publicKey, newPublicKey),
  );
}

const hasSoundCertificate = ({ certificates }: KeyContents, { ref }: Container): boolean =>
  certificates.some(({ container, keyMatches }) => keyMatches && sameContainer(container.ref, ref));

function askAuthority(
  transactionId: string,
  { authority, wait, randomBytes }: PendingPorts,
  signal: AbortSignal | undefined,
): Promise<EnrolmentState> {
  const random = (): number => (randomBytes(1)[0] ?? 0) / 256;
  return withRetry(() => authority.lookUp(transactionIdBytes(transactionId), signal), { wait, random, signal });
}

/** A record for a transaction that only the key remembers. */
function adopt(
  contents: KeyContents,
  container: Container,
  transactionId: string,
  state: EnrolmentState,
  except: readonly ContainerRef[],
  { now: time, isRevoked = () => false }: PendingPorts,
): JournalRecord | undefined {
  const now = time();
  // Nobody begins with one that is taken back; but what is issued here may be what the old one was taken back for.
  const old =
    state.kind === 'issued' || state.kind === 'confirmed'
      ? chooseActive(contents.certificates, now, except)
      : activeUnlessRevoked(contents.certificates, now, except, isRevoked).active;
  if (!old || old.container.ref.application !== container.ref.application) return undefined;
  const base = {
    transactionId,
    purpose: old.generation === 'old' ? 'upgrade' : 'renewal',
    keySerialNumber: contents.info.serialNumber,
    oldContainer: old.container.ref,
    oldCertificate: old.certificate.der,
    newContainer: container.ref,
    startedAt: now.getTime(),
    updatedAt: now.getTime(),
  } as const;
  if (state.kind === 'unknown') {
    // Never asked for: the container and, if it is there, its key pair are used again.
    return { ...base, stage: 'generate' };
  }
  const newPublicKey = container.signing?.publicKey;
  // A key pair that the key cannot show is known from its certificate, and proven by its signature.
  return newPublicKey ? { ...base, stage: 'request', newPublicKey } : { ...base, stage: 'request' };
}
