import { decodeTlvs, encodeTlv, findTlv, type Tlv, TlvError } from '../apdu/tlv.ts';
import { copyBytes } from '../pki/bytes.ts';

/*
 * What stands in a PIV key's data objects (SP 800-73-4 part 1), as pure functions of bytes. A slot is
 * a key reference, 9A … 9E or 82 … 95, together with its certificate object.
 */

/** Slots every PIV key has, by their key references, and their certificate objects. */
const primaryObjects = { 0x9a: 0x5fc105, 0x9c: 0x5fc10a, 0x9d: 0x5fc10b, 0x9e: 0x5fc101 } as const;
export const primarySlots: readonly number[] = [0x9a, 0x9c, 0x9d, 0x9e];
/** The slot whose key pair decrypts: PIV's key management key. All others sign. */
export const keyManagementSlot = 0x9d;

const firstRetiredSlot = 0x82;
const lastRetiredSlot = 0x95;
const firstRetiredObject = 0x5fc10d;

/** Object identifiers besides the certificates'. 5FFF00 is not the standard's: PIV management programs keep notes there. */
export const objects = {
  chuid: 0x5fc102,
  printedInformation: 0x5fc109,
  keyHistory: 0x5fc10c,
  managementNotes: 0x5fff00,
} as const;

export const isRetiredSlot = (slot: number): boolean => slot >= firstRetiredSlot && slot <= lastRetiredSlot;

/** The tag of a slot's certificate object. @throws RangeError for what is no slot */
export function certificateObjectTag(slot: number): number {
  if (isRetiredSlot(slot)) return firstRetiredObject + slot - firstRetiredSlot;
  const entry = Object.entries(primaryObjects).find(([reference]) => Number(reference) === slot);
  if (!entry) throw new RangeError(`${slot} is no slot with a certificate`);
  return entry[1];
}

/** A key reference as people write it: `9A`. */
export const slotName = (slot: number): string => slot.toString(16).toUpperCase().padStart(2, '0');

// --- certificate objects ----------------------------------------------------------------------------------------------

/** What every object is wrapped in. */
const dataTag = 0x53;
const tags = { certificate: 0x70, certInfo: 0x71, mscuid: 0x72, errorDetection: 0xfe } as const;
/** Private class, of no other use: the public key of a slot without certificate, on keys that do not tell it. */
const publicKeyTag = 0xdf49;

/** More than any certificate a key holds. */
export const maxCertificateBytes = 16_384;

/** The name of a container of this site. */
const ownName = /^R[0-9a-f]{32}$/;
/** In MSCUID's place: this site has emptied the slot, whose key pair could not be deleted, and may use it again. */
const freedMark = 'FREE';
/** In MSCUID's place: the former pair of a container of this site, which has taken its slot. */
const formerMark = (container: string): string => `F${container.slice(1)}`;

export const isOwnName = (name: string): boolean => ownName.test(name);

/** A certificate object's elements (table 10). */
export interface CertificateObject {
  /** DER, or whatever is there in its place. */
  readonly certificate: Uint8Array | undefined;
  /** The container's name, where this site has given one. */
  readonly container: string | undefined;
  /** This site has given the slot up. */
  readonly freed: boolean;
  /** DER SubjectPublicKeyInfo that was noted: of the key pair generated, or of the one that was left in the slot. */
  readonly publicKey: Uint8Array | undefined;
  readonly elements: readonly Tlv[];
}

/**
 * Reads a certificate object as GET DATA gives it: 53 { elements }. Of one that was cut while this site wrote it, or whose
 * end was not written as it was meant, what comes before.
 * @returns undefined when nothing is in it, which is how some keys delete; `unreadable` when it is anything else
 */
export function parseCertificateObject(answer: Uint8Array): CertificateObject | 'unreadable' | undefined {
  const [object, ...others] = elementsOf(answer) ?? [];
  if (object?.tag === dataTag && object.value.length === 0 && others.length === 0) return undefined;
  const inside = object?.tag === dataTag && others.length === 0 ? elementsOf(object.value) : undefined;
  const isWhole = inside !== undefined;
  const elements = inside ?? elementsBeforeCut(answer);
  if (!elements || elements.length === 0) return 'unreadable';
  const mark = asciiOf(findTlv(elements, tags.mscuid));
  if (!isWhole && !isOwnName(mark)) return 'unreadable';
  // Written once more, all of it is whole.
  const certificate = isWhole ? findTlv(elements, tags.certificate) : undefined;
  const publicKey = findTlv(elements, publicKeyTag);
  return {
    certificate: certificate && certificate.length > 0 ? copyBytes(certificate) : undefined,
    container: isOwnName(mark) ? mark : undefined,
    freed: mark === freedMark && !certificate?.length,
    publicKey: publicKey && copyBytes(publicKey),
    elements,
  };
}

function elementsBeforeCut(answer: Uint8Array): readonly Tlv[] | undefined {
  const [tag, length = 0] = answer;
  if (tag !== dataTag) return undefined;
  const content = answer.subarray(length < 0x80 ? 2 : 2 + (length & 0x7f));
  let whole = 0;
  for (let end = elementEnd(content, 0); end !== undefined; end = elementEnd(content, end)) whole = end;
  return elementsOf(content.subarray(0, whole));
}

/** Where the element ends that begins here, if it does. Tags of one or two bytes are all that this site writes. */
function elementEnd(bytes: Uint8Array, start: number): number | undefined {
  const lengthAt = start + (((bytes[start] ?? 0) & 0x1f) === 0x1f ? 2 : 1);
  const first = bytes[lengthAt] ?? 0x80;
  const count = first < 0x80 ? 0 : first & 0x7f;
  const field = bytes.subarray(lengthAt + 1, lengthAt + 1 + count);
  if (first === 0x80 || count > 2) return undefined;
  const end = lengthAt + 1 + count + (count === 0 ? first : field.reduce((value, byte) => value * 256 + byte, 0));
  return end <= bytes.length ? end : undefined;
}

/** Whether the object holds the former pair of `container`, put there when that took its slot. */
export function isFormerOf(object: CertificateObject, container: string): boolean {
  return asciiOf(findTlv(object.elements, tags.mscuid)) === formerMark(container);
}

/**
 * Elements of a slot that is taken for a container, without or with a certificate. In the order of table 10: there is
 * software that takes what stands first for the certificate. Only where the public key has to be noted do name and key
 * come first: keys without metadata write a long object part by part, and of one that was cut both are then still there.
 */
export function encodeCertificateObject(content: {
  readonly container: string;
  readonly certificate?: Uint8Array | undefined;
  /** DER SubjectPublicKeyInfo, to be noted with it. */
  readonly publicKey?: Uint8Array | undefined;
}): Uint8Array<ArrayBuffer>[] {
  const certificate = [
    encodeTlv(tags.certificate, content.certificate ?? new Uint8Array()),
    // Not compressed.
    encodeTlv(tags.certInfo, Uint8Array.of(0)),
  ];
  const name = encodeTlv(tags.mscuid, new TextEncoder().encode(content.container));
  const end = encodeTlv(tags.errorDetection);
  return content.publicKey
    ? [name, encodeTlv(publicKeyTag, content.publicKey), ...certificate, end]
    : [...certificate, name, end];
}

/**
 * Elements of a slot that is free for this site, though a key pair is left in it.
 * @param publicKey DER SubjectPublicKeyInfo of that pair: with any other in it, the slot is somebody's
 */
export const encodeFreedObject = (publicKey: Uint8Array | undefined): Uint8Array<ArrayBuffer>[] =>
  encodeCertificateObject({ container: freedMark, publicKey });

/**
 * A certificate put back where it was, with what else is there. A mark in MSCUID's place stays; where there is none, the
 * name takes it.
 * @param object what is left; undefined: nothing
 * @param content `publicKey` as in `encodeCertificateObject`, and noted only with a name
 */
export function encodeRestoredObject(
  object: CertificateObject | undefined,
  content: {
    readonly container: string | undefined;
    readonly certificate: Uint8Array;
    readonly publicKey: Uint8Array | undefined;
  },
): Uint8Array<ArrayBuffer>[] {
  const { mscuid, errorDetection } = tags;
  const marked = object && findTlv(object.elements, mscuid);
  const container = object?.container ?? (marked ? undefined : content.container);
  const written: readonly number[] = [tags.certificate, tags.certInfo, errorDetection, publicKeyTag];
  const kept = (object?.elements ?? [])
    .filter(({ tag }) => !written.includes(tag) && !(tag === mscuid && container !== undefined))
    .map(({ tag, value }) => encodeTlv(tag, value));
  if (container !== undefined) {
    const elements = encodeCertificateObject({ ...content, container });
    return [...elements.slice(0, -1), ...kept, ...elements.slice(-1)];
  }
  const certificate = encodeTlv(tags.certificate, content.certificate);
  return [certificate, encodeTlv(tags.certInfo, Uint8Array.of(0)), ...kept, encodeTlv(errorDetection)];
}

/**
 * The same elements for another slot. A name of this site stays; any other MSCUID, which is about the slot it was in,
 * gives way to a note of which container took that slot.
 */
export function encodeFormerObject(object: CertificateObject, takenBy: string): Uint8Array<ArrayBuffer>[] {
  const name = object.container ?? formerMark(takenBy);
  const kept = object.elements.filter(({ tag }) => tag !== tags.mscuid && tag !== tags.errorDetection);
  return [
    ...kept.map(({ tag, value }) => encodeTlv(tag, value)),
    encodeTlv(tags.mscuid, new TextEncoder().encode(name)),
    encodeTlv(tags.errorDetection),
  ];
}

// --- other objects ----------------------------------------------------------------------------------------------------

/**
 * How many retired keys have their certificates somewhere else (Key History Object, §3.3.3: keysWithOffCardCerts).
 * @returns undefined when it cannot be read
 */
export function offCardKeys(value: Uint8Array): number | undefined {
  if (value.length === 0) return 0;
  const count = findTlv(elementsOf(value) ?? [], 0xc2);
  return count?.length === 1 ? count[0] : undefined;
}

/** The card's GUID (CHUID), 16 bytes; undefined when there is none, or only zeros. */
export function cardGuid(value: Uint8Array): Uint8Array | undefined {
  const guid = findTlv(elementsOf(value) ?? [], 0x34);
  return guid?.length === 16 && guid.some((byte) => byte !== 0) ? copyBytes(guid) : undefined;
}

/** Bit 2 of the flags in the notes: the management key is kept behind the password. */
const keptBehindPassword = 0x02;

/** Whether the notes (80 { 81 flags }) say that the management key is kept on the key. */
export function managementKeyIsKept(notes: Uint8Array): boolean {
  const [flags = 0] = findTlv(within(notes, 0x80), 0x81) ?? [];
  return (flags & keptBehindPassword) !== 0;
}

/** The management key kept in the printed information object, 88 { 89 key }: the caller clears it. */
export function keptManagementKey(value: Uint8Array): Uint8Array | undefined {
  const key = findTlv(within(value, 0x88), 0x89);
  return key && copyBytes(key);
}

function within(value: Uint8Array, tag: number): readonly Tlv[] {
  const template = findTlv(elementsOf(value) ?? [], tag);
  return (template && elementsOf(template)) ?? [];
}

function elementsOf(value: Uint8Array): readonly Tlv[] | undefined {
  try {
    return decodeTlvs(value);
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}

function asciiOf(bytes: Uint8Array | undefined): string {
  return bytes && bytes.length <= 64 ? String.fromCharCode(...bytes) : '';
}
