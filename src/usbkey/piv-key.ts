import type { CommandApdu } from '../apdu/command.ts';
import type { ResponseApdu } from '../apdu/response.ts';
import type { ApduSession } from '../apdu/session.ts';
import { swPasswordLocked, swSuccess, triesLeft } from '../apdu/status-words.ts';
import { commandTimeoutMs } from '../apdu/timeouts.ts';
import type { PivDialect } from '../device/models.ts';
import { type PublicKeyInfo, readSpki } from '../pki/algorithms.ts';
import { bytesEqual, copyBytes, toHex } from '../pki/bytes.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { signatureOidFor, verifySignature } from '../pki/signature.ts';
import { sm2Digest } from '../pki/sm2.ts';
import { Operations } from './operations.ts';
import * as piv from './piv-commands.ts';
import { PivManager } from './piv-manager.ts';
import {
  cardGuid,
  certificateObjectTag,
  encodeCertificateObject,
  encodeFormerObject,
  encodeFreedObject,
  encodeRestoredObject,
  isOwnName,
  isRetiredSlot,
  maxCertificateBytes,
  objects,
  offCardKeys,
  parseCertificateObject,
  primarySlots,
  slotName,
} from './piv-objects.ts';
import {
  containersOf,
  isUntold,
  keyIn,
  lacksCertificate,
  nameIn,
  nextPromotionStep,
  objectIn,
  type PromotionMove,
  publicKeyOf,
  type Slot,
  slotNamed,
  spareSlots,
  usageOf,
} from './piv-slots.ts';
import { isUnknown, PivWire, status } from './piv-wire.ts';
import { pkcs1Block } from './pkcs1.ts';
import { pivRefusal } from './refusals.ts';
import {
  type Container,
  type ContainerRef,
  KeyError,
  type KeyInfo,
  type KeyPairAlgorithm,
  type KeyUsage,
  type ManagementKeyOrigin,
  PasswordError,
  type PasswordTries,
  type Promoted,
  type StoredKeyPair,
  type UsbKey,
} from './usbkey.ts';

const application = 'PIV';

/** What must be known of a slot to sign with its key. */
interface Signer {
  readonly slot: number;
  readonly algorithm: number;
  readonly publicKey: PublicKeyInfo;
}

/** The password's counter; undefined where the key does not tell. Once it is verified, the key tells nothing else. */
type PasswordState = { readonly remaining: number | undefined } | 'verified';

type Exchange = (command: CommandApdu) => Promise<ResponseApdu>;

export interface PivKeyOptions {
  readonly dialect: PivDialect;
  /** What the device says of itself (iSerialNumber), for a key that says nothing. */
  readonly deviceSerialNumber?: string | undefined;
  /** Called when `close` begins, with what it returns. */
  readonly onClosing?: ((closed: Promise<void>) => void) | undefined;
}

/**
 * A key that speaks PIV (SP 800-73-4). One operation at a time, in the order of the calls. Its slots are containers of one
 * application; what is in them is read anew for every operation, since other programs may have been at it.
 */
export class PivKey implements UsbKey {
  readonly commandSet = 'piv';
  readonly #options: PivKeyOptions;
  readonly #operations: Operations;
  readonly #wire: PivWire;
  readonly #manager: PivManager;
  readonly #slots: readonly number[];
  /** Where containers were last seen: looked at first, never relied on. */
  readonly #places = new Map<string, number>();
  /**
   * Signing keys as last read, by container: between VERIFY and a signature of a key that wants the password every time
   * no other command may come (part 1, “PIN Always”).
   */
  readonly #signers = new Map<string, Signer>();
  #sm2Algorithm: number | undefined;
  #canMoveKeys = false;
  #closed: Promise<void> | undefined;

  /** @param session of a channel that is open, and of no other use meanwhile */
  constructor(session: ApduSession, options: PivKeyOptions) {
    this.#options = options;
    this.#operations = new Operations(session);
    this.#wire = new PivWire(this.#operations);
    this.#manager = new PivManager(this.#wire);
    this.#slots = [...primarySlots, ...options.dialect.retiredSlots.filter(isRetiredSlot)];
    this.#sm2Algorithm = options.dialect.sm2Algorithm;
  }

  get gone(): AbortSignal {
    return this.#operations.gone;
  }

  get managementKey(): ManagementKeyOrigin | undefined {
    return this.#manager.origin;
  }

  /**
   * Selects the PIV application, ends whatever login a page left behind when it crashed or was reloaded, and finds out
   * what the key can do. To be called once, before anything else.
   * @throws KeyError `unsupported` or `malformed` when what answers is no PIV key
   */
  start(): Promise<void> {
    return this.#operations.serially(async () => {
      await this.#select(this.#exchange);
      try {
        await this.#logOut(this.#exchange);
      } catch (error) {
        // A key that cannot end a login is no worse than without asking.
        if (!(error instanceof KeyError)) throw error;
      }
      // There are no such slots to move between: all that comes of it is whether the key knows the command.
      this.#canMoveKeys = !isUnknown((await this.#wire.exchange(piv.probeMoveKey())).sw);
      if (this.#sm2Algorithm !== undefined) {
        const { sw, data } = await this.#wire.exchange(piv.getAlgorithmExtensions());
        if (sw === swSuccess) this.#sm2Algorithm = piv.parseSm2Algorithm(data);
      }
    });
  }

  // --- what is on it --------------------------------------------------------------------------------------------------

  readInfo(): Promise<KeyInfo> {
    return this.#operations.serially(async () => {
      const version = await this.#wire.exchange(piv.getVersion());
      const slots = await this.#readSlots();
      const algorithms: KeyPairAlgorithm[] = ['p256', 'rsa2048'];
      if (this.#sm2Algorithm !== undefined) algorithms.push('sm2');
      return {
        ...{ manufacturer: '', issuer: '', label: '', hardwareVersion: '', algorithms },
        serialNumber: await this.#readSerialNumber(),
        firmwareVersion: version.sw === swSuccess ? piv.parseVersion(version.data) : '',
        maxContainers: containersOf(slots).size + (await this.#spares(slots)).length,
      };
    });
  }

  listApplications(): Promise<readonly string[]> {
    return Promise.resolve([application]);
  }

  listContainers(): Promise<readonly ContainerRef[]> {
    return this.#operations.serially(async () => {
      const containers = containersOf(await this.#readSlots());
      return Array.from(containers.keys(), (container) => ({ application, container }));
    });
  }

  readContainer(ref: ContainerRef): Promise<Container> {
    return this.#operations.serially(async () => {
      const slot = await this.#find(ref);
      const signer = this.#signerOf(slot);
      if (signer) this.#signers.set(ref.container, signer);
      else this.#signers.delete(ref.container);
      const publicKey = publicKeyOf(slot);
      const pair: StoredKeyPair | undefined = publicKey && {
        publicKey,
        certificate: objectIn(slot)?.certificate,
        ...(keyIn(slot)?.passwordPolicy === 'always' ? { passwordForEverySignature: true } : {}),
      };
      const isSigning = usageOf(slot) === 'signing';
      const content = { signing: isSigning ? pair : undefined, encryption: isSigning ? undefined : pair };
      return { ref, ...content, slot: slotName(slot.slot), ...(isUntold(slot) ? { untold: true } : {}) };
    });
  }

  // --- password -------------------------------------------------------------------------------------------------------

  readPasswordTries(name: string): Promise<PasswordTries> {
    return this.#operations.serially(async () => {
      checkApplication(name);
      const state = await this.#readPasswordState();
      const counter = await this.#readPasswordMetadata();
      const remaining = state === 'verified' ? counter?.remaining : state.remaining;
      return { remaining, maximum: counter?.maximum };
    });
  }

  verifyPassword(name: string, password: Uint8Array): Promise<void> {
    return this.#operations.serially(async () => {
      checkApplication(name);
      const before = await this.#readTriesLoggedOut();
      if (before === 0) throw new PasswordError('locked', 0);
      // No key has such a password, so none is asked and no try is spent.
      if (password.length < piv.passwordBytes.least || password.length > piv.passwordBytes.most) {
        throw new PasswordError('wrong', before);
      }
      await this.#verify(password, before);
    });
  }

  useManagementKey(key: Uint8Array): Promise<void> {
    return this.#operations.serially(async () => {
      if (!(await this.#manager.use(key))) throw new PasswordError('wrong', undefined);
    });
  }

  logOut(): Promise<void> {
    return this.#operations.serially(() => this.#logOut(this.#exchange));
  }

  // --- what it does ---------------------------------------------------------------------------------------------------

  createContainer(ref: ContainerRef): Promise<void> {
    return this.#operations.serially(async () => {
      checkApplication(ref.application);
      const { container } = ref;
      if (!isOwnName(container)) throw new KeyError('unsupported', 'a slot keeps only names of this site');
      const slots = await this.#readSlots();
      if (slots.some((slot) => nameIn(slot) === container)) throw new KeyError('containerExists', 'the name is taken');
      const [spare] = await this.#spares(slots);
      if (!spare) throw new KeyError('noRoom', 'no slot is known to be free');
      // A key pair that was left in the slot is not the container's.
      await this.#putObject(spare.slot, encodeCertificateObject({ container, publicKey: keyIn(spare)?.spki }));
      this.#places.set(container, spare.slot);
    });
  }

  generateSigningKeyPair(ref: ContainerRef, wanted: KeyPairAlgorithm): Promise<Uint8Array> {
    return this.#operations.serially(async () => {
      const { p256, rsa2048 } = piv.algorithms;
      const algorithm = { p256, rsa2048, sm2: this.#sm2Algorithm }[wanted];
      if (algorithm === undefined) throw new KeyError('unsupported', `this key makes no ${wanted} keys`);
      const { container } = ref;
      const { slot, key, object } = await this.#findOwn(ref);
      if (typeof object !== 'string' && object.certificate) {
        throw new KeyError('refused', 'there is a certificate for the key pair that would be lost');
      }
      this.#signers.delete(container);
      // A noted key must not outlive its key pair, unless the key can tell the next one from it.
      if (key === 'unknown' && typeof object !== 'string' && object.publicKey) {
        await this.#putObject(slot, encodeCertificateObject({ container }));
      }
      const timeoutMs = wanted === 'rsa2048' ? commandTimeoutMs.generateRsa : commandTimeoutMs.generateEcc;
      const answer = await this.#manager.run(piv.generate(slot, algorithm), timeoutMs);
      const publicKey = await piv.parseGenerated(answer, algorithm, this.#sm2Algorithm);
      if (key === 'unknown') await this.#putObject(slot, encodeCertificateObject({ container, publicKey }));
      this.#signers.set(container, { slot, algorithm, publicKey: readSpki(publicKey) });
      return publicKey;
    });
  }

  sign(ref: ContainerRef, message: Uint8Array): Promise<Uint8Array> {
    return this.#operations.serially(async () => {
      // A key that somebody exchanged meanwhile makes a signature that does not verify, never one that misleads.
      const signer = this.#signers.get(ref.container) ?? this.#signerOf(await this.#find(ref));
      if (!signer) throw new KeyError('noKeyPair', 'the slot has no key pair that signs here');
      this.#signers.set(ref.container, signer);
      return this.#signWith(signer, message);
    });
  }

  importCertificate(ref: ContainerRef, usage: KeyUsage, certificate: Uint8Array): Promise<void> {
    return this.#operations.serially(async () => {
      if (usage === 'encryption') throw new KeyError('unsupported', 'a PIV key takes signing certificates only');
      if (certificate.length > maxCertificateBytes) throw new KeyError('noRoom', 'the certificate is too long');
      const slot = await this.#findOwn(ref);
      if (slot.key === 'absent') throw new KeyError('noKeyPair', 'the slot has no key pair');
      // Where the key does not tell its public key, the note of it stays: a cut in the middle leaves it readable.
      const publicKey = slot.key === 'unknown' ? objectIn(slot)?.publicKey : undefined;
      const { container } = ref;
      await this.#putObject(slot.slot, encodeCertificateObject({ container, certificate, publicKey }));
    });
  }

  restoreCertificate(ref: ContainerRef, certificate: Uint8Array, container: string | undefined): Promise<ContainerRef> {
    return this.#operations.serially(async () => {
      checkApplication(ref.application);
      if (certificate.length > maxCertificateBytes) throw new KeyError('noRoom', 'the certificate is too long');
      const place = this.#places.get(ref.container) ?? slotNamed(ref.container, this.#slots);
      if (place === undefined) throw new KeyError('notFound', 'no slot has this name');
      const { spki } = parseCertificate(certificate);
      // First of all: there are slots that want the password before each signature, and nothing in between.
      if (!(await this.#signsFor(place, spki))) throw new KeyError('noKeyPair', 'the slot has another key pair');
      const slots = await this.#readSlots();
      const slot = slots.find((one) => one.slot === place);
      if (!slot || containersOf(slots).get(ref.container) !== slot) throw new KeyError('notFound', 'no such container');
      if (!lacksCertificate(slot)) throw new KeyError('refused', 'there is a certificate already');
      const told = publicKeyOf(slot);
      if (slot.key === 'absent' || (told && !bytesEqual(told, spki)))
        throw new KeyError('noKeyPair', 'the slot tells of another key pair');
      const isFree = container !== undefined && isOwnName(container) && !slots.some((one) => nameIn(one) === container);
      const publicKey = slot.key === 'unknown' ? spki : undefined;
      const content = { container: isFree ? container : undefined, certificate, publicKey };
      await this.#putObject(place, encodeRestoredObject(objectIn(slot), content));
      this.#signers.clear();
      const name = [...containersOf(await this.#readSlots())].find(([, one]) => one.slot === place)?.[0];
      return { application, container: name ?? ref.container };
    });
  }

  deleteContainer(ref: ContainerRef): Promise<void> {
    return this.#operations.serially(async () => {
      const { slot, key } = await this.#findOwn(ref);
      this.#signers.delete(ref.container);
      this.#places.delete(ref.container);
      // The key first: until its object is emptied too, the name still says whose slot it is.
      const isKeyGone = key === 'absent' || (this.#canMoveKeys && (await this.#deleteKey(slot)));
      const isFree = isKeyGone || this.#options.dialect.spareSlot === 'noCertificate' || !isRetiredSlot(slot);
      await this.#putObject(slot, isFree ? [] : encodeFreedObject(typeof key === 'string' ? undefined : key.spki));
    });
  }

  get promote(): ((fresh: ContainerRef, former: ContainerRef) => Promise<Promoted>) | undefined {
    if (!this.#canMoveKeys || this.#options.dialect.spareSlot === 'noCertificate') return undefined;
    return (fresh, former) =>
      this.#operations.serially(() => {
        checkApplication(fresh.application);
        checkApplication(former.application);
        return this.#promote(fresh.container, former.container);
      });
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = this.#operations.close((exchange) => this.#logOut(exchange));
      this.#options.onClosing?.(this.#closed);
    }
    return this.#closed;
  }

  // --- login, within --------------------------------------------------------------------------------------------------

  readonly #exchange: Exchange = (command) => this.#wire.exchange(command);

  async #select(exchange: Exchange): Promise<void> {
    const { sw, data } = await exchange(piv.selectPiv());
    if (sw !== swSuccess) throw new KeyError('unsupported', 'the key has no PIV application', sw);
    piv.checkSelected(data);
  }

  /**
   * Ends the password's verified state, and the manager's: by P1 FF, and by selecting another application, which resets
   * all that was verified (SP 800-73-4 part 2, §3.1.1).
   */
  async #logOut(exchange: Exchange): Promise<void> {
    this.#manager.forget();
    await exchange(piv.forgetPassword());
    for (const other of piv.selectOthers()) if ((await exchange(other)).sw === swSuccess) break;
    await this.#select(exchange);
    const { sw } = await exchange(piv.passwordStatus());
    if (sw === swSuccess) throw new KeyError('refused', 'the key does not forget the password', sw);
  }

  async #readPasswordState(): Promise<PasswordState> {
    const { sw } = await this.#wire.exchange(piv.passwordStatus());
    if (sw === swSuccess) return 'verified';
    return { remaining: sw === swPasswordLocked ? 0 : triesLeft(sw) };
  }

  /** The counter. A login that hides it is ended first: another one is about to begin. */
  async #readTriesLoggedOut(): Promise<number | undefined> {
    const first = await this.#readPasswordState();
    if (first !== 'verified') return first.remaining;
    await this.#wire.exchange(piv.forgetPassword());
    const second = await this.#readPasswordState();
    return second === 'verified' ? undefined : second.remaining;
  }

  async #readPasswordMetadata(): Promise<{ maximum: number; remaining: number } | undefined> {
    const answer = await this.#wire.metadata(piv.passwordReference);
    return answer?.sw === swSuccess ? piv.parsePasswordMetadata(answer.data) : undefined;
  }

  /**
   * Sends VERIFY once, and reads from the counter what was lost on the way.
   * @param before what was left; undefined where the key did not tell
   */
  async #verify(password: Uint8Array, before: number | undefined): Promise<void> {
    const command = piv.verify(password);
    let sw: number | undefined;
    let lost: unknown;
    try {
      ({ sw } = await this.#wire.exchange(command));
    } catch (error) {
      // Without the device there is no counter to read; it is read when the key is back.
      if (this.#operations.over) throw error;
      lost = error;
    } finally {
      command.data.fill(0);
    }
    if (sw === swSuccess) return;
    const cause = lost === undefined ? undefined : { cause: lost };
    const after = await this.#readPasswordState().catch(() => ({ remaining: undefined }));
    if (after === 'verified') {
      if (sw !== undefined) throw pivRefusal(sw, command.ins);
      // It was not verified before, so the answer that was lost was the good one.
      if (before !== undefined) return;
      throw new PasswordError('unknown', undefined, cause);
    }
    const said = sw === undefined ? undefined : triesLeft(sw);
    const remaining = after.remaining ?? said;
    if (sw === swPasswordLocked || remaining === 0) throw new PasswordError('locked', 0, cause);
    const change = before !== undefined && remaining !== undefined ? remaining - before : 0;
    if (said !== undefined || change < 0) throw new PasswordError('wrong', remaining, cause);
    if (sw !== undefined) throw pivRefusal(sw, command.ins);
    // Only the right password gives tries back.
    if (change <= 0) throw new PasswordError('unknown', remaining, cause);
  }

  // --- slots, within --------------------------------------------------------------------------------------------------

  async #readSlots(): Promise<readonly Slot[]> {
    const slots: Slot[] = [];
    for (const slot of this.#slots) slots.push(await this.#readSlot(slot));
    this.#places.clear();
    for (const [name, { slot }] of containersOf(slots)) this.#places.set(name, slot);
    return slots;
  }

  async #readSlot(slot: number): Promise<Slot> {
    const { sw, data } = await this.#wire.exchange(piv.getData(certificateObjectTag(slot)));
    const content = sw === swSuccess ? (parseCertificateObject(data) ?? 'absent') : 'refused';
    return { slot, object: sw === status.notFound ? 'absent' : content, key: await this.#readKey(slot) };
  }

  async #readKey(slot: number): Promise<Slot['key']> {
    const answer = await this.#wire.metadata(slot);
    if (answer?.sw === status.noSuchKey) return 'absent';
    if (answer?.sw !== swSuccess) return 'unknown';
    const metadata = piv.parseSlotMetadata(answer.data);
    const { algorithm, passwordPolicy } = metadata;
    return { algorithm, passwordPolicy, spki: await piv.metadataSpki(metadata, this.#sm2Algorithm) };
  }

  async #spares(slots: readonly Slot[]): Promise<readonly Slot[]> {
    const history = await this.#wire.readObject(objects.keyHistory);
    const offCard = history === 'absent' ? 0 : history === 'unreadable' ? undefined : offCardKeys(history);
    return spareSlots(slots, this.#options.dialect.spareSlot, offCard);
  }

  /** Looks where the container was last; only where it is no more, everywhere. */
  async #find({ application: name, container }: ContainerRef): Promise<Slot> {
    checkApplication(name);
    const place = this.#places.get(container) ?? slotNamed(container, this.#slots);
    const there = place === undefined ? undefined : await this.#readSlot(place);
    // One slot alone tells its container's name, unless another may bear the same, and the key.
    if (there && containersOf([there]).has(container) && (keyIn(there) || !isOwnName(container))) return there;
    const slot = containersOf(await this.#readSlots()).get(container);
    if (!slot) throw new KeyError('notFound', 'no slot has this name');
    return slot;
  }

  /** A container that this site has made: into others nothing is written. */
  async #findOwn(ref: ContainerRef): Promise<Slot> {
    const slot = await this.#find(ref);
    if (!isOwnName(ref.container)) throw new KeyError('unsupported', 'the slot is not of this site');
    return slot;
  }

  /** @returns undefined where there is no key pair, or one of a kind that is not known here */
  #signerOf(slot: Slot): Signer | undefined {
    const spki = publicKeyOf(slot);
    if (!spki) return undefined;
    const publicKey = readSpki(spki);
    const algorithm = keyIn(slot)?.algorithm ?? this.#usualAlgorithm(publicKey);
    return algorithm === undefined ? undefined : { slot: slot.slot, algorithm, publicKey };
  }

  #usualAlgorithm(publicKey: PublicKeyInfo): number | undefined {
    const { p256, p384 } = piv.algorithms;
    return { p256, p384, sm2: this.#sm2Algorithm, rsa: piv.rsaAlgorithm(publicKey.bits) }[publicKey.algorithm];
  }

  /** Signs a message: for the curves its digest, for RSA a padded one. @returns as `sign` */
  async #signWith({ slot, algorithm, publicKey }: Signer, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const signed = (challenge: Uint8Array) =>
      this.#wire.run(piv.sign(algorithm, slot, challenge), commandTimeoutMs.sign);
    switch (publicKey.algorithm) {
      case 'sm2':
        return piv.parseEcSignature(await signed(sm2Digest(message, publicKey.publicKey)), 32);
      case 'p256':
        return piv.parseEcSignature(await signed(await digest('SHA-256', message)), 32);
      case 'p384':
        return piv.parseEcSignature(await signed(await digest('SHA-384', message)), 48);
      case 'rsa': {
        const { length } = publicKey.modulus;
        return piv.parseRsaSignature(await signed(pkcs1Block(await digest('SHA-256', message), length)), length);
      }
    }
  }

  /** Whether the private key in a slot is that of a public key: it signs something nobody could know before. */
  async #signsFor(slot: number, spki: Uint8Array): Promise<boolean> {
    const publicKey = readSpki(spki);
    const algorithm = this.#usualAlgorithm(publicKey);
    if (algorithm === undefined) return false;
    const message = crypto.getRandomValues(new Uint8Array(32));
    const signature = await this.#signWith({ slot, algorithm, publicKey }, message);
    return verifySignature({ spki, algorithm: signatureOidFor(publicKey.algorithm), message, signature });
  }

  async #putObject(slot: number, elements: readonly Uint8Array[]): Promise<void> {
    await this.#manager.run(piv.putData(certificateObjectTag(slot), elements));
  }

  /** @returns false on a key that cannot */
  async #deleteKey(slot: number): Promise<boolean> {
    try {
      await this.#manager.run(piv.deleteKey(slot));
      return true;
    } catch (error) {
      if (!(error instanceof KeyError) || error.statusWord === undefined) throw error;
      if (error.statusWord !== status.noSuchKey && error.code !== 'unsupported') throw error;
      return error.statusWord === status.noSuchKey;
    }
  }

  // --- moving a pair, within ------------------------------------------------------------------------------------------

  async #promote(fresh: string, former: string): Promise<Promoted> {
    this.#signers.clear();
    // What is next is computed from what is there; there are five steps, and one more look.
    for (let looks = 0; looks < 8; looks++) {
      const slots = await this.#readSlots();
      const step = nextPromotionStep(slots, fresh, former, await this.#spares(slots));
      switch (step.kind) {
        case 'done': {
          const nameOf = (wanted: Slot) => [...containersOf(slots)].find(([, slot]) => slot === wanted)?.[0] ?? former;
          const refOf = (slot: Slot): ContainerRef => ({ application, container: nameOf(slot) });
          return { fresh: refOf(step.fresh), former: refOf(step.former) };
        }
        case 'not':
          throw new KeyError(step.because, 'the new pair cannot take the place of the former one');
        default:
          await this.#move(step, fresh);
      }
    }
    throw new KeyError('writeFailed', 'the key does not hold what was written to it');
  }

  async #move(step: PromotionMove, fresh: string): Promise<void> {
    const { to } = step;
    switch (step.kind) {
      case 'copyFormer':
        return this.#putObject(to.slot, encodeFormerObject(step.object, fresh));
      case 'copyFresh':
        return this.#putObject(
          to.slot,
          encodeCertificateObject({ container: fresh, certificate: step.object.certificate }),
        );
      case 'clear':
        return this.#putObject(to.slot, []);
      case 'moveFresh':
        await this.#manager.run(piv.moveKey(to.slot, step.from.slot));
        return;
      case 'moveFormer':
        try {
          await this.#manager.run(piv.moveKey(to.slot, step.from.slot));
        } catch (error) {
          // A key that refuses to move keys after all: the copy is taken back, and nothing has happened.
          if (error instanceof KeyError && error.statusWord !== undefined) await this.#putObject(to.slot, []);
          throw error;
        }
    }
  }

  // --- exchanges ------------------------------------------------------------------------------------------------------

  /** The key's number, or the card's GUID, or the device's: whatever tells one key from another and stays. */
  async #readSerialNumber(): Promise<string> {
    const { sw, data } = await this.#wire.exchange(piv.getSerial());
    const serial = sw === swSuccess ? piv.parseSerial(data) : undefined;
    if (serial !== undefined) return serial;
    const chuid = await this.#wire.readObject(objects.chuid);
    const guid = typeof chuid === 'string' ? undefined : cardGuid(chuid);
    return guid ? toHex(guid).toUpperCase() : (this.#options.deviceSerialNumber ?? '');
  }
}

function checkApplication(name: string): void {
  if (name !== application) throw new KeyError('notFound', 'a PIV key has one application');
}

async function digest(hash: 'SHA-256' | 'SHA-384', message: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest(hash, copyBytes(message)));
}
