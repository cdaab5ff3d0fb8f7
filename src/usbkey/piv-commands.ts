import type { CommandApdu } from '../apdu/command.ts';
import { decodeTlvs, encodeTlv, findTlv, type Tlv, TlvError } from '../apdu/tlv.ts';
import { ecSpki, rsaSpki, sm2Spki } from '../pki/algorithms.ts';
import { concat } from '../pki/bytes.ts';
import { DerError, ecdsaSignatureFromDer, ecdsaSignatureToDer } from '../pki/der.ts';
import { sm2IsPublicKey } from '../pki/sm2.ts';
import { KeyError } from './usbkey.ts';

/*
 * PIV commands and answers (SP 800-73-4 part 2) as pure functions of values and bytes; F6, F7, F8, FD and EE are makers'
 * additions, which a key refuses with 6D00 where it has not got them. Integers are big-endian.
 */

/** "All that is there", of a short APDU: the rest comes by GET RESPONSE. */
const all = 256;

type Command = CommandApdu & { readonly data: Uint8Array };
function command(ins: number, p1: number, p2: number, data: Uint8Array = new Uint8Array(), ne?: number): Command {
  return { cla: 0, ins, p1, p2, data, ne };
}

const malformed = (what: string): KeyError => new KeyError('malformed', `${what}: an answer that does not fit`);

function tlvs(bytes: Uint8Array, what: string): readonly Tlv[] {
  try {
    return decodeTlvs(bytes);
  } catch (error) {
    if (error instanceof TlvError) throw malformed(what);
    throw error;
  }
}

/** The value of an answer that is one data object with this tag. */
function only(answer: Uint8Array, tag: number, what: string): Uint8Array {
  const [object, ...others] = tlvs(answer, what);
  if (object?.tag !== tag || others.length > 0) throw malformed(what);
  return object.value;
}

function element(list: readonly Tlv[], tag: number, what: string): Uint8Array {
  const value = findTlv(list, tag);
  if (!value) throw malformed(what);
  return value;
}

// --- the application --------------------------------------------------------------------------------------------------

/** The registered part of the PIV Card Application's AID. */
const pivAid = Uint8Array.of(0xa0, 0x00, 0x00, 0x03, 0x08);
/** What follows it: PIX and version. */
const pivPix = Uint8Array.of(0x00, 0x00, 0x10, 0x00);

const select = (aid: Uint8Array): Command => command(0xa4, 0x04, 0x00, aid, all);
export const selectPiv = (): Command => select(pivAid);

/** Applications that are on many keys and that it does no harm to select: OpenPGP, FIDO, the card manager. */
export const selectOthers = (): readonly Command[] =>
  [
    Uint8Array.of(0xd2, 0x76, 0x00, 0x01, 0x24, 0x01),
    Uint8Array.of(0xa0, 0x00, 0x00, 0x06, 0x47, 0x2f, 0x00, 0x01),
    Uint8Array.of(0xa0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00),
  ].map(select);

/**
 * Checks the application property template (part 2, §3.1.1): 61 { 4F AID or its PIX … }.
 * @throws KeyError `malformed` when something else was selected
 */
export function checkSelected(answer: Uint8Array): void {
  const what = 'SELECT';
  const aid = element(tlvs(only(answer, 0x61, what), what), 0x4f, what);
  const startsWith = (prefix: Uint8Array) => prefix.every((byte, index) => aid[index] === byte);
  if (!startsWith(pivPix) && !startsWith(pivAid)) throw malformed(what);
}

// --- the password -----------------------------------------------------------------------------------------------------

/** The key reference of the PIV Card Application PIN. */
export const passwordReference = 0x80;
/** A PIV Card Application PIN has six to eight bytes; on the wire it is padded to eight. */
export const passwordBytes = { least: 6, most: 8 } as const;

/** Whether the password is verified, or how many tries are left: 9000, 63Cx, 6983. Costs no try. */
export const passwordStatus = (): Command => command(0x20, 0x00, passwordReference);
/** Ends the password's verified state, where the key has that (part 2, §3.2.1: P1 FF). */
export const forgetPassword = (): Command => command(0x20, 0xff, passwordReference);
/** @param password six to eight bytes. The command's data is a copy, padded with FF: the caller clears both */
export function verify(password: Uint8Array): Command {
  const padded = new Uint8Array(passwordBytes.most).fill(0xff);
  padded.set(password);
  return command(0x20, 0x00, passwordReference, padded);
}

// --- data objects -----------------------------------------------------------------------------------------------------

const objectName = (tag: number) => encodeTlv(0x5c, Uint8Array.of(tag >> 16, (tag >> 8) & 0xff, tag & 0xff));

/** @param tag of three bytes: 5FC105 */
export const getData = (tag: number): Command => command(0xcb, 0x3f, 0xff, objectName(tag), all);
/** @param value the parts of tag 53; none: the object is emptied */
export const putData = (tag: number, value: readonly Uint8Array[]): Command =>
  command(0xdb, 0x3f, 0xff, concat(objectName(tag), encodeTlv(0x53, ...value)));
/** The value of tag 53. */
export const parseObject = (answer: Uint8Array): Uint8Array => only(answer, 0x53, 'GET DATA');

// --- key pairs --------------------------------------------------------------------------------------------------------

/** Algorithm identifiers (SP 800-78-4 table 6-2; RSA-3072 by 800-78-5, RSA-4096 as makers number it). */
export const algorithms = {
  rsa1024: 0x06,
  rsa2048: 0x07,
  rsa3072: 0x05,
  rsa4096: 0x16,
  p256: 0x11,
  p384: 0x14,
} as const;

const rsaBits: ReadonlyMap<number, number> = new Map([
  [algorithms.rsa1024, 1024],
  [algorithms.rsa2048, 2048],
  [algorithms.rsa3072, 3072],
  [algorithms.rsa4096, 4096],
]);
/** The identifier for RSA keys of a length in bits. */
export function rsaAlgorithm(bits: number): number | undefined {
  return [...rsaBits].find(([, length]) => length === bits)?.[0];
}

export const generate = (slot: number, algorithm: number): Command =>
  command(0x47, 0x00, slot, encodeTlv(0xac, encodeTlv(0x80, Uint8Array.of(algorithm))), all);

/**
 * The public key of a GENERATE (7F49 {86 point} or 7F49 {81 n, 82 e}).
 * @param sm2Algorithm the identifier the key has for SM2, if it has one
 * @returns DER SubjectPublicKeyInfo
 * @throws KeyError `malformed` also for a point that is not on its curve, or a modulus of another length
 */
export async function parseGenerated(
  answer: Uint8Array,
  algorithm: number,
  sm2Algorithm?: number,
): Promise<Uint8Array> {
  return spkiOf(only(answer, 0x7f49, 'GENERATE'), algorithm, sm2Algorithm, 'GENERATE');
}

async function spkiOf(
  publicKey: Uint8Array,
  algorithm: number,
  sm2Algorithm: number | undefined,
  what: string,
): Promise<Uint8Array> {
  const list = tlvs(publicKey, what);
  const bits = rsaBits.get(algorithm);
  if (bits !== undefined) return rsaSpkiOf(element(list, 0x81, what), element(list, 0x82, what), bits, what);
  const point = element(list, 0x86, what);
  if (algorithm === sm2Algorithm) {
    if (!sm2IsPublicKey(point)) throw malformed(what);
    return sm2Spki(point);
  }
  const isP256 = algorithm === algorithms.p256;
  if (!isP256 && algorithm !== algorithms.p384) throw new KeyError('unsupported', `algorithm ${algorithm}`);
  try {
    const parameters = { name: 'ECDSA', namedCurve: isP256 ? 'P-256' : 'P-384' };
    await crypto.subtle.importKey('raw', new Uint8Array(point), parameters, false, ['verify']);
    return ecSpki(isP256 ? 'p256' : 'p384', point);
  } catch (cause) {
    // DataError, or RangeError for a compressed point, which WebCrypto may take.
    throw new KeyError('malformed', `${what}: not a point of the curve`, undefined, { cause });
  }
}

function rsaSpkiOf(modulus: Uint8Array, exponent: Uint8Array, bits: number, what: string): Uint8Array {
  const isOdd = (number: Uint8Array) => (number.at(-1) ?? 0) % 2 === 1;
  const isOne = exponent.at(-1) === 1 && exponent.subarray(0, -1).every((byte) => byte === 0);
  const fits = modulus.length === bits / 8 && (modulus[0] ?? 0) >= 0x80 && isOdd(modulus);
  if (!fits || exponent.length > 8 || !isOdd(exponent) || isOne) throw malformed(what);
  return rsaSpki(modulus, exponent);
}

/** @param challenge what is signed: a padded block for RSA, a digest for the curves */
export const sign = (algorithm: number, slot: number, challenge: Uint8Array): Command =>
  command(0x87, algorithm, slot, encodeTlv(0x7c, encodeTlv(0x82), encodeTlv(0x81, challenge)), all);

function response(answer: Uint8Array, tag: number, what: string): Uint8Array {
  return element(tlvs(only(answer, 0x7c, what), what), tag, what);
}

/** An RSA signature. @param bytes the modulus' length */
export function parseRsaSignature(answer: Uint8Array, bytes: number): Uint8Array<ArrayBuffer> {
  const signature = response(answer, 0x82, 'sign');
  if (signature.length !== bytes) throw malformed('sign');
  return new Uint8Array(signature);
}

/**
 * An ECDSA or SM2 signature. PIV's are DER; r ‖ s of the curve's length, as some keys give for SM2, is taken as well.
 * @param scalarBytes 32 or 48
 * @returns DER ECDSA-Sig-Value
 */
export function parseEcSignature(answer: Uint8Array, scalarBytes: number): Uint8Array<ArrayBuffer> {
  const signature = response(answer, 0x82, 'sign');
  if (signature.length === 2 * scalarBytes) return ecdsaSignatureToDer(signature);
  try {
    return ecdsaSignatureToDer(ecdsaSignatureFromDer(signature, scalarBytes));
  } catch (error) {
    if (error instanceof DerError) throw malformed('sign');
    throw error;
  }
}

// --- the management key -----------------------------------------------------------------------------------------------

export const managementReference = 0x9b;
const authenticate = (algorithm: number, ...elements: readonly Uint8Array[]): Command =>
  command(0x87, algorithm, managementReference, encodeTlv(0x7c, ...elements), all);

/** Mutual authentication, first step: the key answers with a witness, encrypted (part 2, appendix A.1). */
export const requestWitness = (algorithm: number): Command => authenticate(algorithm, encodeTlv(0x80));
/** Second step: the witness decrypted, and a challenge for the key to encrypt. */
export const answerWitness = (algorithm: number, witness: Uint8Array, challenge: Uint8Array): Command =>
  authenticate(algorithm, encodeTlv(0x80, witness), encodeTlv(0x81, challenge));
/** Single authentication, first step: the key answers with a challenge. */
export const requestChallenge = (algorithm: number): Command => authenticate(algorithm, encodeTlv(0x81));
/** Second step: the challenge encrypted. */
export const answerChallenge = (algorithm: number, encrypted: Uint8Array): Command =>
  authenticate(algorithm, encodeTlv(0x82, encrypted));

/** The 80, 81 or 82 of an answer, one block long. */
export function parseBlock(answer: Uint8Array, part: 'witness' | 'challenge' | 'response', bytes: number): Uint8Array {
  const tag = { witness: 0x80, challenge: 0x81, response: 0x82 }[part];
  const block = response(answer, tag, 'GENERAL AUTHENTICATE');
  if (block.length !== bytes) throw malformed('GENERAL AUTHENTICATE');
  return block;
}

// --- makers' additions ------------------------------------------------------------------------------------------------

/** @param reference of a slot, of 9B, or of the password */
export const getMetadata = (reference: number): Command => command(0xf7, 0x00, reference, undefined, all);

export interface SlotMetadata {
  readonly algorithm: number;
  /** When the password must be verified before a signature; undefined where it is the slot's default. */
  readonly passwordPolicy: 'never' | 'once' | 'always' | undefined;
  /** The public key's elements, as in GENERATE; undefined where the key does not tell. */
  readonly publicKey: Uint8Array | undefined;
}
const policies = [undefined, 'never', 'once', 'always'] as const;

/** 01 algorithm, 02 policies, 03 origin, 04 public key, … */
export function parseSlotMetadata(answer: Uint8Array): SlotMetadata {
  const what = 'GET METADATA';
  const list = tlvs(answer, what);
  const [algorithm, ...others] = element(list, 0x01, what);
  if (algorithm === undefined || others.length > 0) throw malformed(what);
  const [policy = 0] = findTlv(list, 0x02) ?? [];
  return { algorithm, passwordPolicy: policies[policy], publicKey: findTlv(list, 0x04) };
}

/** @returns DER SubjectPublicKeyInfo; undefined for keys of a kind that is not known here */
export async function metadataSpki(metadata: SlotMetadata, sm2Algorithm?: number): Promise<Uint8Array | undefined> {
  const { algorithm, publicKey } = metadata;
  const isKnown = rsaBits.has(algorithm) || algorithm === algorithms.p256 || algorithm === algorithms.p384;
  if (!publicKey || (!isKnown && algorithm !== sm2Algorithm)) return undefined;
  return spkiOf(publicKey, algorithm, sm2Algorithm, 'GET METADATA');
}

export interface ManagementMetadata {
  readonly algorithm: number;
  /** Whether it is the key that was delivered; undefined where the key does not tell. */
  readonly isDefault: boolean | undefined;
}
export function parseManagementMetadata(answer: Uint8Array): ManagementMetadata {
  const { algorithm } = parseSlotMetadata(answer);
  const [flag] = findTlv(tlvs(answer, 'GET METADATA'), 0x05) ?? [];
  return { algorithm, isDefault: flag === undefined ? undefined : flag !== 0 };
}

/** 06: the counter's maximum, and what is left of it. @returns undefined where they are not told */
export function parsePasswordMetadata(answer: Uint8Array): { maximum: number; remaining: number } | undefined {
  const retries = findTlv(tlvs(answer, 'GET METADATA'), 0x06);
  if (!retries) return undefined;
  const [maximum, remaining] = retries;
  if (maximum === undefined || remaining === undefined || retries.length !== 2 || remaining > maximum) {
    throw malformed('GET METADATA');
  }
  return { maximum, remaining };
}

/** MOVE KEY: the key pair of one slot into another, without the certificate object. */
export const moveKey = (to: number, from: number): Command => command(0xf6, to, from);
/** MOVE KEY to nowhere. */
export const deleteKey = (slot: number): Command => command(0xf6, 0xff, slot);
/** MOVE KEY between slots that no key has: whether the key knows the command at all. */
export const probeMoveKey = (): Command => command(0xf6, 0x00, 0x00);

export const getVersion = (): Command => command(0xfd, 0x00, 0x00, undefined, all);
/** Three bytes: `5.4.3`. */
export function parseVersion(answer: Uint8Array): string {
  if (answer.length !== 3) throw malformed('GET VERSION');
  return answer.join('.');
}

export const getSerial = (): Command => command(0xf8, 0x00, 0x00, undefined, all);
/** Four bytes, as a decimal number. @returns undefined for zero, which is no serial number */
export function parseSerial(answer: Uint8Array): string | undefined {
  if (answer.length !== 4) throw malformed('GET SERIAL');
  const serial = answer.reduce((value, byte) => value * 256 + byte, 0);
  return serial === 0 ? undefined : String(serial);
}

/** CanoKey: which identifiers its algorithms beyond the standard have. */
export const getAlgorithmExtensions = (): Command => command(0xee, 0x01, 0x00, undefined, all);
/**
 * The identifier of SM2: after `enabled` one byte each for Ed25519, RSA-3072, RSA-4096, X25519, secp256k1, (on newer
 * firmware) secp521r1, then SM2, and on the newest others.
 * @returns undefined where they are switched off
 */
export function parseSm2Algorithm(answer: Uint8Array): number | undefined {
  const [enabled] = answer;
  const identifier = answer.length === 7 ? answer[6] : answer[7];
  if (enabled === undefined || identifier === undefined) throw malformed('algorithm extensions');
  return enabled === 0 ? undefined : identifier;
}
