import { KeyError } from './usbkey.ts';

/** Reads a GM/T 0017 answer field by field. Integers are little-endian. Every read past the end is `malformed`. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  /** @param what the command, for the error */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.remaining) throw this.malformed();
    const field = new Uint8Array(this.#bytes.subarray(this.#offset, this.#offset + length));
    this.#offset += length;
    return field;
  }

  /** @param size 1, 2 or 4 bytes, little-endian, unsigned */
  integer(size: 1 | 2 | 4): number {
    return this.bytes(size).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** @throws KeyError `malformed` when bytes are left over */
  end(): void {
    if (this.remaining !== 0) throw this.malformed();
  }

  malformed(): KeyError {
    return new KeyError('malformed', `${this.#what}: an answer of ${this.#bytes.length} bytes that does not fit`);
  }
}

/** An unsigned integer in little-endian order. */
export function littleEndian(value: number, size: 1 | 2 | 4): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (value >>> (8 * index)) & 0xff);
}
