import { readSpki } from '../pki/algorithms.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { CertificateError, parseCertificate, type Certificate } from '../pki/certificate.ts';
import { DerError } from '../pki/der.ts';
import { type CertificateObject, isFormerOf, isRetiredSlot, keyManagementSlot, slotName } from './piv-objects.ts';
import type { SlotMetadata } from './piv-commands.ts';
import type { KeyUsage } from './usbkey.ts';

/*
 * What a PIV key's slots say together: which container is where, which slot may be used, and what is next when a pair of
 * key and certificate changes places. All of it is computed from what was just read, nothing is remembered.
 */

export interface SlotKey {
  readonly algorithm: number;
  readonly passwordPolicy: SlotMetadata['passwordPolicy'];
  /** DER SubjectPublicKeyInfo; undefined for keys of a kind that is not known here. */
  readonly spki: Uint8Array | undefined;
}

/** A slot as it was read. */
export interface Slot {
  readonly slot: number;
  /** `refused`: the key does not let it be read. */
  readonly object: CertificateObject | 'absent' | 'unreadable' | 'refused';
  /** `unknown`: the key does not tell (it has no GET METADATA). */
  readonly key: SlotKey | 'absent' | 'unknown';
}

export const objectIn = ({ object }: Slot): CertificateObject | undefined =>
  typeof object === 'string' ? undefined : object;
/** The name this site has given it. */
export const nameIn = (slot: Slot): string | undefined => objectIn(slot)?.container;
export const keyIn = ({ key }: Slot): SlotKey | undefined => (typeof key === 'string' ? undefined : key);

/** Its key pair is the one that this site left there when it gave the slot up. */
function holdsLeftKey(slot: Slot): boolean {
  const [spki, noted] = [keyIn(slot)?.spki, objectIn(slot)?.publicKey];
  return spki !== undefined && noted !== undefined && bytesEqual(spki, noted);
}

/** This site has given it up, and nobody has made another key pair in it since. */
const isFreed = (slot: Slot): boolean =>
  objectIn(slot)?.freed === true && (slot.key === 'absent' || holdsLeftKey(slot));

/** Whether there is anything in it that is a container to somebody. */
function isOccupied(slot: Slot): boolean {
  if (isFreed(slot)) return false;
  return objectIn(slot) !== undefined || slot.object === 'unreadable' || keyIn(slot) !== undefined;
}

/**
 * The containers of a key: its occupied slots by name. A name of this site that stands in two objects, as in the middle
 * of a move, belongs to the one with the key; the other goes by its slot.
 */
export function containersOf(slots: readonly Slot[]): ReadonlyMap<string, Slot> {
  const containers = new Map<string, Slot>();
  for (const slot of slots.filter(isOccupied)) {
    const name = nameIn(slot);
    const isBearer = name !== undefined && bearerOf(slots, name) === slot;
    containers.set(isBearer ? name : slotName(slot.slot), slot);
  }
  return containers;
}

function bearerOf(slots: readonly Slot[], name: string): Slot | undefined {
  const named = slots.filter((slot) => nameIn(slot) === name);
  return named.find(keyIn) ?? named[0];
}

/** The slot that a container is named after. */
export const slotNamed = (name: string, slots: readonly number[]): number | undefined =>
  slots.find((slot) => slotName(slot) === name);

/**
 * The retired slots that may be used for a new key pair, in order. Where anything cannot be known, the slot is taken;
 * only a model that says so counts a slot without certificate object as free though nothing is known of its key.
 * @param offCardKeys how many keys the key history says have their certificates elsewhere; undefined: not known
 */
export function spareSlots(
  slots: readonly Slot[],
  rule: 'provenEmpty' | 'noCertificate',
  offCardKeys: number | undefined,
): readonly Slot[] {
  if (rule === 'provenEmpty' ? offCardKeys !== 0 : (offCardKeys ?? 0) > 0) return [];
  return slots.filter((slot) => {
    if (!isRetiredSlot(slot.slot)) return false;
    if (isFreed(slot)) return true;
    return slot.object === 'absent' && (slot.key === 'absent' || (slot.key === 'unknown' && rule === 'noCertificate'));
  });
}

/**
 * The public key of a slot: as the key tells it; where it tells nothing, from the certificate, or as it was noted when
 * the key pair was made. Undefined also where there is a certificate and the key says that there is no key for it, and
 * where a container has been given a slot but no key pair of its own yet.
 */
export function publicKeyOf(slot: Slot): Uint8Array | undefined {
  if (slot.key === 'absent') return undefined;
  if (!objectIn(slot)?.certificate && nameIn(slot) !== undefined && holdsLeftKey(slot)) return undefined;
  return keyIn(slot)?.spki ?? certificateIn(slot)?.spki ?? notedKeyIn(slot);
}

/** Nothing in it that reads as a certificate; false where the key does not let it be read. */
export const lacksCertificate = (slot: Slot): boolean => slot.object !== 'refused' && certificateIn(slot) === undefined;

/** Whether a slot may have a key pair of which nothing is told. */
export const isUntold = (slot: Slot): boolean =>
  slot.key === 'unknown' && slot.object !== 'refused' && publicKeyOf(slot) === undefined;

function notedKeyIn(slot: Slot): Uint8Array | undefined {
  const noted = objectIn(slot)?.publicKey;
  try {
    if (noted) readSpki(noted);
    return noted;
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** What a slot's key pair is for: by its slot, and in a retired slot, which may hold either kind, by its certificate. */
export function usageOf(slot: Slot): KeyUsage {
  if (slot.slot === keyManagementSlot) return 'encryption';
  if (!isRetiredSlot(slot.slot) || nameIn(slot) !== undefined) return 'signing';
  const usage = certificateIn(slot)?.keyUsage;
  const signs = !usage || usage.has('digitalSignature') || usage.has('nonRepudiation');
  return signs ? 'signing' : 'encryption';
}

function certificateIn(slot: Slot): Certificate | undefined {
  const der = objectIn(slot)?.certificate;
  try {
    return der && parseCertificate(der);
  } catch (error) {
    if (error instanceof CertificateError || error instanceof DerError) return undefined;
    throw error;
  }
}

// --- moving a new pair to its usual place -----------------------------------------------------------------------------

/** One change; after each, both keys and both certificates are on the key, and listed. */
export type PromotionMove =
  /** The former certificate, as it is, beside its future place; the fresh one, into the place of the former. */
  | { readonly kind: 'copyFormer' | 'copyFresh'; readonly object: CertificateObject; readonly to: Slot }
  /** The key, without its certificate. */
  | { readonly kind: 'moveFormer' | 'moveFresh'; readonly from: Slot; readonly to: Slot }
  /** The copy that stayed where the fresh pair comes from. */
  | { readonly kind: 'clear'; readonly to: Slot };

export type PromotionStep =
  | PromotionMove
  | { readonly kind: 'done'; readonly fresh: Slot; readonly former: Slot }
  /** It cannot be done, or not from what is there. */
  | { readonly kind: 'not'; readonly because: 'noRoom' | 'notFound' | 'noKeyPair' | 'unsupported' };

const not = (because: Extract<PromotionStep, { kind: 'not' }>['because']): PromotionStep => ({ kind: 'not', because });

/** Where other programs look for a pair that signs. */
const usualSlots: readonly number[] = [0x9a, 0x9c];

/**
 * What is to be done next so that the pair of the container `fresh` takes the usual slot of the pair of `former`:
 * computed from the slots alone, so that it goes on from wherever it was interrupted.
 * @param former the container's name, at the beginning or as it was then
 * @param spares as `spareSlots` has them
 */
export function nextPromotionStep(
  slots: readonly Slot[],
  fresh: string,
  former: string,
  spares: readonly Slot[],
): PromotionStep {
  if (slots.every(({ key }) => key === 'unknown')) return not('unsupported');
  const bearer = slots.find((slot) => nameIn(slot) === fresh && keyIn(slot));
  const certified = bearer && objectIn(bearer);
  if (!bearer || !certified) return not('notFound');
  const isFormer = (slot: Slot): boolean => {
    const object = objectIn(slot);
    return isRetiredSlot(slot.slot) && object !== undefined && (isFormerOf(object, fresh) || nameIn(slot) === former);
  };
  const formerAway = slots.find((slot) => isFormer(slot) && keyIn(slot));
  if (!isPair(bearer) || (formerAway && !isPair(formerAway))) return not('noKeyPair');

  const begun = slots.find((slot) => isUsual(slot) && nameIn(slot) === fresh);
  if (begun) {
    if (!formerAway) return not('notFound');
    // The key follows only a certificate that is whole: one that was cut is written once more.
    if (!sameCertificate(begun, bearer)) return { kind: 'copyFresh', object: certified, to: begun };
    if (begun !== bearer) return { kind: 'moveFresh', from: bearer, to: begun };
    const copy = slots.find((slot) => nameIn(slot) === fresh && !keyIn(slot));
    return copy ? { kind: 'clear', to: copy } : { kind: 'done', fresh: bearer, former: formerAway };
  }

  const place = slots.find((slot) => isUsual(slot) && (slotName(slot.slot) === former || nameIn(slot) === former));
  if (!place) return not('notFound');
  const object = objectIn(place);
  if (!keyIn(place)) {
    // The former pair must be whole where this move puts it: else what is here would be the last of its certificate.
    const isWholeElsewhere = formerAway && (!object?.certificate || sameCertificate(place, formerAway));
    return isWholeElsewhere ? { kind: 'copyFresh', object: certified, to: place } : not('notFound');
  }
  if (!object) return not('notFound');
  if (!isPair(place)) return not('noKeyPair');
  const copy = slots.find((slot) => isFormer(slot) && !keyIn(slot));
  if (copy && sameCertificate(copy, place)) return { kind: 'moveFormer', from: place, to: copy };
  const to = copy ?? spares[0];
  return to ? { kind: 'copyFormer', object, to } : not('noRoom');
}

const isUsual = ({ slot }: Slot): boolean => usualSlots.includes(slot);

/** Its certificate is for its key. */
function isPair(slot: Slot): boolean {
  const [spki, certified] = [keyIn(slot)?.spki, certificateIn(slot)?.spki];
  return spki !== undefined && certified !== undefined && bytesEqual(spki, certified);
}

function sameCertificate(a: Slot, b: Slot): boolean {
  const [one, other] = [objectIn(a)?.certificate, objectIn(b)?.certificate];
  return one !== undefined && other !== undefined && bytesEqual(one, other);
}
