import { toHex, type Bytes } from './bytes.ts';
import { DerError, readOid, readSequence, readSet, readText, sourceBytes, type DerBlock } from './der.ts';

/** A Name of X.501 (RFC 5280 §4.1.2.4). */
export interface DistinguishedName {
  /** As encoded. */
  readonly der: Bytes;
  /** In order of encoding; several in one relative name follow one another. */
  readonly attributes: readonly NameAttribute[];
  /** How many attributes each relative name has, in order. */
  readonly relativeNames: readonly number[];
}

export interface NameAttribute {
  /** OID, dotted. */
  readonly type: string;
  /** Decoded text; a value that is not a string is `#` and its DER in hexadecimal (RFC 4514 §2.4). */
  readonly value: string;
}

/**
 * Reads a Name.
 * @throws DerError
 */
export function readName(block: DerBlock): DistinguishedName {
  const relativeNames = readSequence(block).map((relativeName) => {
    const attributes = readSet(relativeName).map(readAttribute);
    if (attributes.length === 0) throw new DerError('a relative name without attributes');
    return attributes;
  });
  return {
    der: sourceBytes(block),
    attributes: relativeNames.flat(),
    relativeNames: relativeNames.map(({ length }) => length),
  };
}

function readAttribute(attribute: DerBlock): NameAttribute {
  const [type, value] = readSequence(attribute, 2, 2);
  const text = value && readText(value);
  return { type: readOid(type), value: text ?? (value ? `#${toHex(sourceBytes(value))}` : '') };
}

/** Two names with the same relative names, whose attributes are the same by `same`. */
function agree(a: DistinguishedName, b: DistinguishedName, same: (one: string, other: string) => boolean): boolean {
  return (
    a.relativeNames.length === b.relativeNames.length &&
    a.relativeNames.every((size, index) => size === b.relativeNames[index]) &&
    a.attributes.every(({ type, value }, index) => {
      const other = b.attributes[index];
      return other?.type === type && same(value, other.value);
    })
  );
}

/**
 * Whether two names say the same, whichever string types they are encoded in: same attributes with equal texts in the
 * same order. Stricter than RFC 5280 §7.1, which also folds case and spaces.
 */
export function namesEqual(a: DistinguishedName, b: DistinguishedName): boolean {
  return agree(a, b, (one, other) => one === other);
}

/**
 * Whether one name stands for the same as another where certificates are chained (RFC 5280 §7.1, RFC 4518): the string
 * types, upper and lower case, and how many spaces there are do not matter. Folds what `toLowerCase` does.
 */
export function namesMatch(a: DistinguishedName, b: DistinguishedName): boolean {
  return agree(a, b, (one, other) => one === other || folded(one) === folded(other));
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase().trim().replace(/\s+/gu, ' ');
