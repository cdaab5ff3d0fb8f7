import { p256 } from '@noble/curves/nist.js';
import { fromHex } from '../../src/pki/bytes.ts';
import { sm2PublicKey } from '../../src/pki/sm2.ts';
import { bytesToHex } from '../virtual-key/bytes.ts';
import { certificateTag, mainSlots, tagName } from '../virtual-key/piv-objects.ts';
import type { ContainerState, KeyState, PivObjectState, PivSlotState, PivState } from '../virtual-key/state.ts';

/** A container of a key, whichever command set it speaks: one of GM/T 0017, or a slot of PIV. Byte strings are hex. */
export interface Inside {
  /** Where it is: this never becomes another place. */
  readonly place: string;
  /** What this site calls it: a GM/T 0017 container's name; of a PIV slot the name of ours it carries, else the slot. */
  readonly name: string;
  /** All that is in it, as text: the same text is the same bytes. */
  readonly content: string;
  readonly signing: { readonly publicKey: string; readonly isPair: () => boolean } | undefined;
  readonly certificate: string | undefined;
  /** The key pair for decryption. */
  readonly encryption:
    | {
        readonly privateKey: string;
        readonly publicKey: string;
        readonly isPair: () => boolean;
        readonly certificate: string | undefined;
      }
    | undefined;
}

/** All containers of a key. */
export const insideOf = (state: KeyState): readonly Inside[] =>
  state.piv
    ? insidePiv(state.piv)
    : state.applications.flatMap(({ name, containers }) => containers.map((container) => insideGmt(name, container)));

/** What a key holds besides its containers that nobody may change: everything, read as text. */
export function besideOf({ piv }: KeyState): string {
  if (!piv) return '';
  const tags = slots.map((slot) => tagName(certificateTag(slot)));
  const objects = piv.objects.filter(({ tag }) => !tags.includes(tag));
  return JSON.stringify([piv.managementKey, piv.pin, objects]);
}

/** The serial number as a page reads it: of a PIV key the number that GET SERIAL answers (INS F8, four bytes). */
export function serialNumberOf({ piv, info: { serialNumber } }: KeyState): string {
  return piv ? String(parseInt(serialNumber.replaceAll(/[^0-9a-f]/giu, '').slice(-8), 16)) : serialNumber;
}

/** Tries left of the password. */
export function setTries(state: KeyState, remaining: number | undefined): void {
  for (const counter of state.piv ? [state.piv] : state.applications)
    counter.remainingTries = remaining ?? counter.maxTries;
}

// GM/T 0017

function insideGmt(application: string, container: ContainerState): Inside {
  const { name, signing, encryption } = container;
  return {
    place: `${application}/${name}`,
    name,
    content: JSON.stringify(container),
    signing: signing && { publicKey: signing.publicKey, isPair: () => isPair(signing) },
    certificate: signing?.certificate,
    encryption: encryption && {
      privateKey: encryption.privateKey,
      publicKey: encryption.publicKey,
      isPair: () => isPair(encryption),
      certificate: encryption.certificate,
    },
  };
}

// PIV

/** The slots of the standard (SP 800-73-4 part 1 table 4b). */
const slots: readonly number[] = [...mainSlots, ...Array.from({ length: 20 }, (_unused, index) => 0x82 + index)];

function insidePiv(piv: PivState): readonly Inside[] {
  return slots.flatMap((slot) => {
    const key = piv.slots.find((each) => each.slot === tagName(slot));
    const object = piv.objects.find(({ tag }) => tag === tagName(certificateTag(slot)));
    return key || object ? [insideSlot(slot, key, object)] : [];
  });
}

function insideSlot(slot: number, key: PivSlotState | undefined, object: PivObjectState | undefined): Inside {
  const parts = object ? partsOf(fromHex(object.data)) : new Map<number, Uint8Array>();
  const reference = tagName(slot).toUpperCase();
  const named = parts.get(0x72);
  const name = named && new TextDecoder().decode(named);
  const certificate = parts.get(0x70);
  return {
    place: `PIV/${reference}`,
    name: name !== undefined && /^R[0-9a-f]{32}$/.test(name) ? name : reference,
    content: JSON.stringify([key, object]),
    signing: key && { publicKey: key.publicKey, isPair: () => isPair(key) },
    certificate: certificate && certificate.length > 0 ? bytesToHex(certificate) : undefined,
    encryption: undefined,
  };
}

/** The data objects in an object 53, the last of them as long as it is: a cut may have left a part only. */
function partsOf(object: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const parts = new Map<number, Uint8Array>();
  const length = (at: number): { readonly value: number; readonly end: number } => {
    const first = object[at] ?? 0;
    const more = first > 0x80 ? first - 0x80 : 0;
    const digits = object.subarray(at + 1, at + 1 + more);
    return { value: more ? digits.reduce((sum, digit) => sum * 256 + digit, 0) : first, end: at + 1 + more };
  };
  for (let at = length(1).end; at < object.length;) {
    const first = object[at] ?? 0;
    // A tag of two bytes, or of one (ISO/IEC 7816-4 §5.2.2.1).
    const isLong = (first & 0x1f) === 0x1f;
    const { value, end } = length(at + (isLong ? 2 : 1));
    parts.set(isLong ? first * 256 + (object[at + 1] ?? 0) : first, object.slice(end, end + value));
    at = end + value;
  }
  return parts;
}

/**
 * What a cut leaves of the certificate that was written last.
 * @param usage which of a container's two
 * @param torn what remains of its bytes, in hex
 */
export function tearNewest(state: KeyState, usage: 'signing' | 'encryption', torn: (whole: string) => string): void {
  const ours = insideOf(state).filter(({ name, certificate }) => name.startsWith('R') && certificate !== undefined);
  const newest = ours.at(-1);
  if (!newest) return;
  if (!state.piv) {
    const pair = state.applications
      .flatMap(({ name, containers }) => containers.map((container) => ({ name, container })))
      .find(({ name, container }) => `${name}/${container.name}` === newest.place)?.container[usage];
    if (pair?.certificate !== undefined) pair.certificate = torn(pair.certificate);
    return;
  }
  const tag = tagName(certificateTag(parseInt(newest.place.slice(-2), 16)));
  const { objects } = state.piv;
  const index = objects.findIndex((object) => object.tag === tag);
  const whole = objects[index];
  if (whole) objects[index] = { tag, data: torn(whole.data) };
}

// Key pairs

interface Pair {
  readonly algorithm: 'sm2' | 'p256' | 'rsa' | 'rsa2048';
  readonly privateKey: string;
  readonly publicKey: string;
}

const checked = new Map<string, boolean>();

/** Whether private and public key belong together, so that what the one signs verifies under the other. */
function isPair({ algorithm, privateKey, publicKey }: Pair): boolean {
  if (algorithm === 'rsa' || algorithm === 'rsa2048') return true;
  const known = checked.get(privateKey);
  if (known !== undefined) return known;
  const d = fromHex(privateKey);
  const point = algorithm === 'sm2' ? sm2PublicKey(d) : p256.getPublicKey(d, false);
  const is = bytesToHex(point.subarray(1)) === publicKey;
  if (checked.size > 1000) checked.clear();
  checked.set(privateKey, is);
  return is;
}
