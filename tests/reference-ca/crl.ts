import { signatureAlgorithmFor } from '../../src/pki/algorithms.ts';
import type { Bytes } from '../../src/pki/bytes.ts';
import {
  bitString,
  certificateTime,
  encode,
  explicit,
  implicitPrimitive,
  integer,
  integerOfContent,
  octetString,
  oid,
  raw,
  sequence,
  type DerBlock,
} from '../../src/pki/der.ts';
import type { Authority } from './hierarchy.ts';
import type { RevocationReason } from './ledger.ts';

/** CRLReason by name (RFC 5280 §5.3.1). */
export const reasonNumbers: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  superseded: 4,
  cessationOfOperation: 5,
};

const extensionOids = {
  crlNumber: '2.5.29.20',
  reasonCode: '2.5.29.21',
  authorityKeyIdentifier: '2.5.29.35',
} as const;

export interface RevokedCertificate {
  /** The INTEGER's contents octets. */
  readonly serialNumber: Uint8Array;
  readonly at: Date;
  readonly reason: RevocationReason;
}

export interface CrlContent {
  readonly revoked: readonly RevokedCertificate[];
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** Greater than that of every list before it (RFC 5280 §5.2.3). */
  readonly number: number;
}

const extension = (type: string, value: DerBlock): DerBlock => sequence(oid(type), octetString(encode(value)));

/** ENUMERATED of a number below 128. */
const enumerated = (value: number): DerBlock => raw(Uint8Array.of(0x0a, 1, value));

/** "unspecified" is said by saying nothing (RFC 5280 §5.3.1). */
function entry({ serialNumber, at, reason }: RevokedCertificate): DerBlock {
  return sequence(
    integerOfContent(serialNumber),
    certificateTime(at),
    reason === 'unspecified'
      ? undefined
      : sequence(extension(extensionOids.reasonCode, enumerated(reasonNumbers[reason]))),
  );
}

/** A version 2 CertificateList (RFC 5280 §5) signed by an issuing authority. @returns DER */
export async function makeCrl({ issuing }: Authority, content: CrlContent): Promise<Bytes> {
  const algorithm = raw(signatureAlgorithmFor(issuing.key.type));
  const tbs = encode(
    sequence(
      integer(1),
      algorithm,
      raw(issuing.subject),
      certificateTime(content.thisUpdate),
      certificateTime(content.nextUpdate),
      content.revoked.length > 0 ? sequence(...content.revoked.map(entry)) : undefined,
      explicit(
        0,
        sequence(
          extension(extensionOids.authorityKeyIdentifier, sequence(implicitPrimitive(0, issuing.keyIdentifier))),
          extension(extensionOids.crlNumber, integer(content.number)),
        ),
      ),
    ),
  );
  return encode(sequence(raw(tbs), algorithm, bitString(await issuing.key.sign(tbs))));
}
