import type { CommandApdu } from '../apdu/command.ts';
import type { ResponseApdu } from '../apdu/response.ts';
import type { ApduSession } from '../apdu/session.ts';
import { swApplicationNotOpen, swMoreToExport, swPasswordLocked, swSuccess } from '../apdu/status-words.ts';
import { commandTimeoutMs } from '../apdu/timeouts.ts';
import type { SkfDialect } from '../device/models.ts';
import { rsaSpki, sm2Spki } from '../pki/algorithms.ts';
import { concat, copyBytes } from '../pki/bytes.ts';
import { ecdsaSignatureToDer } from '../pki/der.ts';
import { EnvelopedKeyError, privateKeyField, type EnvelopedKey, type PrivateKeyForm } from '../pki/enveloped-key.ts';
import { sm2DefaultId, sm2Digest } from '../pki/sm2.ts';
import { Operations } from './operations.ts';
import { challengeBytes, maxPasswordBytes, passwordProof } from './password-proof.ts';
import { sha256DigestInfo } from './pkcs1.ts';
import { refusal } from './refusals.ts';
import * as skf from './skf-commands.ts';
import {
  type Container,
  type ContainerRef,
  KeyError,
  type KeyInfo,
  type KeyPairAlgorithm,
  type KeyUsage,
  PasswordError,
  type PasswordTries,
  type StoredKeyPair,
  type UsbKey,
} from './usbkey.ts';

const rsaKeyBits = 2048;
/** AlgAsymCap families (GM/T 0006): SGD_RSA 00010000, SGD_SM2_* 00020100..00020400. */
const asymmetricFamily = { rsa: 0x0001_0000, sm2: 0x0002_0000 } as const;

/** What must be known of a signing key to sign with it: SM2's Z needs the public key, and an RSA signature has its length. */
type Signer =
  | { readonly type: 'ecc'; readonly publicKey: Uint8Array }
  | { readonly type: 'rsa'; readonly modulus: Uint8Array; readonly exponent: Uint8Array };

const privateKeyForms: Readonly<Record<SkfDialect['importedPrivateKey'], PrivateKeyForm>> = {
  last32: 'zerosThenEncrypted',
  first32: 'encryptedThenZeros',
  all64: 'allEncrypted',
};

const nameOf = ({ application, container }: ContainerRef): string => `${application}\0${container}`;

export interface SkfKeyOptions {
  readonly dialect: SkfDialect;
  /** Called when `close` begins, with what it returns. */
  readonly onClosing?: ((closed: Promise<void>) => void) | undefined;
}

/**
 * A key that speaks GM/T 0017. One operation at a time, in the order of the calls. An application is opened when it is
 * first needed and stays open, with its login, until `logOut` or `close`; a container is open only within an operation.
 */
export class SkfKey implements UsbKey {
  readonly commandSet = 'gmt0017';
  readonly #operations: Operations;
  readonly #options: SkfKeyOptions;
  /** Open applications by name. */
  readonly #applications = new Map<string, skf.OpenedApplication>();
  /** Signing keys as last read or generated, by application and container, for as long as the application is open. */
  readonly #signers = new Map<string, Signer>();
  /** Applications whose password was verified here. */
  readonly #loggedIn = new Set<string>();
  #closed: Promise<void> | undefined;

  /** @param session of a channel that is open, and of no other use meanwhile */
  constructor(session: ApduSession, options: SkfKeyOptions) {
    this.#operations = new Operations(session);
    this.#options = options;
  }

  get gone(): AbortSignal {
    return this.#operations.gone;
  }

  // --- what is on it --------------------------------------------------------------------------------------------------

  readInfo(): Promise<KeyInfo> {
    return this.#operations.serially(async () => {
      const info = skf.parseDevInfo(await this.#run(skf.getDevInfo()));
      const algorithms: KeyPairAlgorithm[] = [];
      if (info.asymmetricAlgorithms & asymmetricFamily.sm2) algorithms.push('sm2');
      if (info.asymmetricAlgorithms & asymmetricFamily.rsa) algorithms.push('rsa2048');
      const limits = [info.maxContainers, await this.#maxContainersOfApplication()].filter((limit) => limit > 0);
      return {
        manufacturer: info.manufacturer,
        issuer: info.issuer,
        label: info.label,
        serialNumber: info.serialNumber,
        hardwareVersion: info.hardwareVersion.join('.'),
        firmwareVersion: info.firmwareVersion.join('.'),
        algorithms,
        maxContainers: limits.length > 0 ? Math.min(...limits) : undefined,
      };
    });
  }

  listApplications(): Promise<readonly string[]> {
    return this.#operations.serially(() => this.#applicationNames());
  }

  listContainers(): Promise<readonly ContainerRef[]> {
    return this.#operations.serially(async () => {
      const refs: ContainerRef[] = [];
      for (const application of await this.#applicationNames()) {
        const names = await this.#reading(application, (id) => this.#containerNames(id));
        refs.push(...names.map((container) => ({ application, container })));
      }
      return refs;
    });
  }

  readContainer(ref: ContainerRef): Promise<Container> {
    return this.#operations.serially(() =>
      this.#reading(ref.application, async (applicationId) => {
        const info = skf.parseContainerInfo(await this.#run(skf.getContainerInfo(applicationId, ref.container)));
        if (info.type === 'empty') return { ref, signing: undefined, encryption: undefined };
        return this.#inContainer(applicationId, ref.container, async (containerId) => ({
          ref,
          signing: await this.#readKeyPair(applicationId, containerId, ref, info, 'signing'),
          encryption: await this.#readKeyPair(applicationId, containerId, ref, info, 'encryption'),
        }));
      }),
    );
  }

  // --- password -------------------------------------------------------------------------------------------------------

  readPasswordTries(application: string): Promise<PasswordTries> {
    return this.#operations.serially(async () => {
      const tries = await this.#reading(application, (id) => this.#readTries(id));
      return { remaining: tries?.remaining, maximum: tries?.maximum };
    });
  }

  verifyPassword(application: string, password: Uint8Array): Promise<void> {
    return this.#operations.serially(async () => {
      const { applicationId, before } = await this.#reading(application, async (id) => ({
        applicationId: id,
        before: await this.#readTries(id),
      }));
      if (before?.remaining === 0) throw new PasswordError('locked', 0);
      // No key has such a password, so none is asked and no try is spent.
      if (password.length === 0 || password.length > maxPasswordBytes) {
        throw new PasswordError('wrong', before?.remaining);
      }
      const challenge = skf.parseRandom(await this.#run(skf.genRandom(challengeBytes)), challengeBytes);
      const proof = await passwordProof(password, challenge, this.#options.dialect.pinDigest);
      this.#loggedIn.delete(application);
      await this.#verify(application, skf.verifyPin(applicationId, proof), before, () =>
        this.#readTries(applicationId),
      );
      this.#loggedIn.add(application);
    });
  }

  logOut(): Promise<void> {
    return this.#operations.serially(() => this.#logOut((command) => this.#exchange(command, commandTimeoutMs.brief)));
  }

  /** Ends a login that a page left behind when it crashed or was reloaded. To be called on connecting. */
  clearLeftoverLogin(): Promise<void> {
    return this.#operations.serially(async () => {
      for (const application of await this.#applicationNames()) await this.#openApplication(application);
      try {
        await this.#logOut((command) => this.#exchange(command, commandTimeoutMs.brief));
      } catch (error) {
        // A key that cannot end a login is no worse than without asking.
        if (!(error instanceof KeyError)) throw error;
      }
    });
  }

  // --- what it does ---------------------------------------------------------------------------------------------------

  createContainer(ref: ContainerRef): Promise<void> {
    return this.#operations.serially(() =>
      this.#writing(ref.application, async (applicationId) => {
        const answer = await this.#run(skf.createContainer(applicationId, ref.container), commandTimeoutMs.write);
        // Creating opens it as well.
        await this.#closeContainer(applicationId, skf.parseContainerId(answer));
      }),
    );
  }

  generateSigningKeyPair(ref: ContainerRef, algorithm: KeyPairAlgorithm): Promise<Uint8Array> {
    return this.#operations.serially(() =>
      this.#writingIn(ref, async (applicationId, containerId) => {
        this.#signers.delete(nameOf(ref));
        if (algorithm === 'sm2') {
          const answer = await this.#run(skf.genEccKeyPair(applicationId, containerId), commandTimeoutMs.generateEcc);
          const publicKey = skf.parseGeneratedEcc(answer);
          this.#signers.set(nameOf(ref), { type: 'ecc', publicKey });
          return sm2Spki(publicKey);
        }
        if (algorithm === 'rsa2048') {
          const command = skf.genRsaKeyPair(applicationId, containerId, rsaKeyBits);
          const key = skf.parseGeneratedRsa(await this.#run(command, commandTimeoutMs.generateRsa), rsaKeyBits);
          this.#signers.set(nameOf(ref), { type: 'rsa', ...key });
          return rsaSpki(key.modulus, key.exponent);
        }
        throw new KeyError('unsupported', `GM/T 0017 generates no ${algorithm} keys`);
      }),
    );
  }

  sign(ref: ContainerRef, message: Uint8Array): Promise<Uint8Array> {
    const { rsaSignData } = this.#options.dialect;
    return this.#signWith(ref, async (signer, applicationId, containerId) => {
      if (signer.type === 'ecc') {
        return skf.eccSignData(applicationId, containerId, sm2Digest(message, signer.publicKey));
      }
      if (rsaSignData === 'message') return skf.rsaSignRaw(applicationId, containerId, message);
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', copyBytes(message)));
      return skf.rsaSignData(applicationId, containerId, sha256DigestInfo(digest));
    });
  }

  signRaw(ref: ContainerRef, message: Uint8Array): Promise<Uint8Array> {
    return this.#signWith(ref, ({ type }, applicationId, containerId) =>
      type === 'ecc'
        ? skf.eccSignRaw(applicationId, containerId, sm2DefaultId, message)
        : skf.rsaSignRaw(applicationId, containerId, message),
    );
  }

  importCertificate(ref: ContainerRef, usage: KeyUsage, certificate: Uint8Array): Promise<void> {
    return this.#operations.serially(() =>
      this.#writingIn(ref, async (applicationId, containerId) => {
        if (certificate.length > skf.maxCertificateBytes) throw new KeyError('noRoom', 'the certificate is too long');
        // The command deletes before it writes: it is not sent where it is known to be refused half-way.
        if (this.#options.dialect.passwordForImport && !this.#loggedIn.has(ref.application)) {
          throw new KeyError('notLoggedIn', 'this key takes certificates only after the password');
        }
        const command = skf.importCertificate(applicationId, containerId, usage, certificate);
        await this.#run(command, commandTimeoutMs.write);
      }),
    );
  }

  get importEncryptionKeyPair(): UsbKey['importEncryptionKeyPair'] {
    const { wrappingTarget, importedPrivateKey } = this.#options.dialect;
    if (wrappingTarget !== 'signingKey') return undefined;
    return (ref, envelope) => this.#importKeyPair(ref, envelope, privateKeyForms[importedPrivateKey]);
  }

  deleteContainer(ref: ContainerRef): Promise<void> {
    return this.#operations.serially(() =>
      this.#writing(ref.application, async (applicationId) => {
        this.#signers.delete(nameOf(ref));
        await this.#run(skf.deleteContainer(applicationId, ref.container), commandTimeoutMs.write);
      }),
    );
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = this.#operations.close((exchange) => this.#logOut(exchange));
      this.#options.onClosing?.(this.#closed);
    }
    return this.#closed;
  }

  // --- password, within -----------------------------------------------------------------------------------------------

  /** The counter, or undefined where the key refuses to tell it. */
  async #readTries(applicationId: number): Promise<skf.PinInfo | undefined> {
    const command = skf.getPinInfo(applicationId);
    const { data, sw } = await this.#exchange(command, commandTimeoutMs.brief);
    if (sw === swSuccess) return skf.parsePinInfo(data);
    if (sw === swApplicationNotOpen) throw refusal(sw, command.ins);
    return undefined;
  }

  /** Sends VERIFY once, and reads from the counter what the status word does not tell or what was lost. */
  async #verify(
    application: string,
    command: CommandApdu & { readonly data: Uint8Array },
    before: skf.PinInfo | undefined,
    readTries: () => Promise<skf.PinInfo | undefined>,
  ): Promise<void> {
    let sw: number | undefined;
    let lost: unknown;
    try {
      ({ sw } = await this.#exchange(command, commandTimeoutMs.brief));
    } catch (error) {
      // Without the device there is no counter to read; it is read when the key is back.
      if (this.#operations.over) throw error;
      lost = error;
    } finally {
      command.data.fill(0);
    }
    if (sw === swSuccess) return;
    const after = await readTries().catch(() => undefined);
    const cause = lost === undefined ? undefined : { cause: lost };
    if (sw === swPasswordLocked || after?.remaining === 0) throw new PasswordError('locked', 0, cause);
    const change = before && after ? after.remaining - before.remaining : undefined;
    // 63Cx says wrong; how many tries are left is the counter's to say.
    if ((sw !== undefined && sw >> 8 === 0x63) || (change !== undefined && change < 0)) {
      throw new PasswordError('wrong', after?.remaining ?? this.#triesSaid(sw, before), cause);
    }
    if (sw !== undefined) {
      if (sw === swApplicationNotOpen) this.#forget(application);
      throw refusal(sw, command.ins);
    }
    // Only the right password gives tries back.
    if (change !== undefined && change > 0) return;
    throw new PasswordError('unknown', after?.remaining, cause);
  }

  /** The tries that 63Cx says are left, where the counter cannot be read: believed if they are one less than before. */
  #triesSaid(sw: number | undefined, before: skf.PinInfo | undefined): number | undefined {
    if (sw === undefined || !before) return undefined;
    const said = (this.#options.dialect.triesNibble === 'high' ? sw >> 4 : sw) & 0xf;
    return said === before.remaining - 1 ? said : undefined;
  }

  /** The application is not open any more, and the login went with it. */
  #forget(application: string): void {
    this.#applications.delete(application);
    this.#loggedIn.delete(application);
  }

  /** ClearSecureState and CloseApplication for all that is open; goes on past a refusal, and throws the first. */
  async #logOut(exchange: (command: CommandApdu) => Promise<ResponseApdu>): Promise<void> {
    let failure: KeyError | undefined;
    this.#signers.clear();
    this.#loggedIn.clear();
    for (const [name, { applicationId }] of [...this.#applications]) {
      this.#applications.delete(name);
      const clear = skf.clearSecureState(applicationId);
      const { sw } = await exchange(clear);
      const refused = sw === swSuccess ? undefined : refusal(sw, clear.ins);
      // Nobody was logged in: that is what was wanted.
      if (refused && refused.code !== 'notLoggedIn') failure ??= refused;
      await exchange(skf.closeApplication(applicationId));
    }
    if (failure) throw failure;
  }

  // --- applications and containers, within ----------------------------------------------------------------------------

  async #applicationNames(): Promise<readonly string[]> {
    return skf.parseNames(await this.#run(skf.enumApplications()));
  }

  async #containerNames(applicationId: number): Promise<readonly string[]> {
    return skf.parseNames(await this.#run(skf.enumContainers(applicationId)));
  }

  /** Opens it unless it is open: whether opening again would keep the login is the firmware's secret. */
  async #openApplication(name: string): Promise<skf.OpenedApplication> {
    const known = this.#applications.get(name);
    if (known) return known;
    const opened = skf.parseOpenApplication(await this.#run(skf.openApplication(name)));
    this.#applications.set(name, opened);
    return opened;
  }

  /** The limit of the application that holds containers, or of the first; 0 when there is none or it does not say. */
  async #maxContainersOfApplication(): Promise<number> {
    let first: number | undefined;
    for (const name of await this.#applicationNames()) {
      const { holds, limit } = await this.#reading(name, async (applicationId) => ({
        holds: (await this.#containerNames(applicationId)).length > 0,
        limit: (await this.#openApplication(name)).maxContainers,
      }));
      if (holds) return limit;
      first ??= limit;
    }
    return first ?? 0;
  }

  /** Work that changes nothing: when somebody else closed the application meanwhile, it is opened and read again, once. */
  async #reading<T>(application: string, work: (applicationId: number) => Promise<T>): Promise<T> {
    const wasOpen = this.#applications.has(application);
    try {
      return await this.#writing(application, work);
    } catch (error) {
      if (!wasOpen || !(error instanceof KeyError) || error.statusWord !== swApplicationNotOpen) throw error;
      return this.#writing(application, work);
    }
  }

  /** Work that is done once. An application that turns out not to be open any more is forgotten, and the login with it. */
  async #writing<T>(application: string, work: (applicationId: number) => Promise<T>): Promise<T> {
    try {
      return await work((await this.#openApplication(application)).applicationId);
    } catch (error) {
      if (error instanceof KeyError && error.statusWord === swApplicationNotOpen) this.#forget(application);
      throw error;
    }
  }

  #writingIn<T>(ref: ContainerRef, work: (applicationId: number, containerId: number) => Promise<T>): Promise<T> {
    return this.#writing(ref.application, (applicationId) =>
      this.#inContainer(applicationId, ref.container, (containerId) => work(applicationId, containerId)),
    );
  }

  async #inContainer<T>(applicationId: number, name: string, work: (containerId: number) => Promise<T>): Promise<T> {
    const containerId = skf.parseContainerId(await this.#run(skf.openContainer(applicationId, name)));
    try {
      return await work(containerId);
    } finally {
      await this.#closeContainer(applicationId, containerId);
    }
  }

  /** Tidying up: whether it succeeds changes nothing about the work that was done. */
  async #closeContainer(applicationId: number, containerId: number): Promise<void> {
    if (this.gone.aborted) return;
    await this.#exchange(skf.closeContainer(applicationId, containerId), commandTimeoutMs.brief).catch(() => undefined);
  }

  // --- key pairs, within ----------------------------------------------------------------------------------------------

  /** @returns the signature as a certificate carries it */
  #signWith(
    ref: ContainerRef,
    commandFor: (signer: Signer, applicationId: number, containerId: number) => CommandApdu | Promise<CommandApdu>,
  ): Promise<Uint8Array> {
    return this.#operations.serially(() =>
      this.#writing(ref.application, async (applicationId) => {
        const known = this.#signers.get(nameOf(ref)) ?? (await this.#containerType(applicationId, ref));
        return this.#inContainer(applicationId, ref.container, async (containerId) => {
          // A key that somebody exchanged meanwhile makes a signature that does not verify, never one that misleads.
          const signer = typeof known === 'string' ? await this.#readSigner(applicationId, containerId, known) : known;
          this.#signers.set(nameOf(ref), signer);
          const command = await commandFor(signer, applicationId, containerId);
          const answer = await this.#run(command, this.#options.dialect.signSeconds * 1000);
          if (signer.type === 'ecc') return ecdsaSignatureToDer(skf.parseEccSignature(answer));
          if (answer.length !== signer.modulus.length) {
            throw new KeyError('malformed', `an RSA signature of ${answer.length} bytes`);
          }
          return answer;
        });
      }),
    );
  }

  #importKeyPair(ref: ContainerRef, envelope: EnvelopedKey, form: PrivateKeyForm): Promise<Uint8Array> {
    return this.#operations.serially(() =>
      this.#writingIn(ref, async (applicationId, containerId) => {
        const command = skf.importEccKeyPair(applicationId, containerId, envelope, fieldOf(envelope, form));
        await this.#run(command, commandTimeoutMs.write);
        const answer = await this.#run(skf.exportPublicKey(applicationId, containerId, 'encryption'));
        return sm2Spki(skf.parseEccPublicKey(answer));
      }),
    );
  }

  async #readKeyPair(
    applicationId: number,
    containerId: number,
    ref: ContainerRef,
    info: skf.ContainerInfo,
    usage: KeyUsage,
  ): Promise<StoredKeyPair | undefined> {
    if (info[usage].bits === 0 || info.type === 'empty') return undefined;
    const key = await this.#readSigner(applicationId, containerId, info.type, usage);
    if (usage === 'signing') this.#signers.set(nameOf(ref), key);
    const publicKey = key.type === 'ecc' ? sm2Spki(key.publicKey) : rsaSpki(key.modulus, key.exponent);
    const certificate = info[usage].hasCertificate
      ? await this.#exportCertificate(applicationId, containerId, usage)
      : undefined;
    return { publicKey, certificate };
  }

  /** @throws KeyError `noKeyPair` for an empty container */
  async #containerType(applicationId: number, { container }: ContainerRef): Promise<Signer['type']> {
    const { type } = skf.parseContainerInfo(await this.#run(skf.getContainerInfo(applicationId, container)));
    if (type === 'empty') throw new KeyError('noKeyPair', 'the container is empty');
    return type;
  }

  async #readSigner(
    applicationId: number,
    containerId: number,
    type: Signer['type'],
    usage: KeyUsage = 'signing',
  ): Promise<Signer> {
    const answer = await this.#run(skf.exportPublicKey(applicationId, containerId, usage));
    return type === 'ecc'
      ? { type, publicKey: skf.parseEccPublicKey(answer) }
      : { type, ...skf.parseRsaPublicKey(answer) };
  }

  /** @returns undefined when the key says that there is none after all */
  async #exportCertificate(
    applicationId: number,
    containerId: number,
    usage: KeyUsage,
  ): Promise<Uint8Array | undefined> {
    const command = skf.exportCertificate(applicationId, containerId, usage);
    let received = new Uint8Array();
    for (;;) {
      const { data, sw } = await this.#exchange(command, commandTimeoutMs.brief);
      if (sw !== swSuccess && sw !== swMoreToExport) {
        const refused = refusal(sw, command.ins);
        if (refused.code === 'noCertificate' && received.length === 0) return undefined;
        throw refused;
      }
      received = concat(received, data);
      // Every answer must bring something and the announced length is bounded, so this ends.
      const missing = skf.missingOfExport(received);
      if (sw === swSuccess) return skf.parseExportedCertificate(received);
      if (data.length === 0 || missing === 0) {
        throw new KeyError('malformed', 'the key announces more certificate than there is', sw);
      }
    }
  }

  // --- exchanges ------------------------------------------------------------------------------------------------------

  #exchange(command: CommandApdu, timeoutMs: number): Promise<ResponseApdu> {
    return this.#operations.exchange(command, timeoutMs);
  }

  /** @returns the data of a command that must end with 9000 */
  async #run(command: CommandApdu, timeoutMs: number = commandTimeoutMs.brief): Promise<Uint8Array> {
    const { data, sw } = await this.#exchange(command, timeoutMs);
    if (sw !== swSuccess) throw refusal(sw, command.ins);
    return data;
  }
}

/** @throws KeyError `unsupported` for an envelope in a form that this key cannot be given */
function fieldOf(envelope: EnvelopedKey, form: PrivateKeyForm): Uint8Array {
  try {
    return privateKeyField(envelope, form);
  } catch (cause) {
    if (!(cause instanceof EnvelopedKeyError)) throw cause;
    throw new KeyError('unsupported', cause.message, undefined, { cause });
  }
}
