import { sha1 } from '@noble/hashes/legacy.js';
import { Sm2Error, sm2Decrypt, sm2Digest, sm2GenerateKeyPair, sm2PublicKey, sm2SignDigest } from '../../src/pki/sm2.ts';
import { sm4EcbDecrypt, sm4EcbEncrypt } from '../../src/pki/sm4.ts';
import { bytesToHex, concatBytes, hexToBytes, littleEndian, paddedText, sameBytes } from './bytes.ts';
import type { Card } from './card.ts';
import { type CommandApdu, parseCommandApdu } from './command-apdu.ts';
import { looksLikeCertificate } from './der-outline.ts';
import { PowerCutError } from './faults.ts';
import { FieldReader } from './field-reader.ts';
import { type Latency, type Operation, noLatency } from './latency.ts';
import type { Memory } from './memory.ts';
import { bigEndian, generateRsaKeyPair, readRsaPrivateKey, signSha256, signType1 } from './rsa.ts';
import type { ApplicationState, ContainerState, KeyPairState } from './state.ts';
import { Refusal, statusWords as sw } from './status-words.ts';
import { type Answer, isChained, Transmission } from './transmission.ts';

export interface AppletOptions {
  readonly apduLevel?: 'short' | 'extended';
  /** Longest command, chained parts together, in bytes. */
  readonly maxCommandBytes?: number;
  /** The most data one ExportCertificate answers with; the rest follows with 6A9E. */
  readonly answerLimit?: number;
  readonly latency?: Latency;
}

/** What a power cut takes away. */
interface Session {
  readonly openApplications: Set<number>;
  /** `appID/containerID` */
  readonly openContainers: Set<string>;
  readonly loggedIn: Set<number>;
  /** The last GenRandom's 8 bytes, for one password proof. */
  challenge: Uint8Array | undefined;
  readonly transmission: Transmission;
  /** How much of a certificate was given out, for the next ExportCertificate of the same one. */
  exported: { readonly of: string; offset: number } | undefined;
}

interface Call {
  readonly p1: number;
  readonly p2: number;
  readonly fields: FieldReader;
  readonly expected: number;
  readonly session: Session;
  readonly onSlow: () => void;
}

interface Instruction {
  /** Whether the answer carries data, so that the command needs an Le field. */
  readonly answers: boolean;
  readonly run: (call: Call) => Uint8Array | Answer | undefined | Promise<Uint8Array | Answer | undefined>;
}

type Slot = 'signing' | 'encryption';

const nothing = new Uint8Array(0);
const adminTries = 10;
const challengeBytes = 8;
const maxRandomBytes = 256;
const maxNameBytes = 64;
const maxCertificateBytes = 4096;
const rsaBits = 2048;
const sm2Bits = 256;
/** SGD_SM4_ECB (GM/T 0006). */
const sm4Ecb = 0x401;

function containerType(container: ContainerState): number {
  const algorithm = (container.signing ?? container.encryption)?.algorithm;
  return algorithm === undefined ? 0 : algorithm === 'rsa' ? 1 : 2;
}

function bitsOf(pair: KeyPairState | undefined): number {
  if (!pair) return 0;
  return pair.algorithm === 'sm2' ? sm2Bits : readRsaPrivateKey(hexToBytes(pair.privateKey)).bytes * 8;
}

/** 01 signing, 00 encryption. */
function slotOf(code: number, otherwise: number): Slot {
  if (code > 1) throw new Refusal(otherwise);
  return code === 1 ? 'signing' : 'encryption';
}

/** Names, each followed by NUL, the list by one more; nothing for no names. */
function nameList(names: readonly string[]): Uint8Array {
  return names.length === 0 ? nothing : new TextEncoder().encode(names.map((name) => `${name}\0`).join('') + '\0');
}

/** The key that a password's proof is made with: SHA-1 of the password, zero padded to 16 bytes, first 16 bytes. */
export function passwordKey(password: Uint8Array): Uint8Array {
  const padded = new Uint8Array(16);
  padded.set(password.subarray(0, 16));
  return sha1(padded).slice(0, 16);
}

/**
 * The firmware of a GM/T 0017 key over its memory: checks lengths, identifiers and rights and answers with the
 * standard's status words. It knows nothing of USB.
 */
export class Gmt0017Applet implements Card {
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  readonly answerToReset = Uint8Array.of(0x3b, 0x80, 0x01, 0x81);
  readonly #answerLimit: number;
  readonly #latency: Latency;
  readonly #memory: Memory;
  #session: Session | undefined;

  constructor(memory: Memory, options: AppletOptions = {}) {
    this.#memory = memory;
    this.apduLevel = options.apduLevel ?? 'extended';
    this.maxCommandBytes = options.maxCommandBytes ?? 4096;
    this.#answerLimit = options.answerLimit ?? 2048;
    this.#latency = options.latency ?? noLatency;
  }

  powerUp(): void {
    this.#session = {
      openApplications: new Set(),
      openContainers: new Set(),
      loggedIn: new Set(),
      challenge: undefined,
      transmission: new Transmission(),
      exported: undefined,
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
    return session.transmission.fit(answer, command?.expected ?? 0);
  }

  async #dispatch(command: CommandApdu, session: Session, onSlow: () => void): Promise<Answer> {
    if (command.cla === 0x00 && command.ins === 0xc0) return session.transmission.getResponse(command);
    session.transmission.drop();
    const chained = isChained(command);
    const cla = command.cla & ~0x10;
    if (cla === 0x84) throw new Refusal(sw.secureMessagingUnsupported);
    if (cla !== 0x80) throw new Refusal(sw.unknownClass);
    const data = session.transmission.join(command, this.#maxDataCommandBytes);
    if (chained) return { data: nothing, statusWord: sw.ok };
    const instruction = this.#instructions.get(command.ins);
    if (command.ins !== 0x4e) session.exported = undefined;
    if (!instruction) throw new Refusal(sw.unknownInstruction);
    if (instruction.answers && command.expected === undefined) throw new Refusal(sw.wrongLength);
    const { p1, p2, expected = 0 } = command;
    const result = await instruction.run({ p1, p2, expected, session, onSlow, fields: new FieldReader(data) });
    if (result && 'statusWord' in result) return result;
    return { data: result ?? nothing, statusWord: sw.ok };
  }

  /** Chaining carries more than one short command. */
  get #maxDataCommandBytes(): number {
    return this.apduLevel === 'short' ? maxCertificateBytes + 64 : this.maxCommandBytes;
  }

  readonly #instructions = new Map<number, Instruction>([
    [0x02, { answers: false, run: (call) => this.#setLabel(call) }],
    [0x04, { answers: true, run: (call) => this.#getDevInfo(call) }],
    [0x14, { answers: true, run: (call) => this.#getPinInfo(call) }],
    [0x18, { answers: false, run: (call) => this.#verifyPin(call) }],
    [0x1c, { answers: false, run: (call) => this.#clearSecureState(call) }],
    [0x22, { answers: true, run: (call) => this.#enumApplication(call) }],
    [0x26, { answers: true, run: (call) => this.#openApplication(call) }],
    [0x28, { answers: false, run: (call) => this.#closeApplication(call) }],
    [0x40, { answers: true, run: (call) => this.#createContainer(call) }],
    [0x42, { answers: true, run: (call) => this.#openContainer(call) }],
    [0x44, { answers: false, run: (call) => this.#closeContainer(call) }],
    [0x46, { answers: true, run: (call) => this.#enumContainer(call) }],
    [0x48, { answers: false, run: (call) => this.#deleteContainer(call) }],
    [0x4a, { answers: true, run: (call) => this.#getContainerInfo(call) }],
    [0x4c, { answers: false, run: (call) => this.#importCertificate(call) }],
    [0x4e, { answers: true, run: (call) => this.#exportCertificate(call) }],
    [0x50, { answers: true, run: (call) => this.#genRandom(call) }],
    [0x54, { answers: true, run: (call) => this.#genRsaKeyPair(call) }],
    [0x58, { answers: true, run: (call) => this.#rsaSignData(call) }],
    [0x70, { answers: true, run: (call) => this.#genEccKeyPair(call) }],
    [0x72, { answers: false, run: (call) => this.#importEccKeyPair(call) }],
    [0x74, { answers: true, run: (call) => this.#eccSignData(call) }],
    [0x88, { answers: true, run: (call) => this.#exportPublicKey(call) }],
  ]);

  // Device

  #setLabel({ p1, p2, fields }: Call): undefined {
    this.#parameters(p1 === 0 && p2 === 0);
    const label = fields.rest();
    if (label.length < 1 || label.length > 32) throw new Refusal(sw.wrongLength);
    const text = new TextDecoder().decode(label);
    this.#write(() => {
      this.#memory.state.info.label = text;
    });
  }

  #getDevInfo({ p1, p2, fields }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    fields.end();
    const { info, applications } = this.#memory.state;
    const used = applications.reduce((sum, application) => sum + application.containers.length, 0);
    const total = 65536;
    return concatBytes(
      Uint8Array.of(1, 0, 1, 0), // structure and specification 1.0
      paddedText(info.manufacturer, 64),
      paddedText(info.issuer, 64),
      paddedText(info.label, 32),
      paddedText(info.serialNumber, 32),
      Uint8Array.of(1, 0, ...info.firmwareVersion),
      littleEndian(sm4Ecb, 4),
      littleEndian(0x00030700, 4), // RSA and SM2 (GM/T 0006: 00010000, 000207xx)
      littleEndian(0x00000005, 4), // SM3, SHA-256
      littleEndian(sm4Ecb, 4),
      littleEndian(total, 4),
      littleEndian(Math.max(0, total - used * 4096), 4),
      littleEndian(this.apduLevel === 'short' ? 261 : this.maxCommandBytes, 2),
      littleEndian(0, 2),
      littleEndian(0, 2),
      Uint8Array.of(info.maxContainers & 0xff, (info.maxContainers * 2) & 0xff),
      littleEndian(0, 2),
      new Uint8Array(54),
    );
  }

  #genRandom({ p1, p2, fields, expected, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    fields.end();
    if (expected > maxRandomBytes) throw new Refusal(sw.wrongLength);
    const random = crypto.getRandomValues(new Uint8Array(expected));
    session.challenge = expected === challengeBytes ? random.slice() : undefined;
    return random;
  }

  // Password

  #getPinInfo({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 <= 1);
    const application = this.#application(fields, session);
    fields.end();
    if (p2 === 0) return Uint8Array.of(adminTries, adminTries, 0);
    return Uint8Array.of(application.maxTries, application.remainingTries, 0);
  }

  #verifyPin({ p1, p2, fields, session }: Call): undefined {
    this.#parameters(p1 === 0 && p2 <= 1);
    const application = this.#application(fields, session);
    const proof = fields.bytes(16);
    fields.end();
    const { challenge } = session;
    session.challenge = undefined;
    if (p2 === 0) throw new Refusal(sw.conditionsNotSatisfied); // nobody holds this key's administrator password
    if (application.remainingTries === 0) throw new Refusal(sw.passwordBlocked);
    if (!challenge) throw new Refusal(sw.conditionsNotSatisfied);
    const key = passwordKey(new TextEncoder().encode(application.userPassword));
    const right = sm4EcbEncrypt(key, concatBytes(challenge, new Uint8Array(8)));
    if (!sameBytes(proof, right)) {
      session.loggedIn.delete(application.id);
      this.#write(() => (application.remainingTries -= 1));
      throw new Refusal(sw.wrongPassword | application.remainingTries);
    }
    if (application.remainingTries !== application.maxTries)
      this.#write(() => (application.remainingTries = application.maxTries));
    session.loggedIn.add(application.id);
  }

  #clearSecureState({ p1, p2, fields, session }: Call): undefined {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    fields.end();
    session.loggedIn.delete(application.id);
    session.challenge = undefined;
  }

  // Applications

  #enumApplication({ p1, p2, fields }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    fields.end();
    return nameList(this.#memory.state.applications.map(({ name }) => name));
  }

  #openApplication({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    const name = new TextDecoder().decode(fields.rest());
    const application = this.#memory.state.applications.find((candidate) => candidate.name === name);
    if (!application) throw new Refusal(sw.noApplication);
    session.openApplications.add(application.id);
    const { maxContainers } = this.#memory.state.info;
    return concatBytes(
      littleEndian(0x10, 4), // the user's right
      Uint8Array.of(maxContainers & 0xff, (maxContainers * 2) & 0xff),
      littleEndian(0, 2),
      littleEndian(application.id, 2),
    );
  }

  #closeApplication({ p1, p2, fields, session }: Call): undefined {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    fields.end();
    session.openApplications.delete(application.id);
    for (const container of application.containers) session.openContainers.delete(`${application.id}/${container.id}`);
  }

  // Containers

  #createContainer({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    const name = this.#containerName(fields);
    this.#loggedIn(application, session);
    const { containers } = application;
    if (containers.some((container) => container.name === name)) throw new Refusal(sw.containerExists);
    if (containers.length >= this.#memory.state.info.maxContainers) throw new Refusal(sw.noRoom);
    const id = application.nextContainerId;
    this.#write(() => {
      containers.push({ name, id });
      application.nextContainerId += 1;
    });
    session.openContainers.add(`${application.id}/${id}`);
    return littleEndian(id, 2);
  }

  #openContainer({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    const container = this.#containerByName(application, fields);
    session.openContainers.add(`${application.id}/${container.id}`);
    return littleEndian(container.id, 2);
  }

  #closeContainer({ p1, p2, fields, session }: Call): undefined {
    this.#parameters(p1 === 0 && p2 === 0);
    const { application, container } = this.#container(fields, session);
    fields.end();
    session.openContainers.delete(`${application.id}/${container.id}`);
  }

  #enumContainer({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    fields.end();
    return nameList(application.containers.map(({ name }) => name));
  }

  #deleteContainer({ p1, p2, fields, session }: Call): undefined {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    const container = this.#containerByName(application, fields);
    this.#loggedIn(application, session);
    this.#write(() => application.containers.splice(application.containers.indexOf(container), 1));
    session.openContainers.delete(`${application.id}/${container.id}`);
  }

  #getContainerInfo({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 === 0 && p2 === 0);
    const application = this.#application(fields, session);
    const container = this.#containerByName(application, fields);
    return concatBytes(
      littleEndian(containerType(container), 1),
      littleEndian(bitsOf(container.signing), 4),
      littleEndian(bitsOf(container.encryption), 4),
      littleEndian(container.signing?.certificate === undefined ? 0 : 1, 1),
      littleEndian(container.encryption?.certificate === undefined ? 0 : 1, 1),
    );
  }

  // Certificates

  async #importCertificate({ p1, p2, fields, session, onSlow }: Call): Promise<undefined> {
    this.#parameters(p1 === 0 && p2 === 0);
    const { container } = this.#container(fields, session);
    const slot = slotOf(fields.integer(1), sw.wrongData);
    const certificate = fields.bytes(fields.integer(4));
    fields.end();
    const pair = container[slot];
    if (!pair) throw new Refusal(sw.noKeyPair);
    if (!looksLikeCertificate(certificate)) throw new Refusal(sw.wrongData);
    if (certificate.length > maxCertificateBytes) throw new Refusal(sw.noRoom);
    onSlow();
    // The old file goes first, as on real keys: whoever pulls the key in between has no certificate there.
    if (pair.certificate !== undefined)
      this.#write(() => {
        delete pair.certificate;
      });
    await this.#wait(session, 'writeCertificate');
    this.#write(() => (pair.certificate = bytesToHex(certificate)));
  }

  #exportCertificate({ p1, p2, fields, session }: Call): Answer {
    this.#parameters(p1 <= 1 && p2 === 0);
    const slot = slotOf(p1, sw.wrongP1P2);
    const { application, container } = this.#container(fields, session);
    fields.end();
    const certificate = container[slot]?.certificate;
    if (certificate === undefined) throw new Refusal(sw.noCertificate);
    const der = hexToBytes(certificate);
    const whole = concatBytes(littleEndian(der.length, 4), der);
    const of = `${application.id}/${container.id}/${slot}`;
    const begin = session.exported?.of === of ? session.exported.offset : 0;
    const end = begin + this.#answerLimit;
    const more = end < whole.length;
    session.exported = more ? { of, offset: end } : undefined;
    return { data: whole.slice(begin, end), statusWord: more ? sw.moreData : sw.ok };
  }

  // Key pairs

  async #genRsaKeyPair({ p1, p2, fields, session, onSlow }: Call): Promise<Uint8Array> {
    this.#parameters(p1 === 0 && p2 === 0);
    const { application, container } = this.#container(fields, session);
    const bits = fields.integer(2);
    fields.end();
    this.#loggedIn(application, session);
    if (bits !== rsaBits) throw new Refusal(sw.wrongData);
    onSlow();
    this.#destroySigningKey(container);
    await this.#wait(session, 'generateKeyPair');
    const pair = await generateRsaKeyPair(bits).catch(() => {
      throw new Refusal(sw.keyGenerationFailed);
    });
    this.#stillPowered(session);
    this.#write(() => {
      container.signing = { algorithm: 'rsa', privateKey: bytesToHex(pair.pkcs8), publicKey: bytesToHex(pair.spki) };
    });
    const key = readRsaPrivateKey(pair.pkcs8);
    return concatBytes(bigEndian(key.modulus, key.bytes), bigEndian(key.publicExponent, 4));
  }

  async #genEccKeyPair({ p1, p2, fields, session, onSlow }: Call): Promise<Uint8Array> {
    this.#parameters(p1 === 0 && p2 === 0);
    const { application, container } = this.#container(fields, session);
    const bits = fields.integer(4);
    fields.end();
    this.#loggedIn(application, session);
    if (bits !== sm2Bits) throw new Refusal(sw.wrongData);
    onSlow();
    this.#destroySigningKey(container);
    await this.#wait(session, 'generateKeyPair');
    const pair = sm2GenerateKeyPair();
    const point = pair.publicKey.slice(1);
    this.#write(() => {
      container.signing = {
        algorithm: 'sm2',
        privateKey: bytesToHex(pair.privateKey),
        publicKey: bytesToHex(point),
      };
    });
    return point;
  }

  /** Generation takes the old key pair, and with it the certificate, before the new one is there. */
  #destroySigningKey(container: ContainerState): void {
    if (container.signing)
      this.#write(() => {
        delete container.signing;
      });
  }

  /** The encryption key pair comes wrapped to the container's signing key (GM/T 0016 ENVELOPEDKEYBLOB). */
  #importEccKeyPair({ p1, p2, fields, session }: Call): undefined {
    this.#parameters(p1 === 0 && p2 === 0);
    const { application, container } = this.#container(fields, session);
    const algorithm = fields.integer(4);
    const symmetricAlgorithm = fields.integer(4);
    const wrapBits = fields.integer(4);
    const sessionKey = {
      x: fields.bytes(32),
      y: fields.bytes(32),
      hash: fields.bytes(32),
      cipher: fields.bytes(fields.integer(4)),
    };
    const bits = fields.integer(4);
    const publicKey = fields.bytes(64);
    const wrapped = fields.bytes(fields.integer(4));
    fields.end();
    this.#loggedIn(application, session);
    if (algorithm >>> 16 !== 2 || symmetricAlgorithm !== sm4Ecb) throw new Refusal(sw.wrongData);
    if (wrapBits !== sm2Bits || bits !== sm2Bits || sessionKey.cipher.length !== 16 || wrapped.length !== 64)
      throw new Refusal(sw.wrongData);
    const wrapping = this.#keyPair(container, 'signing', 'sm2');
    const privateKey = unwrap(sessionKey, hexToBytes(wrapping.privateKey), wrapped);
    if (!privateKey || !sameBytes(publicKeyOf(privateKey), publicKey)) throw new Refusal(sw.wrongData);
    this.#write(() => {
      container.encryption = {
        algorithm: 'sm2',
        privateKey: bytesToHex(privateKey),
        publicKey: bytesToHex(publicKey),
      };
    });
  }

  #exportPublicKey({ p1, p2, fields, session }: Call): Uint8Array {
    this.#parameters(p1 <= 1 && p2 === 0);
    const { container } = this.#container(fields, session);
    fields.end();
    const pair = container[slotOf(p1, sw.wrongP1P2)];
    if (!pair) throw new Refusal(sw.noKeyPair);
    if (pair.algorithm === 'sm2') return concatBytes(littleEndian(sm2Bits, 4), hexToBytes(pair.publicKey));
    const key = readRsaPrivateKey(hexToBytes(pair.privateKey));
    return concatBytes(
      littleEndian(key.bytes * 8, 2),
      bigEndian(key.publicExponent, 4),
      bigEndian(key.modulus, key.bytes),
    );
  }

  // Signatures

  async #rsaSignData({ p1, p2, fields, session, onSlow }: Call): Promise<Uint8Array> {
    this.#parameters((p1 === 1 || p1 === 2) && p2 <= 3);
    const { application, container } = this.#container(fields, session);
    const data = fields.rest();
    this.#loggedIn(application, session);
    const pair = this.#keyPair(container, 'signing', 'rsa');
    const key = readRsaPrivateKey(hexToBytes(pair.privateKey));
    if (p1 === 1 && p2 !== 3) throw new Refusal(sw.wrongDigestAlgorithm);
    if (data.length === 0 || (p1 === 2 && data.length > key.bytes - 11)) throw new Refusal(sw.wrongLength);
    onSlow();
    await this.#wait(session, 'sign');
    return p1 === 1 ? signSha256(key, data) : signType1(key, data);
  }

  async #eccSignData({ p1, p2, fields, session, onSlow }: Call): Promise<Uint8Array> {
    this.#parameters((p1 === 1 || p1 === 2) && p2 === 0);
    const { application, container } = this.#container(fields, session);
    const id = p1 === 1 ? fields.bytes(fields.integer(4)) : undefined;
    const data = p1 === 1 ? fields.rest() : fields.bytes(32);
    fields.end();
    this.#loggedIn(application, session);
    const pair = this.#keyPair(container, 'signing', 'sm2');
    onSlow();
    await this.#wait(session, 'sign');
    const publicKey = concatBytes(Uint8Array.of(4), hexToBytes(pair.publicKey));
    const digest = id ? sm2Digest(data, publicKey, id) : data;
    return concatBytes(littleEndian(sm2Bits, 4), sm2SignDigest(digest, hexToBytes(pair.privateKey)));
  }

  // Checks

  #parameters(right: boolean): void {
    if (!right) throw new Refusal(sw.wrongP1P2);
  }

  #application(fields: FieldReader, session: Session): ApplicationState {
    const id = fields.integer(2);
    const application = this.#memory.state.applications.find((candidate) => candidate.id === id);
    if (!application || !session.openApplications.has(id)) throw new Refusal(sw.applicationNotOpen);
    return application;
  }

  #container(
    fields: FieldReader,
    session: Session,
  ): { readonly application: ApplicationState; readonly container: ContainerState } {
    const application = this.#application(fields, session);
    const id = fields.integer(2);
    const container = application.containers.find((candidate) => candidate.id === id);
    if (!container || !session.openContainers.has(`${application.id}/${id}`)) throw new Refusal(sw.wrongContainerId);
    return { application, container };
  }

  #containerName(fields: FieldReader): string {
    const name = fields.rest();
    if (name.length < 1 || name.length > maxNameBytes || name.includes(0)) throw new Refusal(sw.wrongContainerName);
    return new TextDecoder().decode(name);
  }

  #containerByName(application: ApplicationState, fields: FieldReader): ContainerState {
    const name = this.#containerName(fields);
    const container = application.containers.find((candidate) => candidate.name === name);
    if (!container) throw new Refusal(sw.nameUnknown);
    return container;
  }

  #loggedIn(application: ApplicationState, session: Session): void {
    if (!session.loggedIn.has(application.id)) throw new Refusal(sw.notLoggedIn);
  }

  #keyPair(container: ContainerState, slot: Slot, algorithm: KeyPairState['algorithm']): KeyPairState {
    const pair = container[slot];
    if (pair?.algorithm !== algorithm) throw new Refusal(sw.noKeyPair);
    return pair;
  }

  // Power

  #write(change: () => void): void {
    this.#memory.write(change);
  }

  async #wait(session: Session, operation: Operation): Promise<void> {
    await this.#latency(operation);
    this.#stillPowered(session);
  }

  #stillPowered(session: Session): void {
    if (this.#session !== session) throw new PowerCutError();
  }
}

/** X ‖ Y of a private scalar; empty for a scalar out of range. */
function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  try {
    return sm2PublicKey(privateKey).slice(1);
  } catch (error) {
    if (error instanceof Sm2Error) return nothing;
    throw error;
  }
}

/** d, the last 32 of the 64 bytes under SM4-ECB; undefined when the session key does not come out. */
function unwrap(
  sessionKey: { x: Uint8Array; y: Uint8Array; hash: Uint8Array; cipher: Uint8Array },
  privateKey: Uint8Array,
  wrapped: Uint8Array,
): Uint8Array | undefined {
  try {
    return sm4EcbDecrypt(sm2Decrypt(sessionKey, privateKey), wrapped).slice(32);
  } catch (error) {
    if (error instanceof Sm2Error) return undefined;
    throw error;
  }
}
