import { readTlvs } from '../virtual-key/ber-tlv.ts';
import { hexToBytes } from '../virtual-key/bytes.ts';
import type { KeyState, PivState } from '../virtual-key/state.ts';

/** A key pair with its certificate and everything else that belongs to it, whatever the key's command set. */
export interface PairOnTheKey {
  /** The container's name; of a PIV slot the name that its certificate object carries, if any. */
  readonly name: string | undefined;
  /** DER in hex; undefined when there is none (yet). */
  readonly certificate: string | undefined;
  /** All that the key keeps of it, to be compared whole. */
  readonly content: unknown;
}

/** Tags inside a certificate object, and the object's own (SP 800-73-4 part 1 table 10; part 2 §3.1.2). */
const tags = { object: 0x53, certificate: 0x70, name: 0x72 } as const;
const firstRetiredSlot = 0x82;
const firstRetiredObject = 0x5fc10d;
const objectOfSlot: Readonly<Record<string, string>> = {
  '9a': '5fc105',
  '9c': '5fc10a',
  '9d': '5fc10b',
  '9e': '5fc101',
};

/** The tag of the object that holds a slot's certificate (SP 800-73-4 part 1 table 4b). */
export const certificateObjectOf = (slot: string): string =>
  objectOfSlot[slot] ?? (firstRetiredObject + Number.parseInt(slot, 16) - firstRetiredSlot).toString(16);

function pivPairs({ slots, objects }: PivState): readonly PairOnTheKey[] {
  return slots.map((pair) => {
    const object = objects.find(({ tag }) => tag === certificateObjectOf(pair.slot));
    const whole = readTlvs(hexToBytes(object?.data ?? '')) ?? [];
    const parts = readTlvs(whole.find(({ tag }) => tag === tags.object)?.value ?? new Uint8Array(0)) ?? [];
    const valueOf = (wanted: number): Buffer | undefined => {
      const value = parts.find(({ tag }) => tag === wanted)?.value;
      return value && value.length > 0 ? Buffer.from(value) : undefined;
    };
    return {
      name: valueOf(tags.name)?.toString('latin1'),
      certificate: valueOf(tags.certificate)?.toString('hex'),
      content: { pair, object },
    };
  });
}

/** The key pairs on a key in the order in which they came. */
export function pairsOn({ applications, piv }: KeyState): readonly PairOnTheKey[] {
  if (piv) return pivPairs(piv);
  return applications
    .flatMap(({ containers }) => containers)
    .map((container) => ({
      name: container.name,
      certificate: container.signing?.certificate,
      content: container,
    }));
}
