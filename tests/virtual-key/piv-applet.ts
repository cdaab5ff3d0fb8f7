import { readTlv, readTlvs, type Tlv, tlv, valueOf } from './ber-tlv.ts';
import { bytesToHex, concatBytes, hexToBytes, sameBytes } from './bytes.ts';
import type { Card } from './card.ts';
import { type CommandApdu, parseCommandApdu } from './command-apdu.ts';
import { PowerCutError } from './faults.ts';
import { type Latency, type Operation, noLatency } from './latency.ts';
import type { Memory } from './memory.ts';
import { algorithmId, generateKeyPair, publicKeyObjects, sign, type Sm2SignatureFormat } from './piv-keys.ts';
import { defaultManagementKey, ManagementAuthentication, managementAlgorithmIds } from './piv-management.ts';
import {
  applicationPropertyTemplate,
  hasPlaceFor,
  isPivAid,
  mainSlots,
  objectIn,
  readableAfterPin,
  tagName,
} from './piv-objects.ts';
import { pivAlgorithms, type PivPinPolicy, type PivSlotState, type PivState } from './state.ts';
import { Refusal, statusWords as sw } from './status-words.ts';
import { type Answer, isChained, Transmission } from './transmission.ts';

export interface PivAppletOptions {
  readonly apduLevel?: 'short' | 'extended';
  /** Longest command, chained parts together, in bytes. */
  readonly maxCommandBytes?: number;
  /**
   * As CanoKey's firmware does it: few objects, short APDUs only, version and serial number, the PIN once for any slot,
   * and the parts of a long PUT DATA are written as they come.
   */
  readonly canokey?: boolean;
  readonly sm2SignatureFormat?: Sm2SignatureFormat;
  readonly latency?: Latency;
}

/** What a power cut takes away. */
interface Session {
  readonly transmission: Transmission;
  readonly management: ManagementAuthentication;
  selected: boolean;
  pinVerified: boolean;
  /** Nothing has come between the PIN and what is being asked for. */
  pinFresh: boolean;
  /** The object that a chain of PUT DATA is being written to, part by part. */
  growing: number | undefined;
}

interface Call {
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
  readonly session: Session;
  readonly onSlow: () => void;
}

const nothing = new Uint8Array(0);
const pinBytes = 8;
const pinReference = 0x80;
const managementReference = 0x9b;
const maxObjectBytes = 3072;
const allData = 0x3fff;
const deleted = 0xff;

/** As sent in AA of GENERATE ASYMMETRIC KEY PAIR, and answered in 02 of GET METADATA. */
const policyCodes: Readonly<Record<PivPinPolicy, number>> = { never: 1, once: 2, always: 3 };
const touchNever = 1;
const generatedOnCard = 1;

/** The PIN as VERIFY carries it: padded with FF to eight bytes (NIST SP 800-73-4 part 2 §2.4.3). */
export function paddedPin(pin: string): Uint8Array {
  const padded = new Uint8Array(pinBytes).fill(0xff);
  padded.set(new TextEncoder().encode(pin).subarray(0, pinBytes));
  return padded;
}

/** Six to eight characters, then nothing but FF. */
function looksLikePin(data: Uint8Array): boolean {
  const end = data.indexOf(0xff);
  const length = end < 0 ? data.length : end;
  return data.length === pinBytes && length >= 6 && data.subarray(length).every((byte) => byte === 0xff);
}

/**
 * The firmware of a PIV card over its memory (NIST SP 800-73-4 part 2), with the few commands beyond the standard that
 * its features name. It knows nothing of USB.
 */
export class PivApplet implements Card {
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  readonly answerToReset = Uint8Array.of(0x3b, 0x80, 0x01, 0x81);
  readonly #canokey: boolean;
  readonly #sm2SignatureFormat: Sm2SignatureFormat;
  readonly #latency: Latency;
  readonly #memory: Memory;
  readonly #state: PivState;
  #session: Session | undefined;

  /** @throws RangeError when the memory is not a PIV card's */
  constructor(memory: Memory, options: PivAppletOptions = {}) {
    const { piv } = memory.state;
    if (!piv) throw new RangeError('this state has no PIV application');
    this.#state = piv;
    this.#memory = memory;
    this.apduLevel = options.apduLevel ?? 'extended';
    this.maxCommandBytes = options.maxCommandBytes ?? 4096;
    this.#canokey = options.canokey ?? false;
    this.#sm2SignatureFormat = options.sm2SignatureFormat ?? 'raw';
    this.#latency = options.latency ?? noLatency;
  }

  powerUp(): void {
    this.#session = {
      transmission: new Transmission(),
      management: new ManagementAuthentication(),
      selected: false,
      pinVerified: false,
      pinFresh: false,
      growing: undefined,
    };
  }

  powerDown(): void {
    this.#session = undefined;
  }

  async transmit(bytes: Uint8Array, onSlow: () => void = () => undefined): Promise<Uint8Array> {
    const session = this.#session;
    if (!session) throw new PowerCutError();
    await this.#wait(session, 'apdu');
    let command: CommandApdu | undefined;
    let answer: Answer;
    try {
      command = parseCommandApdu(bytes);
      if (!command || (command.extended && this.apduLevel === 'short')) throw new Refusal(sw.wrongLength);
      answer = await this.#dispatch(command, session, onSlow);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      answer = { data: nothing, statusWord: error.statusWord };
    }
    this.#stillPowered(session);
    // As cards with T=1 do: without an Le field, as much as a short answer carries.
    return session.transmission.fit(answer, command?.expected ?? 256);
  }

  async #dispatch(command: CommandApdu, session: Session, onSlow: () => void): Promise<Answer> {
    const { cla, ins, p1, p2 } = command;
    if (cla === 0x00 && ins === 0xc0) return session.transmission.getResponse(command);
    session.transmission.drop();
    if ((cla & ~0x1c) !== 0) throw new Refusal(sw.unknownClass);
    if ((cla & 0x0c) !== 0) throw new Refusal(sw.secureMessagingUnsupported);
    if (ins !== 0x20 && ins !== 0x87) session.pinFresh = false;
    if (ins === 0xdb && this.#canokey) return { data: await this.#putPart(command, session), statusWord: sw.ok };
    const data = session.transmission.join(command, maxObjectBytes + 64);
    if (isChained(command)) return { data: nothing, statusWord: sw.ok };
    session.growing = undefined;
    if (ins !== 0x87) session.management.interrupt();
    const run = session.selected || ins === 0xa4 ? this.#instructions.get(ins) : undefined;
    if (!run) throw new Refusal(sw.unknownInstruction);
    return { data: await run({ p1, p2, data, session, onSlow }), statusWord: sw.ok };
  }

  readonly #instructions = new Map<number, (call: Call) => Uint8Array | Promise<Uint8Array>>([
    [0x20, (call) => this.#verify(call)],
    [0x47, (call) => this.#generate(call)],
    [0x87, (call) => this.#generalAuthenticate(call)],
    [0xa4, (call) => this.#select(call)],
    [0xcb, (call) => this.#getData(call)],
    [0xdb, (call) => this.#putData(call)],
    [0xf6, (call) => this.#moveKey(call)],
    [0xf7, (call) => this.#getMetadata(call)],
    [0xf8, (call) => this.#getSerial(call)],
    [0xfd, (call) => this.#getVersion(call)],
  ]);

  /** Selecting it again changes nothing (§3.1.1). */
  #select({ p1, p2, data, session }: Call): Uint8Array {
    this.#parameters(p1 === 0x04 && (p2 === 0x00 || p2 === 0x0c));
    if (!isPivAid(data)) throw new Refusal(sw.objectNotFound);
    session.selected = true;
    return p2 === 0x00 ? applicationPropertyTemplate() : nothing;
  }

  // PIN

  /** VERIFY (§3.2.1). Without data it asks for the tries left; with P1 FF it logs out. */
  #verify({ p1, p2, data, session }: Call): Uint8Array {
    this.#parameters(p1 === 0x00 || p1 === 0xff);
    if (p2 !== pinReference) throw new Refusal(sw.referenceNotFound);
    const state = this.#state;
    if (p1 === 0xff) {
      if (data.length > 0) throw new Refusal(sw.wrongData);
      this.#forgetPin(session);
      return nothing;
    }
    if (data.length === 0) {
      if (session.pinVerified) return nothing;
      throw new Refusal(sw.wrongPassword | state.remainingTries);
    }
    if (!looksLikePin(data)) throw new Refusal(sw.wrongData);
    if (state.remainingTries === 0) throw new Refusal(sw.passwordBlocked);
    if (!sameBytes(data, paddedPin(state.pin))) {
      this.#forgetPin(session);
      this.#memory.write(() => (state.remainingTries -= 1));
      throw new Refusal(sw.wrongPassword | state.remainingTries);
    }
    if (state.remainingTries !== state.maxTries) this.#memory.write(() => (state.remainingTries = state.maxTries));
    session.pinVerified = true;
    session.pinFresh = true;
    return nothing;
  }

  #forgetPin(session: Session): void {
    session.pinVerified = false;
    session.pinFresh = false;
  }

  // Data objects

  /** GET DATA (§3.1.2): tag list 5C with one tag. */
  #getData({ p1, p2, data, session }: Call): Uint8Array {
    this.#parameters(p1 * 256 + p2 === allData);
    const list = readTlvs(data);
    const tag = this.#tagIn(list?.length === 1 ? list[0] : undefined);
    if (readableAfterPin.has(tag) && !session.pinVerified) throw new Refusal(sw.notLoggedIn);
    const object = objectIn(this.#state, tag);
    if (!object) throw new Refusal(sw.objectNotFound);
    return object;
  }

  /** PUT DATA (§3.3.2). It replaces an object in one write. */
  async #putData({ p1, p2, data, session, onSlow }: Call): Promise<Uint8Array> {
    this.#administrator(session);
    this.#parameters(p1 * 256 + p2 === allData);
    const { tag, object } = this.#objectToPut(data);
    if (object.length > maxObjectBytes) throw new Refusal(sw.noRoom);
    const content = object.length > 0 ? readTlv(object) : undefined;
    if (object.length > 0 && (content?.object.tag !== 0x53 || content.end !== object.length))
      throw new Refusal(sw.wrongData);
    onSlow();
    await this.#wait(session, 'writeCertificate');
    this.#write(tag, content && content.object.value.length > 0 ? object : nothing);
    return nothing;
  }

  /** One part of a PUT DATA, written at once. Whoever pulls the key in between finds half an object. */
  async #putPart(command: CommandApdu, session: Session): Promise<Uint8Array> {
    if (!session.selected) throw new Refusal(sw.unknownInstruction);
    session.management.interrupt();
    const tagOfChain = session.growing;
    session.growing = undefined;
    this.#administrator(session);
    this.#parameters(command.p1 * 256 + command.p2 === allData);
    const { tag, object } =
      tagOfChain === undefined ? this.#objectToPut(command.data) : { tag: tagOfChain, object: command.data };
    const begun = (tagOfChain !== undefined && objectIn(this.#state, tag)) || nothing;
    const grown = concatBytes(begun, object);
    if (grown.length > maxObjectBytes) throw new Refusal(sw.wrongLength);
    await this.#wait(session, 'writeCertificate');
    this.#write(tag, !isChained(command) && sameBytes(grown, Uint8Array.of(0x53, 0)) ? nothing : grown);
    session.growing = isChained(command) ? tag : undefined;
    return nothing;
  }

  /** Tag list and what is to be written under its tag. */
  #objectToPut(data: Uint8Array): { readonly tag: number; readonly object: Uint8Array } {
    const list = readTlv(data);
    const tag = this.#tagIn(list?.object);
    if (!hasPlaceFor(tag, this.#state.features, this.#canokey)) throw new Refusal(sw.objectNotFound);
    return { tag, object: data.slice(list?.end) };
  }

  #tagIn(list: Tlv | undefined): number {
    if (list?.tag !== 0x5c || list.value.length < 1 || list.value.length > 3) throw new Refusal(sw.wrongData);
    return list.value.reduce((tag, byte) => tag * 256 + byte, 0);
  }

  /** An empty object is an absent one. */
  #write(tag: number, object: Uint8Array): void {
    const { objects } = this.#state;
    const name = tagName(tag);
    const index = objects.findIndex((candidate) => candidate.tag === name);
    const changed = object.length > 0 ? [{ tag: name, data: bytesToHex(object) }] : [];
    this.#memory.write(() => {
      objects.splice(index < 0 ? objects.length : index, 1, ...changed);
    });
  }

  // Keys

  /** GENERATE ASYMMETRIC KEY PAIR (§3.3.1); AA and AB as on cards that let the PIN and touch policies be chosen. */
  async #generate({ p1, p2: slot, data, session, onSlow }: Call): Promise<Uint8Array> {
    this.#administrator(session);
    this.#parameters(p1 === 0 && this.#hasSlot(slot));
    const template = readTlvs(data);
    const fields = readTlvs(valueOf(template, 0xac) ?? nothing);
    const [id] = valueOf(fields, 0x80) ?? nothing;
    const algorithm = pivAlgorithms.find((each) => algorithmId(each, this.#state.features) === id);
    if (template?.length !== 1 || id === undefined || !algorithm) throw new Refusal(sw.wrongData);
    const pinPolicy = this.#pinPolicy(slot, valueOf(fields, 0xaa));
    onSlow();
    const { slots } = this.#state;
    const former = this.#keyIn(slot);
    // The old key is gone before the new one is there.
    if (former) this.#memory.write(() => slots.splice(slots.indexOf(former), 1));
    await this.#wait(session, 'generateKeyPair');
    const pair = await generateKeyPair(algorithm);
    this.#stillPowered(session);
    this.#memory.write(() => slots.push({ slot: tagName(slot), ...pair, pinPolicy }));
    return tlv(0x7f49, publicKeyObjects(pair));
  }

  /** Without a wish: 9E never, 9C for every signature (part 1 table 4b) unless the maker sees it otherwise. */
  #pinPolicy(slot: number, wish: Uint8Array | undefined): PivPinPolicy {
    if (!wish) return slot === 0x9e ? 'never' : slot === 0x9c && !this.#canokey ? 'always' : 'once';
    const policy = (['never', 'once', 'always'] as const).find((name) => policyCodes[name] === wish[0]);
    if (!policy || wish.length !== 1) throw new Refusal(sw.wrongData);
    return policy;
  }

  /** GENERAL AUTHENTICATE (§3.2.4): the management key, or a signature (§A.3, §A.4). */
  async #generalAuthenticate(call: Call): Promise<Uint8Array> {
    const { p1, p2, data, session } = call;
    const template = readTlvs(data);
    const fields = template?.length === 1 ? readTlvs(valueOf(template, 0x7c) ?? nothing) : undefined;
    if (!fields || fields.length === 0) throw new Refusal(sw.wrongData);
    if (p2 === managementReference) {
      session.pinFresh = false;
      return session.management.run(this.#state.managementKey, p1, fields);
    }
    session.management.interrupt();
    return this.#sign(call, fields);
  }

  async #sign({ p1, p2, session, onSlow }: Call, fields: readonly Tlv[]): Promise<Uint8Array> {
    this.#parameters(this.#hasSlot(p2));
    const key = this.#keyIn(p2);
    if (!key) throw new Refusal(sw.referenceNotFound);
    this.#parameters(algorithmId(key.algorithm, this.#state.features) === p1);
    const mayUse = { never: true, once: session.pinVerified, always: session.pinFresh }[key.pinPolicy];
    if (!mayUse) throw new Refusal(sw.notLoggedIn);
    const challenge = valueOf(fields, 0x81);
    if (!challenge || valueOf(fields, 0x82)?.length !== 0) throw new Refusal(sw.wrongData);
    onSlow();
    session.pinFresh = false;
    await this.#wait(session, 'sign');
    return tlv(0x7c, tlv(0x82, sign(key, challenge, this.#sm2SignatureFormat)));
  }

  // Beyond the standard

  /** MOVE KEY, or with P1 FF delete it. Certificates stay where they are. */
  #moveKey({ p1: to, p2: from, data, session }: Call): Uint8Array {
    if (!this.#state.features.moveKey) throw new Refusal(sw.unknownInstruction);
    this.#administrator(session);
    this.#parameters(this.#hasSlot(from) && (to === deleted || this.#hasSlot(to)));
    if (data.length > 0) throw new Refusal(sw.wrongLength);
    const { slots } = this.#state;
    const key = this.#keyIn(from);
    if (!key) throw new Refusal(sw.referenceNotFound);
    if (to !== deleted && this.#keyIn(to)) throw new Refusal(sw.wrongData);
    const moved = to === deleted ? [] : [{ ...key, slot: tagName(to) }];
    this.#memory.write(() => slots.splice(slots.indexOf(key), 1, ...moved));
    return nothing;
  }

  /** GET METADATA: 01 algorithm, 02 policies, 03 origin, 04 public key, 05 still the default, 06 tries. */
  #getMetadata({ p1, p2, data }: Call): Uint8Array {
    const { features, managementKey, maxTries, pin, remainingTries } = this.#state;
    if (!features.metadata) throw new Refusal(sw.unknownInstruction);
    this.#parameters(p1 === 0 && (p2 === pinReference || p2 === managementReference || this.#hasSlot(p2)));
    if (data.length > 0) throw new Refusal(sw.wrongLength);
    const field = (tag: number, ...values: readonly number[]): Uint8Array => tlv(tag, Uint8Array.from(values));
    if (p2 === pinReference)
      return concatBytes(
        field(0x01, 0xff),
        field(0x05, pin === '123456' ? 1 : 0),
        field(0x06, maxTries, remainingTries),
      );
    if (p2 === managementReference)
      return concatBytes(
        field(0x01, managementAlgorithmIds[managementKey.algorithm]),
        field(0x02, 0, touchNever),
        field(0x05, defaultManagementKey.startsWith(managementKey.key) ? 1 : 0),
      );
    const key = this.#keyIn(p2);
    const id = key && algorithmId(key.algorithm, features);
    if (!key || id === undefined) throw new Refusal(sw.referenceNotFound);
    return concatBytes(
      field(0x01, id),
      field(0x02, policyCodes[key.pinPolicy], touchNever),
      field(0x03, generatedOnCard),
      tlv(0x04, publicKeyObjects(key)),
    );
  }

  /** Four bytes, most significant first: the last eight hex digits of the serial number on the case. */
  #getSerial(call: Call): Uint8Array {
    this.#makersQuestion(call);
    const digits = this.#memory.state.info.serialNumber.replaceAll(/[^0-9a-f]/giu, '').slice(-8);
    return hexToBytes(digits.padStart(8, '0'));
  }

  #getVersion(call: Call): Uint8Array {
    this.#makersQuestion(call);
    return Uint8Array.of(...this.#memory.state.info.firmwareVersion, 0);
  }

  #makersQuestion({ p1, p2, data }: Call): void {
    if (!this.#state.features.metadata && !this.#canokey) throw new Refusal(sw.unknownInstruction);
    this.#parameters(p1 === 0 && p2 === 0);
    if (data.length > 0) throw new Refusal(sw.wrongLength);
  }

  // Checks

  #parameters(right: boolean): void {
    if (!right) throw new Refusal(sw.wrongP1P2);
  }

  #administrator({ management }: Session): void {
    if (!management.authenticated) throw new Refusal(sw.notLoggedIn);
  }

  #hasSlot(slot: number): boolean {
    return mainSlots.includes(slot) || this.#state.features.retiredSlots.includes(slot);
  }

  #keyIn(slot: number): PivSlotState | undefined {
    return this.#state.slots.find((candidate) => candidate.slot === tagName(slot));
  }

  // Power

  async #wait(session: Session, operation: Operation): Promise<void> {
    await this.#latency(operation);
    this.#stillPowered(session);
  }

  #stillPowered(session: Session): void {
    if (this.#session !== session) throw new PowerCutError();
  }
}
