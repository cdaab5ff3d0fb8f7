import { TransportError, type TransportErrorCode } from '../apdu/channel.ts';
import { readSpki, signatureOidFor } from '../pki/algorithms.ts';
import { bytesEqual, toHex } from '../pki/bytes.ts';
import { DerError } from '../pki/der.ts';
import { verifySignature } from '../pki/signature.ts';
import { sameContainer } from '../renewal/key-contents.ts';
import { Login, type AskPassword } from '../renewal/login.ts';
import { Stop, type StopReason } from '../renewal/outcome.ts';
import {
  type Container,
  type ContainerRef,
  KeyError,
  type KeyErrorCode,
  type KeyInfo,
  type KeyPairAlgorithm,
  PasswordError,
  type StoredKeyPair,
  type UsbKey,
} from '../usbkey/usbkey.ts';
import { makeTestCertificate } from './test-certificate.ts';

/** What a key of a new model is tried with, in order. */
export const acceptanceSteps = [
  'read',
  'password',
  'container',
  'keyPair',
  'signDigest',
  'signRaw',
  'certificate',
  'readBack',
  'replug',
  'stillThere',
  'remove',
] as const;
export type AcceptanceStep = (typeof acceptanceSteps)[number];

export type StepOutcome =
  | 'passed'
  /** The key did it, and not as it should. */
  | 'differs'
  /** The key said no, with a status word. */
  | 'refused'
  /** It did not come to an answer: the wire, or the person. */
  | 'failed'
  /** The command set, or the key, does not have it. */
  | 'notOffered'
  /** What it builds on was not there. */
  | 'notRun';

/** In what a key differs from what it should do. */
export type Deviation =
  | 'noApplication'
  | 'noAlgorithm'
  | 'otherAlgorithm'
  | 'signatureInvalid'
  | 'otherPublicKey'
  | 'otherCertificate'
  | 'notThere'
  | 'stillThere'
  /** What was on the key before is not as it was. */
  | 'othersChanged'
  /** Another key was plugged in. */
  | 'otherKey'
  /** An answer that contradicts the command set. */
  | 'malformed';

export type StepDetail = Deviation | KeyErrorCode | TransportErrorCode | PasswordError['code'] | StopReason;

export interface StepResult {
  readonly step: AcceptanceStep;
  readonly outcome: StepOutcome;
  readonly detail?: StepDetail;
  /** SW1 SW2 as one number, where the key refused. */
  readonly statusWord?: number;
  readonly ms?: number;
}

export interface AcceptanceOptions {
  /** Which key pair to make; without it the first kind that the key says it can. */
  readonly algorithm?: KeyPairAlgorithm | undefined;
  readonly askPassword: (key: UsbKey) => AskPassword;
  readonly onStep: (step: AcceptanceStep) => void;
  readonly onResult: (result: StepResult) => void;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly now: () => Date;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsed: () => number;
}

class Differs extends Error {
  override readonly name = 'Differs';
  readonly deviation: Deviation;
  constructor(deviation: Deviation) {
    super(deviation);
    this.deviation = deviation;
  }
}

class NotOffered extends Error {
  override readonly name = 'NotOffered';
}

/** What the run has found and made so far. */
interface Findings {
  info?: KeyInfo;
  /** What was there before, by container. */
  others?: ReadonlyMap<string, string>;
  application?: string;
  /** The run's own container: the only one it writes to. */
  own?: ContainerRef;
  /** It was seen on the key: not only a reply was lost. */
  seen?: boolean;
  /** DER SubjectPublicKeyInfo of the key pair in it. */
  publicKey?: Uint8Array;
  certificate?: Uint8Array;
}

interface Tools extends AcceptanceOptions {
  readonly key: UsbKey;
  readonly login: Login;
  readonly findings: Findings;
}

interface StepPlan {
  readonly step: AcceptanceStep;
  /** Steps that must have passed. */
  readonly needs: readonly AcceptanceStep[];
  readonly run: (tools: Tools) => Promise<void>;
}

const messageBytes = 100;

/** With the key as it comes. */
const writing: readonly StepPlan[] = [
  {
    step: 'read',
    needs: [],
    async run({ key, findings }) {
      findings.info = await key.readInfo();
      const refs = await key.listContainers();
      findings.others = await snapshot(key, refs);
      const application = refs[0]?.application ?? (await key.listApplications?.())?.[0];
      if (application === undefined) throw new Differs('noApplication');
      findings.application = application;
      await key.readPasswordTries(application);
    },
  },
  {
    step: 'password',
    needs: ['read'],
    run: ({ login, findings }) => login.logIn(findings.application),
  },
  {
    step: 'container',
    needs: ['password'],
    async run({ key, login, findings, randomBytes }) {
      const { application } = applied(findings);
      // The renewal takes R… on a GM/T 0017 key for a transaction of its own; a PIV driver knows no other names as ours.
      const initial = key.commandSet === 'piv' ? 'R' : 'T';
      const own = { application, container: `${initial}${toHex(randomBytes(16))}` };
      // Known before it is made: a reply may be lost, and the name is nobody else's.
      findings.own = own;
      try {
        await login.asUser(application, () => key.createContainer(own));
      } catch (error) {
        if (error instanceof KeyError) delete findings.own;
        throw error;
      }
      if (!(await isListed(key, own))) throw new Differs('notThere');
      findings.seen = true;
    },
  },
  {
    step: 'keyPair',
    needs: ['container'],
    async run({ key, login, findings, algorithm = findings.info?.algorithms[0] }) {
      if (algorithm === undefined) throw new Differs('noAlgorithm');
      const own = ownOf(findings);
      const spki = await login.asUser(own.application, () => key.generateSigningKeyPair(own, algorithm));
      const { algorithm: made, bits } = readSpki(spki);
      if (made !== (algorithm === 'rsa2048' ? 'rsa' : algorithm) || (made === 'rsa' && bits !== 2048))
        throw new Differs('otherAlgorithm');
      findings.publicKey = spki;
    },
  },
  {
    step: 'signDigest',
    needs: ['keyPair'],
    run: (tools) => trySignature(tools, (own, message) => tools.key.sign(own, message)),
  },
  {
    step: 'signRaw',
    needs: ['keyPair'],
    async run(tools) {
      const { key } = tools;
      if (!key.signRaw) throw new NotOffered();
      await trySignature(tools, (own, message) => key.signRaw?.(own, message) ?? Promise.reject(new NotOffered()));
    },
  },
  {
    step: 'certificate',
    needs: ['keyPair'],
    async run({ key, login, findings, randomBytes, now }) {
      const own = ownOf(findings);
      const certificate = await makeTestCertificate({
        spki: publicKeyOf(findings),
        serialNumber: randomBytes(16),
        notBefore: now(),
        sign: (tbs) => login.asUser(own.application, () => key.sign(own, tbs)),
      });
      await login.asUser(own.application, () => key.importCertificate(own, 'signing', certificate));
      findings.certificate = certificate;
    },
  },
  {
    step: 'readBack',
    needs: ['certificate'],
    async run({ key, findings }) {
      assertOwn(await key.readContainer(ownOf(findings)), findings);
    },
  },
];

/** With the key plugged in anew. */
const checking: readonly StepPlan[] = [
  {
    step: 'replug',
    needs: ['read'],
    async run({ key, findings: { info } }) {
      if ((await key.readInfo()).serialNumber !== info?.serialNumber) throw new Differs('otherKey');
    },
  },
  {
    step: 'stillThere',
    needs: ['replug'],
    async run({ key, findings }) {
      await assertOthers(key, findings);
      if (!findings.seen) return;
      const own = ownOf(findings);
      if (!(await isListed(key, own))) throw new Differs('notThere');
      assertOwn(await key.readContainer(own), findings);
    },
  },
];

/** When the person agrees. */
const removing: readonly StepPlan[] = [
  {
    step: 'remove',
    needs: ['replug'],
    async run({ key, login, findings }) {
      const own = ownOf(findings);
      if (await isListed(key, own)) await login.asUser(own.application, () => key.deleteContainer(own));
      else if (findings.seen) throw new Differs('notThere');
      if (await isListed(key, own)) throw new Differs('stillThere');
      await assertOthers(key, findings);
    },
  },
];

/**
 * Tries a key that may be sacrificed: everything a renewal will ask of it, in a container of its own, and nothing in any
 * other. In three parts, each with the key as it is then: `write`, after unplugging and plugging in again `check`, and if
 * the person wants it `remove`. Nothing throws; every step ends with a result. The user is logged out after each part.
 */
export class AcceptanceRun {
  readonly #options: AcceptanceOptions;
  readonly #findings: Findings = {};
  readonly #results: StepResult[] = [];

  constructor(options: AcceptanceOptions) {
    this.#options = options;
  }

  get results(): readonly StepResult[] {
    return this.#results;
  }

  /** Whether a container of this run is, or may be, on the key. */
  get hasContainer(): boolean {
    return this.#findings.own !== undefined && this.#outcomeOf('remove') !== 'passed';
  }

  write(key: UsbKey): Promise<void> {
    return this.#runAll(writing, key);
  }

  check(key: UsbKey): Promise<void> {
    return this.#runAll(checking, key);
  }

  remove(key: UsbKey): Promise<void> {
    return this.#runAll(removing, key);
  }

  /** The key could not even be opened to begin with: that is the result. */
  notOpened(error: unknown): void {
    this.#add({ step: 'read', ...explain(error) });
  }

  async #runAll(plans: readonly StepPlan[], key: UsbKey): Promise<void> {
    const login = new Login(key, this.#options.askPassword(key));
    const tools: Tools = { ...this.#options, key, login, findings: this.#findings };
    for (const { step, needs, run } of plans) {
      const ready = !key.gone.aborted && needs.every((needed) => this.#outcomeOf(needed) === 'passed');
      const result = ready ? await this.#try(step, () => run(tools)) : ({ step, outcome: 'notRun' } as const);
      this.#add(result);
    }
    await key.logOut().catch(() => undefined);
  }

  /** A part that is run once more replaces what it came to before. */
  #add(result: StepResult): void {
    const before = this.#results.findIndex(({ step }) => step === result.step);
    if (before >= 0) this.#results.splice(before, 1);
    this.#results.push(result);
    this.#options.onResult(result);
  }

  async #try(step: AcceptanceStep, run: () => Promise<void>): Promise<StepResult> {
    this.#options.onStep(step);
    const begun = this.#options.elapsed();
    const ms = (): number => Math.round(this.#options.elapsed() - begun);
    try {
      await run();
      return { step, outcome: 'passed', ms: ms() };
    } catch (error) {
      return { step, ...explain(error), ms: ms() };
    }
  }

  #outcomeOf(step: AcceptanceStep): StepOutcome | undefined {
    return this.#results.find((result) => result.step === step)?.outcome;
  }
}

function explain(error: unknown): Omit<StepResult, 'step' | 'ms'> {
  if (error instanceof NotOffered) return { outcome: 'notOffered' };
  if (error instanceof Differs) return { outcome: 'differs', detail: error.deviation };
  if (error instanceof KeyError) {
    const { code, statusWord } = error;
    if (statusWord !== undefined) return { outcome: 'refused', detail: code, statusWord };
    return { outcome: code === 'unsupported' ? 'notOffered' : 'differs', detail: code };
  }
  if (error instanceof DerError) return { outcome: 'differs', detail: 'malformed' };
  if (error instanceof PasswordError) return { outcome: 'refused', detail: error.code };
  if (error instanceof TransportError) return { outcome: 'failed', detail: error.code };
  if (error instanceof Stop) return { outcome: 'failed', detail: error.explanation.reason };
  return { outcome: 'failed', detail: 'unexpected' };
}

async function trySignature(
  { login, findings, randomBytes }: Tools,
  sign: (own: ContainerRef, message: Uint8Array) => Promise<Uint8Array>,
): Promise<void> {
  const own = ownOf(findings);
  const spki = publicKeyOf(findings);
  const message = randomBytes(messageBytes);
  const signature = await login.asUser(own.application, () => sign(own, message));
  const algorithm = signatureOidFor(readSpki(spki).algorithm);
  if (!(await verifySignature({ spki, algorithm, message, signature }))) throw new Differs('signatureInvalid');
}

// Steps find what the steps they need have left; without it the plans themselves are wrong.
const missing = (what: string): Error => new Error(`no ${what} yet`);
function applied({ application }: Findings): { readonly application: string } {
  if (application === undefined) throw missing('application');
  return { application };
}
function ownOf({ own }: Findings): ContainerRef {
  if (!own) throw missing('container');
  return own;
}
function publicKeyOf({ publicKey }: Findings): Uint8Array {
  if (!publicKey) throw missing('key pair');
  return publicKey;
}

const nameOf = ({ application, container }: ContainerRef): string => `${application}\0${container}`;

/** What containers hold, for comparing. Empty ones hold nothing that could be lost. */
async function snapshot(key: UsbKey, refs: readonly ContainerRef[]): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  const pair = (stored: StoredKeyPair | undefined): string =>
    stored ? `${toHex(stored.publicKey)} ${stored.certificate ? toHex(stored.certificate) : ''}` : '';
  for (const ref of refs) {
    const { signing, encryption } = await key.readContainer(ref);
    if (signing || encryption) contents.set(nameOf(ref), `${pair(signing)} / ${pair(encryption)}`);
  }
  return contents;
}

async function isListed(key: UsbKey, own: ContainerRef): Promise<boolean> {
  return (await key.listContainers()).some((ref) => sameContainer(ref, own));
}

function assertOwn({ signing }: Container, { publicKey, certificate }: Findings): void {
  // A PIV key that cannot tell its public keys has none to show before the certificate is there.
  if (publicKey && signing && !bytesEqual(signing.publicKey, publicKey)) throw new Differs('otherPublicKey');
  if (certificate && !(signing?.certificate && bytesEqual(signing.certificate, certificate)))
    throw new Differs('otherCertificate');
}

async function assertOthers(key: UsbKey, { others, own }: Findings): Promise<void> {
  const refs = (await key.listContainers()).filter((ref) => !own || !sameContainer(ref, own));
  const now = await snapshot(key, refs);
  for (const [name, contents] of others ?? []) if (now.get(name) !== contents) throw new Differs('othersChanged');
}
