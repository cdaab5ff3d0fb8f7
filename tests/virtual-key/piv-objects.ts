import { type Bytes, bytesToHex, concatBytes, hexToBytes } from './bytes.ts';
import { readTlv, readTlvs, tlv, valueOf } from './ber-tlv.ts';
import type { PivFeatures, PivState } from './state.ts';

/** RID and PIX with the version of the PIV card application (NIST SP 800-73-4 part 1 §2.2). */
export const pivAid = hexToBytes('a000000308000010000100');
const ridBytes = 5;

/** The key references every card has (SP 800-73-4 part 1 table 4b). */
export const mainSlots: readonly number[] = [0x9a, 0x9c, 0x9d, 0x9e];
const firstRetiredSlot = 0x82;
const firstRetiredObject = 0x5fc10d;

/** Data objects (SP 800-73-4 part 1 table 3), and the one where host software keeps its notes. */
export const objectTags = {
  cardHolderUniqueIdentifier: 0x5fc102,
  fingerprints: 0x5fc103,
  cardCapabilityContainer: 0x5fc107,
  facialImage: 0x5fc108,
  printedInformation: 0x5fc109,
  keyHistory: 0x5fc10c,
  lastRetired: 0x5fc120,
  irisImages: 0x5fc121,
  pairingCode: 0x5fc123,
  discovery: 0x7e,
  administratorData: 0x5fff00,
} as const;

const certificateTags = new Map([
  [0x9a, 0x5fc105],
  [0x9c, 0x5fc10a],
  [0x9d, 0x5fc10b],
  [0x9e, 0x5fc101],
]);

/** What only the person who typed the PIN may read (table 2). */
export const readableAfterPin: ReadonlySet<number> = new Set([
  objectTags.fingerprints,
  objectTags.facialImage,
  objectTags.printedInformation,
  objectTags.irisImages,
]);

/** The data object of a slot's certificate. */
export const certificateTag = (slot: number): number =>
  certificateTags.get(slot) ?? firstRetiredObject + slot - firstRetiredSlot;

/** Tag as a state names it: `5fc105`. */
export const tagName = (tag: number): string => tag.toString(16).padStart(2, '0');

/** Whether a card has a place for that object. @param canokey the few that CanoKey has */
export function hasPlaceFor(tag: number, { retiredSlots }: PivFeatures, canokey: boolean): boolean {
  if (tag >= firstRetiredObject && tag <= objectTags.lastRetired)
    return retiredSlots.includes(tag - firstRetiredObject + firstRetiredSlot);
  if (canokey) {
    const { cardHolderUniqueIdentifier, cardCapabilityContainer } = objectTags;
    return [cardHolderUniqueIdentifier, cardCapabilityContainer, ...certificateTags.values()].includes(tag);
  }
  return (tag >= 0x5fc101 && tag <= objectTags.pairingCode) || (tag >= 0x5fff00 && tag <= 0x5fff1f);
}

/** Application property template (SP 800-73-4 part 2 table 3): the AID without its RID, and the RID. */
export function applicationPropertyTemplate(): Bytes {
  return tlv(0x61, tlv(0x4f, pivAid.subarray(ridBytes)), tlv(0x79, tlv(0x4f, pivAid.subarray(0, ridBytes))));
}

/** Whether SELECT means this application: its AID, or a beginning of it no shorter than the RID. */
export const isPivAid = (aid: Uint8Array): boolean =>
  aid.length >= ridBytes && bytesToHex(pivAid).startsWith(bytesToHex(aid));

/** Discovery object (part 1 §3.3.2): the PIV PIN is all it takes. */
export const discoveryObject = (): Bytes => tlv(0x7e, tlv(0x4f, pivAid), tlv(0x5f2f, Uint8Array.of(0x40, 0x00)));

/** FASC-N of a card outside the federal agencies. */
const nonFederalFascN = hexToBytes('d4e739da739ced39ce739d836858210842108421c84210c3eb');

/** CHUID (part 1 table 9) without a signature, valid to the end of 2049. @param guid 16 bytes */
export function cardHolderUniqueIdentifier(guid: Uint8Array): Bytes {
  const expiry = tlv(0x35, new TextEncoder().encode('20491231'));
  return tlv(0x53, tlv(0x30, nonFederalFascN), tlv(0x34, guid), expiry, tlv(0x3e), tlv(0xfe));
}

/** CCC (part 1 table 8): an identifier and nothing to say. @param identifier 14 bytes */
export function cardCapabilityContainer(identifier: Uint8Array): Bytes {
  const cardIdentifier = concatBytes(hexToBytes('a000000116ff02'), identifier);
  return tlv(0x53, tlv(0xf0, cardIdentifier), hexToBytes('f10121f20121f300f40100f50110f600f700fa00fb00fc00fd00fe00'));
}

/** Key history (part 1 table 19): how many retired keys have their certificates here, and how many elsewhere. */
export const keyHistory = (onCard: number, offCard: number): Bytes =>
  tlv(0x53, tlv(0xc1, Uint8Array.of(onCard)), tlv(0xc2, Uint8Array.of(offCard)), tlv(0xfe));

/** The note of host software that the PUK is blocked and the management key lies in the printed information. */
export const protectedKeyNote = (): Bytes => tlv(0x53, tlv(0x80, tlv(0x81, Uint8Array.of(0x03))));

/** The printed information with the management key in place of what would be printed. */
export const protectedKey = (managementKey: Uint8Array): Bytes => tlv(0x53, tlv(0x88, tlv(0x89, managementKey)));

/** A certificate's object (part 1 table 10), uncompressed; with a name in MSCUID if there is one. */
export function certificateObject(certificate: Uint8Array, name?: string): Bytes {
  const mscuid = name === undefined ? [] : [tlv(0x72, new TextEncoder().encode(name))];
  return tlv(0x53, tlv(0x70, certificate), tlv(0x71, Uint8Array.of(0)), ...mscuid, tlv(0xfe));
}

/** An object of a state, as GET DATA answers it. */
export function objectIn({ objects }: PivState, tag: number): Bytes | undefined {
  const found = objects.find((object) => object.tag === tagName(tag));
  return found && hexToBytes(found.data);
}

/** What stands in a slot's certificate object: the certificate (DER) and the name in MSCUID, as far as they are there. */
export function certificateIn(
  state: PivState,
  slot: number,
): { readonly certificate: Uint8Array | undefined; readonly name: string | undefined } {
  const object = objectIn(state, certificateTag(slot));
  const content = readTlvs((object && readTlv(object)?.object.value) ?? new Uint8Array(0));
  const certificate = valueOf(content, 0x70);
  const name = valueOf(content, 0x72);
  return {
    certificate: certificate && certificate.length > 0 ? certificate : undefined,
    name: name && new TextDecoder().decode(name),
  };
}
