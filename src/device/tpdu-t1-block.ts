import { concatBytes } from '../apdu/bytes.ts';

/*
 * Blocks of the protocol T=1 with a longitudinal redundancy check (ISO/IEC 7816-3 §11.3): NAD, PCB, LEN, INF, LRC.
 */

/** The largest INF field. */
export const maxInformationBytes = 254;
const prologueBytes = 3;

export type SupervisoryRequest = 'resynch' | 'ifs' | 'abort' | 'wtx';

export type Block =
  /** N(S), and M: the chain goes on. */
  | { readonly kind: 'I'; readonly ns: 0 | 1; readonly more: boolean; readonly information: Uint8Array }
  /** N(R), and why it was not just an acknowledgement. */
  | { readonly kind: 'R'; readonly nr: 0 | 1; readonly error: 'none' | 'check' | 'other' }
  | {
      readonly kind: 'S';
      readonly what: SupervisoryRequest;
      readonly response: boolean;
      /** The INF field's byte of IFS and WTX; 0 for the others, which have none. */
      readonly value: number;
    };

const errors = ['none', 'check', 'other'] as const;
const requests = ['resynch', 'ifs', 'abort', 'wtx'] as const;
const sequenceBit = { I: 0x40, R: 0x10 } as const;
const moreBit = 0x20;
const responseBit = 0x20;
const hasValue = (what: SupervisoryRequest) => what === 'ifs' || what === 'wtx';

/** NAD is 0: one pair of ends, and no programming voltage. */
export function encodeBlock(block: Block): Uint8Array<ArrayBuffer> {
  switch (block.kind) {
    case 'I':
      return enclose((block.ns ? sequenceBit.I : 0) | (block.more ? moreBit : 0), block.information);
    case 'R':
      return enclose(0x80 | (block.nr ? sequenceBit.R : 0) | errors.indexOf(block.error), new Uint8Array(0));
    case 'S': {
      const value = hasValue(block.what) ? Uint8Array.of(block.value) : new Uint8Array(0);
      return enclose(0xc0 | (block.response ? responseBit : 0) | requests.indexOf(block.what), value);
    }
  }
}

function enclose(pcb: number, information: Uint8Array): Uint8Array<ArrayBuffer> {
  const block = concatBytes(Uint8Array.of(0, pcb, information.length), information, new Uint8Array(1));
  block[block.length - 1] = lrc(block);
  return block;
}

/** The exclusive or of all bytes: 0 for a whole block, the missing LRC for one that ends in 0. */
function lrc(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum ^ byte, 0);
}

/** What arrived is no block: its check or its form is wrong. */
export type BlockFault = 'check' | 'other';

/** Parses a block. Never throws: a fault is part of the protocol, and is answered. */
export function decodeBlock(bytes: Uint8Array): Block | BlockFault {
  if (bytes.length < prologueBytes + 1 || lrc(bytes) !== 0) return 'check';
  const [nad = 0, pcb = 0, length = 0] = bytes;
  if (nad !== 0 || length > maxInformationBytes || bytes.length !== prologueBytes + length + 1) return 'other';
  const information = bytes.subarray(prologueBytes, -1);
  if ((pcb & 0x80) === 0) {
    if (pcb & 0x1f) return 'other';
    return { kind: 'I', ns: pcb & sequenceBit.I ? 1 : 0, more: (pcb & moreBit) !== 0, information };
  }
  if ((pcb & 0xc0) === 0x80) {
    const error = errors[pcb & 0x0f];
    if (error === undefined || pcb & 0x20 || length > 0) return 'other';
    return { kind: 'R', nr: pcb & sequenceBit.R ? 1 : 0, error };
  }
  const what = requests[pcb & 0x1f];
  if (what === undefined || length !== (hasValue(what) ? 1 : 0)) return 'other';
  return { kind: 'S', what, response: (pcb & responseBit) !== 0, value: information[0] ?? 0 };
}
