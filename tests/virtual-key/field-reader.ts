import { Refusal, statusWords } from './status-words.ts';

/** Reads a command's data field by field; integers are little-endian (GM/T 0017). Wrong lengths answer 6700. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  bytes(length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new Refusal(statusWords.wrongLength);
    const part = this.#bytes.slice(this.#offset, end);
    this.#offset = end;
    return part;
  }

  integer(length: 1 | 2 | 4): number {
    return this.bytes(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#offset);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw new Refusal(statusWords.wrongLength);
  }
}
