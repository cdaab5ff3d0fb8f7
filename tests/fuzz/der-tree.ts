import { type Bytes } from '../../src/pki/bytes.ts';

/** A DER value that can be changed. Encoding it gives every length anew, unless it is told to lie. */
export interface DerNode {
  identifier: number;
  /** Of a primitive value; a BIT STRING's count of unused bits where `parts` are inside it. */
  content: Bytes;
  /** Of a constructed value, or of a string that holds DER. */
  parts: DerNode[] | undefined;
  /** Length octets instead of the right ones. */
  lengthField?: Bytes;
}

interface Read {
  readonly node: DerNode;
  readonly end: number;
}

const bitString = 0x03;
const octetString = 0x04;

function readAt(bytes: Uint8Array, start: number, limit: number): Read | undefined {
  const identifier = bytes[start];
  const first = bytes[start + 1];
  if (identifier === undefined || first === undefined || (identifier & 0x1f) === 0x1f) return undefined;
  let contentStart = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) return undefined;
    length = bytes.subarray(contentStart, contentStart + count).reduce((value, byte) => value * 256 + byte, 0);
    contentStart += count;
  }
  const end = contentStart + length;
  if (end > limit) return undefined;
  const content = new Uint8Array(bytes.subarray(contentStart, end));
  if ((identifier & 0x20) !== 0) {
    const parts = readParts(content);
    return parts && { node: { identifier, content: new Uint8Array(), parts }, end };
  }
  const prefix = identifier === bitString ? 1 : 0;
  const inside = prefix === 1 || identifier === octetString ? readParts(content.subarray(prefix)) : undefined;
  // Signatures and extension values hold DER; a key identifier that looks like some is left alone.
  const holds = inside !== undefined && inside.length > 0 && content.length > prefix + 2;
  return {
    node: { identifier, content: holds ? content.slice(0, prefix) : content, parts: holds ? inside : undefined },
    end,
  };
}

function readParts(bytes: Uint8Array): DerNode[] | undefined {
  const parts: DerNode[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const read = readAt(bytes, offset, bytes.length);
    if (!read) return undefined;
    parts.push(read.node);
    offset = read.end;
  }
  return parts;
}

/** @throws RangeError for what is not DER */
export function readTree(der: Uint8Array): DerNode {
  const read = readAt(der, 0, der.length);
  if (read?.end !== der.length) throw new RangeError('not DER');
  return read.node;
}

export function lengthOctets(length: number): Bytes {
  if (length < 0x80) return Uint8Array.of(length);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return Uint8Array.of(0x80 | octets.length, ...octets);
}

/** From the end to the beginning: a length is known once what it is the length of has been written. */
class BackwardWriter {
  #bytes = new Uint8Array(8192);
  #start = this.#bytes.length;

  get length(): number {
    return this.#bytes.length - this.#start;
  }

  write(bytes: Uint8Array): void {
    while (bytes.length > this.#start) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes, this.#bytes.length);
      this.#start += this.#bytes.length;
      this.#bytes = larger;
    }
    this.#start -= bytes.length;
    this.#bytes.set(bytes, this.#start);
  }

  writeNode({ identifier, content, parts, lengthField }: DerNode): void {
    const after = this.length;
    for (let index = (parts?.length ?? 0) - 1; index >= 0; index--) {
      const part = parts?.[index];
      if (part) this.writeNode(part);
    }
    this.write(content);
    this.write(lengthField ?? lengthOctets(this.length - after));
    this.write(Uint8Array.of(identifier));
  }

  take(): Bytes {
    return this.#bytes.slice(this.#start);
  }
}

export function writeTree(root: DerNode): Bytes {
  const writer = new BackwardWriter();
  writer.writeNode(root);
  return writer.take();
}

export function copyTree({ parts, ...node }: DerNode): DerNode {
  return { ...node, parts: parts?.map(copyTree) };
}

/** The value and all below it, in order. */
export function nodesOf(root: DerNode): DerNode[] {
  const nodes: DerNode[] = [];
  const add = (node: DerNode): void => {
    nodes.push(node);
    node.parts?.forEach(add);
  };
  add(root);
  return nodes;
}

/** The part of a constructed value at this place. @throws RangeError where there is none */
export function partOf(node: DerNode, ...path: readonly number[]): DerNode {
  let at = node;
  for (const index of path) {
    const part = at.parts?.at(index);
    if (!part) throw new RangeError(`no part ${path.join('.')}`);
    at = part;
  }
  return at;
}
