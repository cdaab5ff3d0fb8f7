import type { Bytes } from './bytes.ts';
import {
  contentBytes,
  DerError,
  isBoolean,
  isContext,
  readBoolean,
  readOctetString,
  readOid,
  readSequence,
  type DerBlock,
} from './der.ts';

/** An extension of a certificate, a revocation list or a status answer (RFC 5280 §4.2). */
export interface Extension {
  readonly critical: boolean;
  /** The contents of the OCTET STRING. */
  readonly value: Bytes;
}

/** By OID. */
export type Extensions = ReadonlyMap<string, Extension>;

/**
 * Reads Extensions: one at least, none twice.
 * @throws DerError
 */
export function readExtensions(block: DerBlock): Extensions {
  const extensions = new Map<string, Extension>();
  for (const extension of readSequence(block, 1)) {
    const [type, second, third] = readSequence(extension, 2, 3);
    const critical = isBoolean(second) && second ? readBoolean(second) : false;
    const name = readOid(type);
    if (extensions.has(name)) throw new DerError(`extension ${name} twice`);
    extensions.set(name, { critical, value: readOctetString(isBoolean(second) ? third : second) });
    if (!isBoolean(second) && third) throw new DerError('extension with too many parts');
  }
  return extensions;
}

/** Whether one that may not be passed over (RFC 5280 §4.2) is not among those understood. */
export function hasUnknownCritical(extensions: Extensions, understood: ReadonlySet<string>): boolean {
  return [...extensions].some(([name, { critical }]) => critical && !understood.has(name));
}

/** The keyIdentifier [0] of AuthorityKeyIdentifier (RFC 5280 §4.2.1.1). @throws DerError */
export function readKeyIdentifier(block: DerBlock): Bytes | undefined {
  const [first] = readSequence(block);
  return first && isContext(first, 0) && !first.idBlock.isConstructed ? contentBytes(first) : undefined;
}
