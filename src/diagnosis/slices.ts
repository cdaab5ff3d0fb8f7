/** What a field of a command or an answer is, where its bytes are not to be told. */
export const hiddenKinds = [
  'password',
  'passwordProof',
  'challenge',
  'managementProof',
  'serialNumber',
  'issuer',
  'label',
  'applicationId',
  'containerId',
  'applicationName',
  'containerName',
  'certificate',
  'publicKey',
  'signerId',
  'message',
  'digest',
  'signature',
  'object',
  /** Nothing is known of it, so nothing is told. */
  'other',
] as const;
export type HiddenKind = (typeof hiddenKinds)[number];

/** A run of bytes of one field. `kept`: known to say nothing of a person and to be no secret. */
export interface Slice {
  readonly kind: 'kept' | HiddenKind;
  readonly bytes: Uint8Array;
}

/** Names the fields of a command's or an answer's data, from its first byte to its last. */
export type Layout = (fields: Slicer) => void;

/** Cuts data into fields. What goes past the end, or is not what was announced, does not fit: then nothing is kept. */
export class Slicer {
  readonly #bytes: Uint8Array;
  readonly #slices: Slice[] = [];
  #offset = 0;
  #fits = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  /** The fields, or undefined when the layout was not the data's. */
  get slices(): readonly Slice[] | undefined {
    return this.#fits && this.remaining === 0 ? this.#slices : undefined;
  }

  /** The next bytes, without taking them. */
  peek(length: number): Uint8Array {
    return this.#bytes.subarray(this.#offset, this.#offset + length);
  }

  /** A little-endian number of the next bytes, without taking them. */
  peekInteger(length: number): number {
    return this.peek(length).reduceRight((value, byte) => value * 256 + byte, 0);
  }

  /** A field that may be told. @param allowed whether these bytes are what such a field may hold */
  keep(length: number, allowed: (bytes: Uint8Array) => boolean = () => true): void {
    this.#take('kept', length, allowed);
  }

  hide(kind: HiddenKind, length: number): void {
    this.#take(kind, length, () => true);
  }

  hideRest(kind: HiddenKind): void {
    this.hide(kind, this.remaining);
  }

  /** Takes the rest by the first of the layouts that fits it. */
  attempt(...layouts: readonly Layout[]): void {
    for (const layout of layouts) {
      const rest = new Slicer(this.peek(this.remaining));
      layout(rest);
      if (!rest.slices) continue;
      this.#slices.push(...rest.slices);
      this.#offset = this.#bytes.length;
      return;
    }
    this.refuse();
  }

  /** The data is not what the layout is for. */
  refuse(): void {
    this.#fits = false;
    this.#offset = this.#bytes.length;
  }

  #take(kind: Slice['kind'], length: number, allowed: (bytes: Uint8Array) => boolean): void {
    const bytes = this.peek(length);
    if (length < 0 || bytes.length < length || !allowed(bytes)) this.refuse();
    if (!this.#fits || length === 0) return;
    this.#offset += length;
    this.#slices.push({ kind, bytes });
  }
}

/** The fields of data. Data that its layout does not fit is one field of which nothing is known. */
export function slicesOf(bytes: Uint8Array, layout: Layout | undefined): readonly Slice[] {
  if (bytes.length === 0) return [];
  const fields = new Slicer(bytes);
  layout?.(fields);
  return fields.slices ?? [{ kind: 'other', bytes }];
}
