import type { CommandApdu } from '../apdu/command.ts';
import { concat } from '../pki/bytes.ts';
import type { EnvelopedKey } from '../pki/enveloped-key.ts';
import { sm2IsPublicKey } from '../pki/sm2.ts';
import { FieldReader, littleEndian } from './field-reader.ts';
import { decodeNames, encodeName } from './names.ts';
import { KeyError, type KeyUsage } from './usbkey.ts';

/*
 * GM/T 0017 commands and answers as pure functions of values and bytes. CLA 80: without secure messaging. Integers are
 * little-endian, applicationId and containerId 16 bits. The model behind them is GM/T 0016's.
 */

const cla = 0x80;
/** "All that is there"; the session turns it into what the wire can say. */
const all = 65_536;
const id = (value: number) => littleEndian(value, 2);

type Command = CommandApdu & { readonly data: Uint8Array };
function command(ins: number, data: Uint8Array, ne?: number, p1 = 0, p2 = 0): Command {
  return { cla, ins, p1, p2, data, ne };
}

/** P1 of the export commands and the type byte of ImportCertificate. */
const usageCode: Readonly<Record<KeyUsage, number>> = { signing: 1, encryption: 0 };
/** P2 of the password commands. */
const userPassword = 1;

// --- device -----------------------------------------------------------------------------------------------------------

export const getDevInfo = (): Command => command(0x04, new Uint8Array(), all);

export interface DevInfo {
  readonly manufacturer: string;
  readonly issuer: string;
  readonly label: string;
  readonly serialNumber: string;
  /** Major, minor. */
  readonly hardwareVersion: readonly [number, number];
  readonly firmwareVersion: readonly [number, number];
  /** AlgAsymCap, identifiers of GM/T 0006. */
  readonly asymmetricAlgorithms: number;
  readonly maxContainers: number;
}

/** GetDevInfo's 288 bytes: GM/T 0016 DEVINFO, then the key's limits. */
export function parseDevInfo(answer: Uint8Array): DevInfo {
  const fields = new FieldReader(answer, 'GetDevInfo');
  const text = (length: number) => paddedText(fields.bytes(length));
  const version = (): readonly [number, number] => [fields.integer(1), fields.integer(1)];
  version(); // of the structure
  version(); // of the specification
  const [manufacturer, issuer, label, serialNumber] = [text(64), text(64), text(32), text(32)];
  const [hardwareVersion, firmwareVersion] = [version(), version()];
  fields.integer(4); // AlgSymCap
  const asymmetricAlgorithms = fields.integer(4);
  fields.bytes(4 + 4 + 4 + 4 + 2 + 2 + 2); // hashes, device authentication, total and free space, MaxApdu, UserAuth, type
  const maxContainers = fields.integer(1);
  fields.bytes(1 + 2 + 54); // certificates, files, reserved
  fields.end();
  return {
    manufacturer,
    issuer,
    label,
    serialNumber,
    hardwareVersion,
    firmwareVersion,
    asymmetricAlgorithms,
    maxContainers,
  };
}

/** A text field of fixed length, ended or padded by NULs or spaces. What is not UTF-8 shows as U+FFFD. */
function paddedText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)).trim();
}

export const genRandom = (length: number): Command => command(0x50, new Uint8Array(), length);

/** @param length as asked for: another length is `malformed` */
export function parseRandom(answer: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const fields = new FieldReader(answer, 'GenRandom');
  const random = fields.bytes(length);
  fields.end();
  return random;
}

// --- applications and passwords ---------------------------------------------------------------------------------------

export const enumApplications = (): Command => command(0x22, new Uint8Array(), all);
export const openApplication = (name: string): Command => command(0x26, encodeName(name), all);
export const closeApplication = (applicationId: number): Command => command(0x28, id(applicationId));

/** More names than a key can have applications or containers (their numbers are single bytes). */
const maxNames = 255;
/** The NUL-separated names of EnumApplication and EnumContainer. */
export function parseNames(answer: Uint8Array): readonly string[] {
  const names = decodeNames(answer);
  if (names.length > maxNames) throw new FieldReader(answer, 'Enum').malformed();
  return names;
}

export interface OpenedApplication {
  readonly applicationId: number;
  readonly maxContainers: number;
}
/** rights 4, maxContainers 1, maxCerts 1, maxFiles 2, applicationId 2. */
export function parseOpenApplication(answer: Uint8Array): OpenedApplication {
  const fields = new FieldReader(answer, 'OpenApplication');
  fields.bytes(4);
  const maxContainers = fields.integer(1);
  fields.bytes(1 + 2);
  const applicationId = fields.integer(2);
  fields.end();
  return { applicationId, maxContainers };
}

export const getPinInfo = (applicationId: number): Command => command(0x14, id(applicationId), all, 0, userPassword);

export interface PinInfo {
  readonly maximum: number;
  readonly remaining: number;
}
/** maximum 1, remaining 1, isDefault 1. More tries left than there can be is `malformed`. */
export function parsePinInfo(answer: Uint8Array): PinInfo {
  const fields = new FieldReader(answer, 'GetPINInfo');
  const [maximum, remaining] = [fields.integer(1), fields.integer(1)];
  fields.integer(1);
  fields.end();
  if (remaining > maximum) throw fields.malformed();
  return { maximum, remaining };
}

/** @param proof 16 bytes, see `passwordProof` */
export const verifyPin = (applicationId: number, proof: Uint8Array): Command =>
  command(0x18, concat(id(applicationId), proof), undefined, 0, userPassword);
export const clearSecureState = (applicationId: number): Command => command(0x1c, id(applicationId));

// --- containers -------------------------------------------------------------------------------------------------------

const named = (applicationId: number, name: string) => concat(id(applicationId), encodeName(name));
const inContainer = (applicationId: number, containerId: number, ...rest: readonly Uint8Array[]) =>
  concat(id(applicationId), id(containerId), ...rest);

export const createContainer = (applicationId: number, name: string): Command =>
  command(0x40, named(applicationId, name), all);
export const openContainer = (applicationId: number, name: string): Command =>
  command(0x42, named(applicationId, name), all);
export const closeContainer = (applicationId: number, containerId: number): Command =>
  command(0x44, inContainer(applicationId, containerId));
export const enumContainers = (applicationId: number): Command => command(0x46, id(applicationId), all);
export const deleteContainer = (applicationId: number, name: string): Command =>
  command(0x48, named(applicationId, name));
export const getContainerInfo = (applicationId: number, name: string): Command =>
  command(0x4a, named(applicationId, name), all);

/** The containerId of CreateContainer and OpenContainer. */
export function parseContainerId(answer: Uint8Array): number {
  const fields = new FieldReader(answer, 'OpenContainer');
  const containerId = fields.integer(2);
  fields.end();
  return containerId;
}

export type ContainerType = 'empty' | 'rsa' | 'ecc';
const containerTypes: readonly ContainerType[] = ['empty', 'rsa', 'ecc'];

export interface ContainerInfo {
  readonly type: ContainerType;
  /** For each key pair its bits, 0 when there is none, and whether a certificate is there. */
  readonly signing: { readonly bits: number; readonly hasCertificate: boolean };
  readonly encryption: { readonly bits: number; readonly hasCertificate: boolean };
}
/** type 1, signing bits 4, exchange bits 4, has signing certificate 1, has exchange certificate 1. */
export function parseContainerInfo(answer: Uint8Array): ContainerInfo {
  const fields = new FieldReader(answer, 'GetContainerInfo');
  const type = containerTypes[fields.integer(1)];
  const [signBits, exchangeBits] = [fields.integer(4), fields.integer(4)];
  const [hasSign, hasExchange] = [fields.integer(1) !== 0, fields.integer(1) !== 0];
  fields.end();
  if (type === undefined) throw fields.malformed();
  return {
    type,
    signing: { bits: signBits, hasCertificate: hasSign },
    encryption: { bits: exchangeBits, hasCertificate: hasExchange },
  };
}

// --- certificates -----------------------------------------------------------------------------------------------------

/** More than any certificate a USBKEY holds; a longer one is the key's mistake, or ours. */
export const maxCertificateBytes = 16_384;

/** @param certificate DER, at most `maxCertificateBytes` */
export function importCertificate(
  applicationId: number,
  containerId: number,
  usage: KeyUsage,
  certificate: Uint8Array,
): Command {
  if (certificate.length === 0 || certificate.length > maxCertificateBytes) {
    throw new RangeError(`a certificate of ${certificate.length} bytes`);
  }
  const head = concat(Uint8Array.of(usageCode[usage]), littleEndian(certificate.length, 4));
  return command(0x4c, inContainer(applicationId, containerId, head, certificate));
}
export const exportCertificate = (applicationId: number, containerId: number, usage: KeyUsage): Command =>
  command(0x4e, inContainer(applicationId, containerId), all, usageCode[usage]);

/**
 * How many bytes of a certificate export are still to come.
 * @param received all answers so far, joined: length 4 ‖ DER. Status 6A9E means that more follows.
 * @throws KeyError `malformed` for a length that no certificate has, or more than was announced
 */
export function missingOfExport(received: Uint8Array): number {
  const fields = new FieldReader(received, 'ExportCertificate');
  const length = fields.integer(4);
  if (length === 0 || length > maxCertificateBytes || fields.remaining > length) throw fields.malformed();
  return length - fields.remaining;
}

/** The DER of a complete export. @throws KeyError `malformed` when it is not complete */
export function parseExportedCertificate(received: Uint8Array): Uint8Array<ArrayBuffer> {
  const fields = new FieldReader(received, 'ExportCertificate');
  const certificate = fields.bytes(fields.integer(4));
  fields.end();
  return certificate;
}

// --- key pairs and signatures -----------------------------------------------------------------------------------------

const sm2Bits = 256;
/** The lengths of RSA keys that GM/T 0017 keys make. */
const rsaBits: readonly number[] = [1024, 2048];

export const genEccKeyPair = (applicationId: number, containerId: number): Command =>
  command(0x70, inContainer(applicationId, containerId, littleEndian(sm2Bits, 4)), all);
export const genRsaKeyPair = (applicationId: number, containerId: number, bits: 2048): Command =>
  command(0x54, inContainer(applicationId, containerId, littleEndian(bits, 2)), all);
export const exportPublicKey = (applicationId: number, containerId: number, usage: KeyUsage): Command =>
  command(0x88, inContainer(applicationId, containerId), all, usageCode[usage]);

/** Identifiers of GM/T 0006: SM2 encryption, by which the SM4 key is wrapped, and SM4 in ECB mode. */
const sgd = { sm2Encryption: 0x0002_0400, sm4Ecb: 0x0401 } as const;
const int32 = (value: number) => littleEndian(value, 4);

/**
 * ImportECCKeyPair: the SM4 key wrapped for the container's signing key, then the key pair.
 * @param encryptedPrivateKey 64 bytes, in the form that the key takes
 */
export function importEccKeyPair(
  applicationId: number,
  containerId: number,
  { wrappedKey, publicKey }: Pick<EnvelopedKey, 'wrappedKey' | 'publicKey'>,
  encryptedPrivateKey: Uint8Array,
): Command {
  const { x, y, hash, cipher } = wrappedKey;
  const wrapped = concat(int32(sm2Bits), x, y, hash, int32(cipher.length), cipher);
  const keyPair = concat(int32(sm2Bits), publicKey.subarray(1), int32(encryptedPrivateKey.length), encryptedPrivateKey);
  const algorithms = concat(int32(sgd.sm2Encryption), int32(sgd.sm4Ecb));
  return command(0x72, inContainer(applicationId, containerId, algorithms, wrapped, keyPair));
}

/** X 32 ‖ Y 32 of GenECCKeyPair. @returns 04 ‖ X ‖ Y, a point of the SM2 curve */
export function parseGeneratedEcc(answer: Uint8Array): Uint8Array<ArrayBuffer> {
  const fields = new FieldReader(answer, 'GenECCKeyPair');
  const point = concat(Uint8Array.of(4), fields.bytes(64));
  fields.end();
  // Nobody could verify with it, and the request would break on it later.
  if (!sm2IsPublicKey(point)) throw new KeyError('malformed', 'GenECCKeyPair: not a point of the SM2 curve');
  return point;
}

/** bits 4 ‖ X ‖ Y of ExportPublicKey. @returns 04 ‖ X ‖ Y */
export function parseEccPublicKey(answer: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(4), eccPair(new FieldReader(answer, 'ExportPublicKey')));
}

/** bits 4 ‖ r ‖ s of ECCSignData. @returns r ‖ s, 32 bytes each, big-endian */
export function parseEccSignature(answer: Uint8Array): Uint8Array<ArrayBuffer> {
  return eccPair(new FieldReader(answer, 'ECCSignData'));
}

/** Two numbers of 32 bytes, or of 64 with zeros in front as GM/T 0016's ECCPUBLICKEYBLOB has them. */
function eccPair(fields: FieldReader): Uint8Array<ArrayBuffer> {
  if (fields.integer(4) !== sm2Bits) throw fields.malformed();
  const padding = fields.remaining === 64 ? 0 : 32;
  const number = () => {
    if (fields.bytes(padding).some((byte) => byte !== 0)) throw fields.malformed();
    return fields.bytes(32);
  };
  const pair = concat(number(), number());
  fields.end();
  return pair;
}

export interface RsaPublicKey {
  /** Big-endian, exactly the key's length. */
  readonly modulus: Uint8Array;
  /** Big-endian. */
  readonly exponent: Uint8Array;
}

/** n ‖ e 4 of GenRSAKeyPair. */
export function parseGeneratedRsa(answer: Uint8Array, bits: 2048): RsaPublicKey {
  const fields = new FieldReader(answer, 'GenRSAKeyPair');
  const modulus = rsaModulus(fields, bits);
  const exponent = rsaExponent(fields);
  fields.end();
  return { modulus, exponent };
}

/** bits 2 ‖ e 4 ‖ n of ExportPublicKey. */
export function parseRsaPublicKey(answer: Uint8Array): RsaPublicKey {
  const fields = new FieldReader(answer, 'ExportPublicKey');
  const bits = fields.integer(2);
  if (!rsaBits.includes(bits)) throw fields.malformed();
  const exponent = rsaExponent(fields);
  const modulus = rsaModulus(fields, bits);
  fields.end();
  return { modulus, exponent };
}

function rsaModulus(fields: FieldReader, bits: number): Uint8Array {
  const modulus = fields.bytes(bits / 8);
  if (!((modulus[0] ?? 0) & 0x80)) throw fields.malformed();
  return modulus;
}

/**
 * The public exponent, big-endian. GM/T 0017's integers are little-endian, GM/T 0016's RSAPUBLICKEYBLOB is big-endian, and
 * keys follow the one or the other. An exponent is odd, so only one reading of 65537 or 3 is possible.
 */
function rsaExponent(fields: FieldReader): Uint8Array {
  const field = fields.bytes(4);
  const exponent = isOdd(field[0]) ? field.reverse() : field;
  const isOne = exponent[3] === 1 && exponent.subarray(0, 3).every((byte) => byte === 0);
  if (!isOdd(exponent[3]) || isOne) throw fields.malformed();
  return exponent;
}
function isOdd(byte = 0): boolean {
  return byte % 2 === 1;
}

/** P1 02: over the digest e, so that Z and SM3 are the host's. @param e 32 bytes */
export const eccSignData = (applicationId: number, containerId: number, e: Uint8Array): Command =>
  command(0x74, inContainer(applicationId, containerId, e), all, 2);
/** P1 01: over a message of which the key computes Z, with the given id, and SM3. */
export const eccSignRaw = (
  applicationId: number,
  containerId: number,
  signerId: Uint8Array,
  message: Uint8Array,
): Command =>
  command(0x74, inContainer(applicationId, containerId, littleEndian(signerId.length, 4), signerId, message), all, 1);
/** P1 02: the key pads what it is given (GM/T 0016 SKF_RSASignData). @param digestInfo at most modulus − 11 bytes */
export const rsaSignData = (applicationId: number, containerId: number, digestInfo: Uint8Array): Command =>
  command(0x58, inContainer(applicationId, containerId, digestInfo), all, 2);
/** P1 01, P2 03: over a message that the key hashes with SHA-256 and pads. */
export const rsaSignRaw = (applicationId: number, containerId: number, message: Uint8Array): Command =>
  command(0x58, inContainer(applicationId, containerId, message), all, 1, 3);
