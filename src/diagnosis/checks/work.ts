import { CaError, type EnrolmentState } from '../../ca/authority.ts';
import { StorageError } from '../../storage/errors.ts';
import { bytesEqual } from '../../pki/bytes.ts';
import { containerNameFor, transactionIdBytes, transactionIdOf } from '../../renewal/container-name.ts';
import { isBare } from '../../renewal/pending.ts';
import type { Container } from '../../usbkey/usbkey.ts';
import { checksOf, fine, found, type Finding, type Look } from '../check.ts';
import type { JournalEntry } from '../ports.ts';
import { lacksCertificate, mayHold, type Restorable } from '../restorable.ts';

const isOpen = ({ stage }: JournalEntry): boolean => stage !== 'done' && stage !== 'ended';

/** What was begun, here or on another computer, and not finished. */
export const workChecks = checksOf(
  {
    ...{ id: 'journal', group: 'work', needs: [], after: ['application'], limitMs: 4_000 },
    async detect({ ports: { journal }, notes: { contents } }) {
      try {
        const { records, damaged } = await journal.all();
        const open = records.filter(isOpen);
        const own = open.find(({ keySerialNumber }) => keySerialNumber === contents?.info.serialNumber);
        if (own) return found('pending', { tail: own.keySerialNumber.slice(-4) });
        const [other] = open;
        if (other) return found('pendingOther', { tail: other.keySerialNumber.slice(-4) });
        return damaged > 0 ? found('brokenJournal', { count: damaged }) : fine();
      } catch (error) {
        // That nothing can be kept here is said where storage is looked at.
        if (error instanceof StorageError) return { outcome: 'skipped', because: 'storage' };
        throw error;
      }
    },
  },
  {
    ...{ id: 'leftovers', group: 'work', needs: ['application', 'authority'], after: ['certificates', 'journal'] },
    limitMs: 30_000,
    detect: (look) => askAboutContainers(look),
  },
);

/**
 * Containers that are named after transactions of ours and of which the journal here does not know how they ended: the
 * authority is asked.
 */
async function askAboutContainers({ notes, ports, signal }: Look): Promise<Finding> {
  const { contents, config, records = [] } = notes;
  if (!contents || !config) return { outcome: 'skipped', because: 'application' };
  const { ca } = config;
  if (!ca) return { outcome: 'skipped', because: 'authority' };
  const lookUp = async (transactionId: string): Promise<EnrolmentState> => {
    const authority = await ports.service.authority({ ...config, ca });
    return authority.lookUp(transactionIdBytes(transactionId), signal);
  };
  const restorable: Restorable[] = [];
  let leftovers = 0;
  let goesOn = false;
  for (const container of contents.containers) {
    const named = transactionIdOf(container.ref.container);
    const known = records.find(({ transactionId, newPublicKey }) =>
      named === undefined ? newPublicKey && holds(container, newPublicKey) : transactionId === named,
    );
    const transactionId = named ?? known?.transactionId;
    if (transactionId === undefined || known?.stage === 'done' || (known && isOpen(known))) continue;
    try {
      const state = await lookUp(transactionId);
      if (state.kind === 'confirmed') {
        const { certificate } = state;
        if (mayHold(container, certificate)) {
          const name = containerNameFor(transactionId);
          restorable.push({ container: container.ref, certificate, source: 'authority', name });
        }
      } else if (named === undefined) continue;
      else if (state.kind === 'withdrawn') leftovers += isBare(container) ? 1 : 0;
      else goesOn ||= state.kind !== 'unknown' || lacksCertificate(container) || isBare(container);
    } catch (error) {
      if (error instanceof CaError) return { outcome: 'skipped', because: 'authority' };
      throw error;
    }
  }
  if (goesOn) return found('pending', { tail: contents.info.serialNumber.slice(-4) });
  if (restorable.length > 0) {
    notes.restorable = [...(notes.restorable ?? []), ...restorable];
    return found('lostCertificate', { count: restorable.length });
  }
  return leftovers > 0 ? found('leftover', { count: leftovers }) : fine();
}

/** A key pair that has lost its certificate; on a PIV key the name that led to its transaction is gone with it. */
const holds = (container: Container, publicKey: Uint8Array): boolean =>
  lacksCertificate(container) && container.signing !== undefined && bytesEqual(container.signing.publicKey, publicKey);
