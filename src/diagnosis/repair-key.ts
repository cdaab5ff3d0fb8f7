import type { CertificateAuthority } from '../ca/authority.ts';
import type { Enrolment } from '../device/models.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { verifyChain } from '../pki/chain.ts';
import type { Journal } from '../renewal/journal.ts';
import { readKeyContents, sameContainer } from '../renewal/key-contents.ts';
import { Login, type AskPassword } from '../renewal/login.ts';
import { explain, Stop, type StopReason } from '../renewal/outcome.ts';
import { findLeftover } from '../renewal/pending.ts';
import type { Wait } from '../renewal/retry.ts';
import type { Trust } from '../renewal/trust.ts';
import type { ContainerRef, ManagementKeyOrigin, UsbKey } from '../usbkey/usbkey.ts';
import { mayHold, type Restorable } from './restorable.ts';

/** What a repair that writes to a key needs. */
export interface KeyRepairPorts {
  readonly key: UsbKey;
  readonly journal: Journal;
  readonly authority: Pick<CertificateAuthority, 'lookUp'>;
  readonly trust: Trust;
  /** What may be done with this key, asked a moment ago: unless `on`, nothing is written to it. */
  readonly enrolment: Enrolment;
  readonly askPassword: AskPassword;
  readonly now: () => Date;
  readonly wait: Wait;
  readonly randomBytes: (length: number) => Uint8Array;
}

export type KeyRepair =
  | {
      readonly kind: 'mended';
      readonly count: number;
      /** The management key that the writing was allowed by, on a key that has one. */
      readonly managementKey?: ManagementKeyOrigin;
    }
  /** The key is not as it was when it was looked at: nothing was written. */
  | { readonly kind: 'changed' }
  /** Nothing is lost by doing it again. */
  | { readonly kind: 'stopped'; readonly reason: StopReason };

/**
 * Writes certificates back beside the key pairs they belong to. Each is looked at once more on the key: the key pair is the
 * certificate's own, there is still no readable certificate with it, and a pinned authority has issued what is written. No
 * container is made and no key pair touched. Never rejects; the user is logged out at the end.
 */
export const restoreCertificates = (
  ports: KeyRepairPorts,
  serialNumber: string,
  restorable: readonly Restorable[],
): Promise<KeyRepair> =>
  atTheKey(ports, serialNumber, async (login) => {
    const { key } = ports;
    let count = 0;
    for (const { container: ref, certificate, name } of restorable) {
      if (!(await isListed(key, ref))) continue;
      const container = await key.readContainer(ref);
      if (!mayHold(container, certificate) || !(await isAnchored(ports, certificate))) continue;
      const written = await login.asUser(ref.application, async () => {
        if (key.restoreCertificate) return key.restoreCertificate(ref, certificate, name);
        await key.importCertificate(ref, 'signing', certificate);
        return ref;
      });
      const { signing } = await key.readContainer(written);
      if (!signing?.certificate || !bytesEqual(signing.certificate, certificate))
        throw new Stop({ reason: 'checkFailed' });
      count += 1;
    }
    return mended(key, count);
  });

/**
 * Deletes our own containers that a broken attempt has left: named by a transaction that the authority, asked now, says has
 * ended, and with no certificate and no encryption key pair in them. Never rejects; the user is logged out at the end.
 */
export const tidyLeftovers = (ports: KeyRepairPorts, serialNumber: string): Promise<KeyRepair> =>
  atTheKey(ports, serialNumber, async (login) => {
    const { key, trust, now } = ports;
    let count = 0;
    for (;;) {
      const contents = await readKeyContents(key, trust, now());
      const applications = new Set(contents.containers.map(({ ref }) => ref.application));
      const ref = await firstLeftover([...applications], (application) =>
        findLeftover(contents, application, ports, {}),
      );
      if (!ref) return mended(key, count);
      await login.asUser(ref.application, () => key.deleteContainer(ref));
      if (await isListed(key, ref)) throw new Stop({ reason: 'checkFailed' });
      count += 1;
    }
  });

function mended({ managementKey }: UsbKey, count: number): KeyRepair {
  if (count === 0) return { kind: 'changed' };
  return { kind: 'mended', count, ...(managementKey === undefined ? {} : { managementKey }) };
}

async function atTheKey(
  { key, enrolment, askPassword }: KeyRepairPorts,
  serialNumber: string,
  work: (login: Login) => Promise<KeyRepair>,
): Promise<KeyRepair> {
  try {
    if (enrolment !== 'on') throw new Stop({ reason: 'modelStopped' });
    if ((await key.readInfo()).serialNumber !== serialNumber) return { kind: 'changed' };
    return await work(new Login(key, askPassword));
  } catch (error) {
    const { reason } = explain(error);
    return { kind: 'stopped', reason: key.gone.aborted && reason === 'cancelled' ? 'unplugged' : reason };
  } finally {
    await key.logOut().catch(() => undefined);
  }
}

async function firstLeftover(
  applications: readonly string[],
  find: (application: string) => Promise<ContainerRef | undefined>,
): Promise<ContainerRef | undefined> {
  for (const application of applications) {
    const ref = await find(application);
    if (ref) return ref;
  }
  return undefined;
}

async function isListed(key: UsbKey, ref: ContainerRef): Promise<boolean> {
  return (await key.listContainers()).some((listed) => sameContainer(listed, ref));
}

/** Whose it is, judged at the time of issue: an old one may have expired since, and is still the person's own. */
async function isAnchored({ trust, now }: KeyRepairPorts, certificate: Uint8Array): Promise<boolean> {
  const { anchors, intermediates } = trust;
  const chain = await verifyChain({ leaf: certificate, anchors, intermediates, at: now(), allowExpiredLeaf: true });
  return chain.ok;
}
