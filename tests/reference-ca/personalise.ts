import { randomBytes } from 'node:crypto';
import { toHex, type Bytes } from '../../src/pki/bytes.ts';
import type { Attachment, ContainerState, KeyPairState, KeyState, Scenario } from '../virtual-key/state.ts';
import type { Authority, AuthorityName, Hierarchy } from './hierarchy.ts';
import { issueCertificate } from './issue.ts';
import { generateKey, type SoftwareKey } from './keys.ts';
import type { HolderFlags, Ledger } from './ledger.ts';
import { sampleTaxpayer, taxpayerSubject } from './subject.ts';

const dayMilliseconds = 24 * 60 * 60 * 1000;

/** The password of every key made here. The demo tells it to whoever asks. */
export const samplePassword = '12345678';

interface Plan {
  readonly authority: AuthorityName;
  /** Days from now to the certificates' end; negative: ended. */
  readonly endsInDays: number;
  /** When they were issued: days before their end, or a date. */
  readonly begins: { readonly daysBeforeEnd: number } | { readonly date: string };
  readonly holder: HolderFlags;
  readonly remainingTries: number;
}

const maxTries = 6;
const due: Plan = {
  authority: 'sm2',
  endsInDays: 30,
  begins: { daysBeforeEnd: 365 },
  holder: { refuses: false, waits: false },
  remainingTries: maxTries,
};

/** What is on the key in each starting situation; undefined: an application without a container. */
const plans: Readonly<Record<Scenario, Plan | undefined>> = {
  'due-30-days': due,
  'not-due': { ...due, endsInDays: 200 },
  expired: { ...due, endsInDays: -12 },
  'old-issuer': { ...due, authority: 'oldRsa', endsInDays: 150, begins: { date: '2017-06-12T01:30:00Z' } },
  'last-try': { ...due, remainingTries: 1 },
  locked: { ...due, remainingTries: 0 },
  empty: undefined,
  foreign: { ...due, authority: 'foreign', endsInDays: 200 },
  'ca-refuses': { ...due, holder: { refuses: true, waits: false } },
  'ca-waits': { ...due, holder: { refuses: false, waits: true } },
};

/** A key pair as the virtual key keeps it (see `KeyPairState`). */
function keyPairState(key: SoftwareKey, certificate: Bytes): KeyPairState {
  const isSm2 = key.type === 'sm2';
  return {
    algorithm: isSm2 ? 'sm2' : 'rsa',
    privateKey: toHex(key.privateKey),
    // An SM2 SubjectPublicKeyInfo ends in X ‖ Y.
    publicKey: toHex(isSm2 ? key.spki.subarray(-64) : key.spki),
    certificate: toHex(certificate),
  };
}

/** Makes keys as the authority's counter hands them out: key pairs, certificates, password, all entered in the ledger. */
export class Personaliser {
  readonly #hierarchy: Hierarchy;
  readonly #ledger: Ledger;
  readonly #now: () => Date;

  constructor(hierarchy: Hierarchy, ledger: Ledger, now: () => Date) {
    this.#hierarchy = hierarchy;
    this.#ledger = ledger;
    this.#now = now;
  }

  /** A new key for a new, made-up taxpayer. */
  async personalise(scenario: Scenario, attachment: Attachment): Promise<KeyState> {
    const plan = plans[scenario];
    const serial = toHex(randomBytes(6)).toUpperCase();
    const isForeign = plan?.authority === 'foreign';
    const container = plan && (await this.#container(plan));
    return {
      scenario,
      attachment,
      info: {
        manufacturer: 'CASUPPORT SAMPLE',
        issuer: isForeign ? 'OTHER SAMPLE CA' : 'SAMPLE CA',
        label: isForeign ? 'OTHERKEY' : 'TJTAX-SAMPLE',
        serialNumber: `DEMO${serial}`,
        firmwareVersion: [1, 2],
        maxContainers: 8,
      },
      applications: [
        {
          name: isForeign ? 'OTHERAPP' : 'TJTAX',
          id: 1,
          userPassword: samplePassword,
          maxTries,
          remainingTries: plan?.remainingTries ?? maxTries,
          nextContainerId: container ? container.id + 1 : 1,
          containers: container ? [container] : [],
        },
      ],
    };
  }

  async #container(plan: Plan): Promise<ContainerState> {
    const authority = this.#hierarchy[plan.authority];
    const notAfter = new Date(this.#now().getTime() + plan.endsInDays * dayMilliseconds);
    const notBefore =
      'date' in plan.begins
        ? new Date(plan.begins.date)
        : new Date(notAfter.getTime() - plan.begins.daysBeforeEnd * dayMilliseconds);
    const subject = taxpayerSubject(sampleTaxpayer(), plan.authority === 'oldRsa' ? 'old' : 'current');
    const make = (usage: 'signing' | 'encryption'): Promise<KeyPairState> =>
      this.#keyPair(authority, usage, { subject, notBefore, notAfter }, plan.holder);
    const signing = await make('signing');
    return {
      name: toHex(randomBytes(8)).toUpperCase(),
      id: 1,
      signing,
      encryption: await make('encryption'),
    };
  }

  async #keyPair(
    authority: Authority,
    usage: 'signing' | 'encryption',
    content: { readonly subject: Uint8Array; readonly notBefore: Date; readonly notAfter: Date },
    holder: HolderFlags,
  ): Promise<KeyPairState> {
    const key = await generateKey(authority.issuing.key.type);
    const certificate = await issueCertificate({
      ...content,
      profile: usage,
      spki: key.spki,
      issuer: { name: authority.issuing.subject, key: authority.issuing.key },
    });
    // Somebody else's certificates stand in somebody else's ledger.
    if (authority.name !== 'foreign') {
      await this.#ledger.append({ type: 'registered', certificate, usage, authority: authority.name, ...holder });
    }
    return keyPairState(key, certificate);
  }
}
