import { toHex, type Bytes } from './bytes.ts';
import { readOid, readSequence, readSet, readText, sourceBytes, type DerBlock } from './der.ts';

/** A Name of X.501 (RFC 5280 §4.1.2.4). */
export interface DistinguishedName {
  /** As encoded. */
  readonly der: Bytes;
  /** In order of encoding; several in one relative name follow one another. */
  readonly attributes: readonly NameAttribute[];
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
  const attributes = readSequence(block).flatMap((relativeName) =>
    readSet(relativeName).map((attribute): NameAttribute => {
      const [type, value] = readSequence(attribute, 2, 2);
      const text = value && readText(value);
      return { type: readOid(type), value: text ?? (value ? `#${toHex(sourceBytes(value))}` : '') };
    }),
  );
  return { der: sourceBytes(block), attributes };
}

/**
 * Whether two names say the same, whichever string types they are encoded in: same attributes with equal texts in the
 * same order. Stricter than RFC 5280 §7.1, which also folds case and spaces.
 */
export function namesEqual(a: DistinguishedName, b: DistinguishedName): boolean {
  return (
    a.attributes.length === b.attributes.length &&
    a.attributes.every(({ type, value }, index) => {
      const other = b.attributes[index];
      return other?.type === type && other.value === value;
    })
  );
}

/**
 * Whether one name stands for the same as another where certificates are chained (RFC 5280 §7.1, RFC 4518): the string
 * types, upper and lower case, and how many spaces there are do not matter. Folds what `toLowerCase` does.
 */
export function namesMatch(a: DistinguishedName, b: DistinguishedName): boolean {
  return (
    a.attributes.length === b.attributes.length &&
    a.attributes.every(({ type, value }, index) => {
      const other = b.attributes[index];
      return other?.type === type && (other.value === value || folded(other.value) === folded(value));
    })
  );
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase().trim().replace(/\s+/gu, ' ');
