import { protectedKey, protectedKeyNote, certificateTag, objectTags, tagName } from '../virtual-key/piv-objects.ts';
import { bytesToHex, hexToBytes } from '../virtual-key/bytes.ts';
import type { KeyState, PivState } from '../virtual-key/state.ts';
import type { Face, Situation } from './fault.ts';
import { insideOf } from './inside.ts';

/** A copy of a personalised key, as its situation has it. */
export function prepared(personalised: KeyState, { face, tight }: Pick<Situation, 'face' | 'tight'>): KeyState {
  const state = structuredClone(personalised);
  if (state.piv) return { ...state, piv: preparedPiv(state.piv, face, tight === true) };
  const room = tight ? { maxContainers: insideOf(state).length + 1 } : {};
  return { ...state, info: { ...state.info, ...room } };
}

/** A key pair of somebody, for reasons of their own, without a certificate; the key pair is anybody's. */
const strangers = (slot: number, { slots }: PivState): PivState['slots'] =>
  slots.slice(0, 1).map((pair) => ({ ...pair, slot: tagName(slot), pinPolicy: 'once' }));
/** A certificate's object (SP 800-73-4 part 1 table 10) of somebody, with nothing this site understands in it. */
const strange = (slot: number): PivState['objects'] => [{ tag: tagName(certificateTag(slot)), data: '5303710100' }];

function preparedPiv(piv: PivState, face: Face, tight: boolean): PivState {
  const inSlot = face.passwordForEverySignature ? inDigitalSignature(piv) : piv;
  const { objects, managementKey } = ownManagementKey(inSlot, face.managementKey);
  // Only a key that tells what is in a slot can be expected to notice a key pair without a certificate.
  const taken = piv.features.metadata ? strangers(0x82, piv) : [];
  const isTaken = piv.features.metadata ? strange(0x83) : tight ? strange(0x83) : [];
  return { ...inSlot, slots: [...inSlot.slots, ...taken], objects: [...objects, ...isTaken], managementKey };
}

/** Moves what is in 9A to 9C, whose key pair wants the PIN before every signature. */
function inDigitalSignature(piv: PivState): PivState {
  const [from, to] = [tagName(certificateTag(0x9a)), tagName(certificateTag(0x9c))];
  return {
    ...piv,
    slots: piv.slots.map((pair) => (pair.slot === '9a' ? { ...pair, slot: '9c', pinPolicy: 'always' } : pair)),
    objects: piv.objects.map((object) => (object.tag === from ? { ...object, tag: to } : object)),
  };
}

const ownKey = '8f1d2c3b4a59687706152433425160f8e7d6c5b4a3928170';

function ownManagementKey(piv: PivState, kind: Face['managementKey']): Pick<PivState, 'objects' | 'managementKey'> {
  if (!kind) return piv;
  const managementKey = { ...piv.managementKey, algorithm: 'aes192', key: ownKey, pinProtected: false } as const;
  if (kind === 'custom') return { objects: piv.objects, managementKey };
  const notes = [
    { tag: tagName(objectTags.administratorData), data: bytesToHex(protectedKeyNote()) },
    { tag: tagName(objectTags.printedInformation), data: bytesToHex(protectedKey(hexToBytes(ownKey))) },
  ];
  const others = piv.objects.filter(({ tag }) => notes.every((note) => note.tag !== tag));
  return { objects: [...others, ...notes], managementKey: { ...managementKey, pinProtected: true } };
}
