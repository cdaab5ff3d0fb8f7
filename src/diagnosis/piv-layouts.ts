import { decodeTlvs, TlvError, type Tlv } from '../apdu/tlv.ts';
import { bytesEqual, toHex } from '../pki/bytes.ts';
import type { CommandLayouts } from './layouts.ts';
import type { HiddenKind, Layout, Slicer } from './slices.ts';

/*
 * Which bytes of PIV's commands and answers (NIST SP 800-73-4 part 2) may be told: the application's identifier, object
 * tags, algorithm identifiers, policies, and the tags and lengths around what is hidden.
 */

/** A value of so many bytes. */
type Value = (fields: Slicer, length: number) => void;
/** The data objects that may stand here, by tag. */
type Values = Readonly<Record<number, Value>>;

const hidden =
  (kind: HiddenKind): Value =>
  (fields, length) =>
    fields.hide(kind, length);
const kept =
  (atMost: number): Value =>
  (fields, length) =>
    fields.keep(length, () => length <= atMost);
const holding =
  (values: Values): Value =>
  (fields, length) => {
    const list = decoded(fields.peek(length));
    if (!list) fields.refuse();
    for (const { tag, value } of list ?? []) {
      const take = values[tag];
      // Tag and length say nothing that the number of bytes does not.
      fields.keep(value.byteOffset - fields.peek(0).byteOffset);
      if (take) take(fields, value.length);
      else fields.refuse();
    }
  };
const objects =
  (values: Values): Layout =>
  (fields) =>
    holding(values)(fields, fields.remaining);

function decoded(bytes: Uint8Array): readonly Tlv[] | undefined {
  try {
    return decodeTlvs(bytes);
  } catch (error) {
    if (error instanceof TlvError) return undefined;
    throw error;
  }
}

/** In the name's place: a slot that this site has given up. */
const freed = new TextEncoder().encode('FREE');
const name: Value = (fields, length) => {
  if (bytesEqual(fields.peek(length), freed)) fields.keep(length);
  else fields.hide('containerName', length);
};
/**
 * What a certificate object holds (SP 800-73-4 part 1, table 10): certificate, CertInfo, name, error detection code; and
 * the public key, where this site has noted it.
 */
const certificateObject: Value = holding({
  0x70: hidden('certificate'),
  0x71: kept(1),
  0x72: name,
  0xdf49: hidden('publicKey'),
  0xfe: kept(0),
});
/** Tag list of GET DATA and PUT DATA: which object. */
const tagList: Value = kept(3);

/** PIV, OpenPGP, FIDO, the card manager: without what may follow. */
const applicationIdentifiers = ['a000000308', 'd27600012401', 'a0000006472f0001', 'a000000151000000'];
const select: Layout = (fields) =>
  fields.keep(fields.remaining, (bytes) => applicationIdentifiers.includes(toHex(bytes)));

const publicKey: Values = {
  0x81: hidden('publicKey'),
  0x82: hidden('publicKey'),
  0x86: hidden('publicKey'),
};
const managementKey = 0x9b;
const proofs = objects({
  0x7c: holding({ 0x80: hidden('managementProof'), 0x81: hidden('managementProof'), 0x82: hidden('managementProof') }),
});

export const pivLayouts: CommandLayouts = ({ ins, p2 }) => {
  switch (ins) {
    case 0xa4:
      return { command: select, answer: (fields) => fields.hideRest('object') };
    case 0x20:
      return { command: (fields) => fields.hideRest('password') };
    case 0x47:
      return {
        command: objects({ 0xac: holding({ 0x80: kept(1), 0xaa: kept(1), 0xab: kept(1) }) }),
        answer: objects({ 0x7f49: holding(publicKey) }),
      };
    case 0x87:
      if (p2 === managementKey) return { command: proofs, answer: proofs };
      return {
        command: objects({ 0x7c: holding({ 0x81: hidden('digest'), 0x82: kept(0) }) }),
        answer: objects({ 0x7c: holding({ 0x82: hidden('signature') }) }),
      };
    case 0xcb:
      return {
        command: objects({ 0x5c: tagList }),
        answer: (fields) =>
          fields.attempt(objects({ 0x53: certificateObject }), objects({ 0x53: hidden('object') }), (other) =>
            other.hideRest('object'),
          ),
      };
    case 0xdb:
      return {
        command: (fields) =>
          fields.attempt(
            objects({ 0x5c: tagList, 0x53: certificateObject }),
            objects({ 0x5c: tagList, 0x53: hidden('object') }),
          ),
      };
    // Additions of makers: which algorithms there are, GET METADATA, GET VERSION, GET SERIAL.
    case 0xee:
      return { answer: (fields) => fields.keep(fields.remaining, ({ length }) => length <= 16) };
    case 0xf7:
      return {
        answer: (fields) => {
          const policies = { 0x01: kept(1), 0x02: kept(2), 0x03: kept(1), 0x05: kept(1), 0x06: kept(2) };
          fields.attempt(objects({ ...policies, 0x04: holding(publicKey) }), (other) => other.hideRest('object'));
        },
      };
    case 0xfd:
      return { answer: (fields) => fields.keep(3) };
    case 0xf8:
      return { answer: (fields) => fields.hideRest('serialNumber') };
    default:
      return {};
  }
};
