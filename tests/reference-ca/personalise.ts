import { randomBytes } from 'node:crypto';
import { toHex, type Bytes } from '../../src/pki/bytes.ts';
import type {
  Attachment,
  CommandSet,
  ContainerState,
  KeyPairState,
  KeyState,
  PivAlgorithm,
  Scenario,
} from '../virtual-key/state.ts';
import type { Authority, AuthorityName, Hierarchy } from './hierarchy.ts';
import { issueCertificate } from './issue.ts';
import { generateKey, type KeyType, type SoftwareKey } from './keys.ts';
import type { HolderFlags, Ledger } from './ledger.ts';
import { pivContents, type SlotContent } from './piv-contents.ts';
import { sampleTaxpayer, taxpayerSubject } from './subject.ts';

const dayMilliseconds = 24 * 60 * 60 * 1000;

/** The password of every key made here. The demo tells it to whoever asks. */
export const samplePassword = '12345678';

/** What kind of key it is to be: GM/T 0017 with SM2 unless told otherwise, PIV with P-256 unless told otherwise. */
export interface KeyKind {
  readonly commandSet?: CommandSet;
  /** Of a PIV key's present key pair; the old authority's is RSA-2048 whatever is asked for. */
  readonly algorithm?: PivAlgorithm;
}

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
/** As PIV keys are delivered. */
const maxPinTries = 3;
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

interface Certified {
  readonly key: SoftwareKey;
  readonly certificate: Bytes;
}

interface SubjectAndLife {
  readonly subject: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A new taxpayer's name, and the life of the certificates. */
function subjectAndLife({ authority, begins, endsInDays }: Plan, now: Date): SubjectAndLife {
  const notAfter = new Date(now.getTime() + endsInDays * dayMilliseconds);
  const notBefore =
    'date' in begins ? new Date(begins.date) : new Date(notAfter.getTime() - begins.daysBeforeEnd * dayMilliseconds);
  return {
    subject: taxpayerSubject(sampleTaxpayer(), authority === 'oldRsa' ? 'old' : 'current'),
    notBefore,
    notAfter,
  };
}

const isForeign = (plan: Plan | undefined): boolean => plan?.authority === 'foreign';

function keyInfo(
  plan: Plan | undefined,
  firmwareVersion: readonly [number, number],
  maxContainers: number,
): KeyState['info'] {
  return {
    manufacturer: 'CASUPPORT SAMPLE',
    issuer: isForeign(plan) ? 'OTHER SAMPLE CA' : 'SAMPLE CA',
    label: isForeign(plan) ? 'OTHERKEY' : 'TJTAX-SAMPLE',
    serialNumber: `DEMO${toHex(randomBytes(6)).toUpperCase()}`,
    firmwareVersion,
    maxContainers,
  };
}

/** A key pair as the virtual key keeps it (see `KeyPairState`). */
function keyPairState({ key, certificate }: Certified): KeyPairState {
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
  async personalise(
    scenario: Scenario,
    attachment: Attachment,
    { commandSet = 'gmt0017', algorithm = 'p256' }: KeyKind = {},
  ): Promise<KeyState> {
    return commandSet === 'piv' ? this.#piv(scenario, attachment, algorithm) : this.#gmt0017(scenario, attachment);
  }

  async #gmt0017(scenario: Scenario, attachment: Attachment): Promise<KeyState> {
    const plan = plans[scenario];
    const container = plan && (await this.#container(plan));
    return {
      scenario,
      attachment,
      info: keyInfo(plan, [1, 2], 8),
      applications: [
        {
          name: isForeign(plan) ? 'OTHERAPP' : 'TJTAX',
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

  async #piv(scenario: Scenario, attachment: Attachment, algorithm: PivAlgorithm): Promise<KeyState> {
    const plan = plans[scenario];
    const contents = pivContents(scenario, attachment, algorithm, plan && (await this.#slotContent(plan, algorithm)));
    return {
      scenario,
      attachment,
      commandSet: 'piv',
      info: keyInfo(plan, attachment === 'canokey' ? [3, 0] : [5, 7], 4 + contents.features.retiredSlots.length),
      applications: [],
      piv: {
        pin: samplePassword,
        maxTries: maxPinTries,
        remainingTries: Math.min(plan?.remainingTries ?? maxPinTries, maxPinTries),
        ...contents,
      },
    };
  }

  /**
   * A key pair with its signing certificate; a PIV key holds no other. SM2 is certified by the SM2 authority, P-256 and
   * RSA by the P-256 one; the old authority's key is RSA, and somebody else certifies anything.
   */
  async #slotContent(plan: Plan, algorithm: PivAlgorithm): Promise<SlotContent> {
    const isOld = plan.authority === 'oldRsa';
    const keyType: KeyType = isOld || algorithm === 'rsa2048' ? 'rsa' : algorithm;
    const authorityName = plan.authority === 'sm2' && keyType !== 'sm2' ? 'p256' : plan.authority;
    return this.#certified(
      this.#hierarchy[authorityName],
      keyType,
      'signing',
      subjectAndLife(plan, this.#now()),
      plan.holder,
    );
  }

  async #container(plan: Plan): Promise<ContainerState> {
    const authority = this.#hierarchy[plan.authority];
    const content = subjectAndLife(plan, this.#now());
    const make = async (usage: 'signing' | 'encryption'): Promise<KeyPairState> =>
      keyPairState(await this.#certified(authority, authority.issuing.key.type, usage, content, plan.holder));
    const signing = await make('signing');
    return {
      name: toHex(randomBytes(8)).toUpperCase(),
      id: 1,
      signing,
      encryption: await make('encryption'),
    };
  }

  async #certified(
    authority: Authority,
    keyType: KeyType,
    usage: 'signing' | 'encryption',
    content: SubjectAndLife,
    holder: HolderFlags,
  ): Promise<Certified> {
    const key = await generateKey(keyType);
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
    return { key, certificate };
  }
}
