/** What happens to one block on its way to the card and to the one on its way back. */
export interface Mishap {
  readonly there: 'arrives' | 'garbled' | 'lost';
  readonly back: 'arrives' | 'garbled' | 'lost';
}

const all: Mishap = { there: 'arrives', back: 'arrives' };

export interface T1CardOptions {
  /** The longest information field that the card takes. */
  readonly ifsc: number;
  /** How often it asks for more time before it answers. */
  readonly extensions?: number;
  readonly respond: (command: Uint8Array) => Uint8Array;
}

/**
 * The card's end of T=1 (ISO/IEC 7816-3 §11.6), by itself: it shares nothing with the host's end. Blocks are handed in and
 * out by `transfer`; mishaps are taken from a list, one for each pair.
 */
export class T1Card {
  readonly executed: Uint8Array[] = [];
  /** Every block of the host's, as it left it. */
  readonly heard: Uint8Array[] = [];
  /** The largest information field that the card has sent. */
  longest = 0;
  mishaps: Mishap[] = [];
  readonly #options: T1CardOptions;
  /** The longest information field that the host takes. */
  #ifsd = 32;
  /** N(S) that the next I-block of the host has, and that the card's next one has. */
  #expected = 0;
  #own = 0;
  #incoming: number[] = [];
  #outgoing: Uint8Array = new Uint8Array(0);
  /** The card's I-block that is not acknowledged yet. */
  #unacknowledged: Uint8Array | undefined;
  #last: Uint8Array = new Uint8Array(0);
  #extensions = 0;

  constructor(options: T1CardOptions) {
    this.#options = options;
  }

  /** @returns what arrives at the host; undefined for nothing at all */
  transfer(block: Uint8Array): Uint8Array | undefined {
    const { there, back } = this.mishaps.shift() ?? all;
    this.heard.push(block.slice());
    if (there === 'lost') return undefined;
    const answer = this.#hear(there === 'garbled' ? spoilt(block) : block.slice());
    this.#last = answer;
    if (back === 'lost') return undefined;
    return back === 'garbled' ? spoilt(answer) : answer.slice();
  }

  #hear(block: Uint8Array): Uint8Array {
    const [, pcb = 0, length = 0] = block;
    const sound = block.reduce((sum, byte) => sum ^ byte, 0) === 0 && block.length === 4 + length;
    if (!sound) return this.#isAskingForTime ? this.#last : this.#receipt(1);
    const information = block.subarray(3, -1);
    if (pcb >= 0xc0) return this.#supervisory(pcb, information);
    if (pcb >= 0x80) return this.#repeatOrGoOn((pcb >> 4) & 1);
    const ns = pcb >> 6;
    if (ns !== this.#expected || length > this.#options.ifsc || this.#outgoing.length > 0) return this.#receipt(2);
    this.#expected ^= 1;
    this.#unacknowledged = undefined;
    this.#incoming.push(...information);
    if (pcb & 0x20) return this.#receipt(0);
    const command = Uint8Array.from(this.#incoming);
    this.#incoming = [];
    this.executed.push(command);
    this.#outgoing = this.#options.respond(command);
    this.#extensions = this.#options.extensions ?? 0;
    return this.#answer();
  }

  get #isAskingForTime(): boolean {
    return this.#last[1] === 0xc3;
  }

  #answer(): Uint8Array {
    if (this.#extensions > 0) {
      this.#extensions -= 1;
      return frame(0xc3, [2]);
    }
    const part = this.#outgoing.subarray(0, this.#ifsd);
    this.#outgoing = this.#outgoing.subarray(part.length);
    this.longest = Math.max(this.longest, part.length);
    this.#unacknowledged = frame((this.#own << 6) | (this.#outgoing.length > 0 ? 0x20 : 0), part);
    this.#own ^= 1;
    return this.#unacknowledged;
  }

  #supervisory(pcb: number, information: Uint8Array): Uint8Array {
    if (pcb === 0xc0) {
      this.#expected = this.#own = 0;
      this.#incoming = [];
      this.#outgoing = new Uint8Array(0);
      this.#unacknowledged = undefined;
      this.#ifsd = 32;
      return frame(0xe0, []);
    }
    if (pcb === 0xc1) {
      this.#ifsd = information[0] ?? 32;
      return frame(0xe1, information);
    }
    return pcb === 0xe3 ? this.#answer() : this.#receipt(2);
  }

  #repeatOrGoOn(nr: number): Uint8Array {
    if (this.#isAskingForTime) return this.#last;
    // N(R) is the number of the block that the host wants: the last one again, or the next one.
    if (this.#unacknowledged && nr !== this.#own) return this.#unacknowledged;
    if (this.#unacknowledged && this.#outgoing.length > 0) return this.#answer();
    return this.#receipt(0);
  }

  #receipt(error: number): Uint8Array {
    return frame(0x80 | (this.#expected << 4) | error, []);
  }
}

function frame(pcb: number, information: ArrayLike<number>): Uint8Array {
  const block = Uint8Array.from([0, pcb, information.length, ...Array.from(information), 0]);
  block[block.length - 1] = block.reduce((sum, byte) => sum ^ byte, 0);
  return block;
}

function spoilt(block: Uint8Array): Uint8Array {
  const copy = block.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 0x5a;
  return copy;
}
