import type { CertificateAuthority, EnrolmentState } from '../ca/authority.ts';
import type { Container, ContainerRef } from '../usbkey/usbkey.ts';
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
}

export interface PendingPorts {
  readonly authority: Pick<CertificateAuthority, 'lookUp'>;
  readonly journal: Journal;
  readonly now: () => Date;
  readonly wait: Wait;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** The open record of this key in the journal alone: what a page can say without asking the authority. */
export async function openRecord(journal: Journal, keySerialNumber: string): Promise<JournalRecord | undefined> {
  return (await journal.ofKey(keySerialNumber)).find(({ stage }) => stage !== 'ended' && stage !== 'done');
}

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
  const records = await journal.ofKey(contents.info.serialNumber);
  const open = await openRecord(journal, contents.info.serialNumber);
  if (open) {
    if (stillThere(contents, open)) return { record: open, notActive: [] };
    await journal.put({ ...open, stage: 'ended', endedBecause: 'goneFromKey', updatedAt: ports.now().getTime() });
  }
  const notActive: ContainerRef[] = [];
  for (const container of contents.containers) {
    const transactionId = transactionIdOf(container.ref.container);
    if (transactionId === undefined) continue;
    const known = records.find((record) => record.transactionId === transactionId);
    if (known?.stage === 'done') continue;
    if (known && known.transactionId !== open?.transactionId) {
      notActive.push(container.ref);
      continue;
    }
    const state = await askAuthority(transactionId, ports, signal);
    if (state.kind === 'withdrawn') {
      notActive.push(container.ref);
      continue;
    }
    if (hasSoundCertificate(contents, container) && (state.kind === 'confirmed' || state.kind === 'unknown')) continue;
    const record = adopt(contents, container, transactionId, state, [...notActive, container.ref], ports.now());
    if (!record) continue;
    await journal.put(record);
    return { record, notActive };
  }
  return { record: undefined, notActive };
}

/** The certificate being replaced is still where the record says. Without it nothing of the transaction can be signed. */
function stillThere({ certificates }: KeyContents, { oldContainer, oldCertificate }: JournalRecord): boolean {
  return certificates.some(
    ({ container, certificate }) =>
      sameContainer(container.ref, oldContainer) &&
      certificate.der.length === oldCertificate.length &&
      certificate.der.every((byte, index) => byte === oldCertificate[index]),
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
  now: Date,
): JournalRecord | undefined {
  const old = chooseActive(contents.certificates, now, except);
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
  return newPublicKey && { ...base, stage: 'request', newPublicKey };
}
