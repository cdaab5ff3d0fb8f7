import { signatureAlgorithmFor } from '../../src/pki/algorithms.ts';
import type { Bytes } from '../../src/pki/bytes.ts';
import {
  bitString,
  DerError,
  encode,
  explicit,
  generalizedTime,
  implicit,
  implicitPrimitive,
  isContext,
  isNull,
  octetString,
  oid,
  parseDer,
  raw,
  readExplicit,
  readIntegerContent,
  readOctetString,
  readOid,
  readSequence,
  sequence,
  sourceBytes,
  type DerBlock,
} from '../../src/pki/der.ts';
import { reasonNumbers } from './crl.ts';
import type { SoftwareKey } from './keys.ts';
import type { RevocationReason } from './ledger.ts';

/* OCSP (RFC 6960), the responder's half: module with EXPLICIT TAGS, but where it says IMPLICIT. */

const oids = {
  basic: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

/** OCSPResponseStatus (RFC 6960 §4.2.1). */
export const responseStatus = { malformedRequest: 1, internalError: 2, tryLater: 3, unauthorized: 6 } as const;

const maxRequests = 16;
/** RFC 9654 §2.1. */
const maxNonceBytes = 128;

/** Bytes that are not an OCSPRequest. */
export class OcspRequestError extends Error {
  override readonly name = 'OcspRequestError';
}

/** CertID (RFC 6960 §4.1.1). */
export interface CertId {
  /** As it came: the answer repeats it byte for byte. */
  readonly der: Bytes;
  /** Undefined: a hash that is not known here. */
  readonly hash: 'sha1' | 'sha256' | undefined;
  readonly issuerNameHash: Bytes;
  readonly issuerKeyHash: Bytes;
  /** The INTEGER's contents octets. */
  readonly serialNumber: Bytes;
}

export interface OcspRequest {
  readonly certIds: readonly CertId[];
  /** The whole Extension, DER. */
  readonly nonce: Bytes | undefined;
}

/**
 * Reads an OCSPRequest; a signature on it is not looked at.
 * @throws OcspRequestError
 */
export function parseOcspRequest(der: Uint8Array): OcspRequest {
  try {
    const [tbs, signature, ...others] = readSequence(parseDer(der), 1, 2);
    if (others.length > 0 || (signature && !isContext(signature, 0))) throw new DerError('OCSPRequest expected');
    const parts = [...readSequence(tbs, 1, 4)];
    if (isContext(parts[0], 0)) throw new DerError('a version equal to its default is left out');
    if (isContext(parts[0], 1)) parts.shift();
    const [list, extensions, ...rest] = parts;
    if (rest.length > 0) throw new DerError('TBSRequest expected');
    return {
      certIds: readSequence(list, 1, maxRequests).map((request) => readCertId(readSequence(request, 1, 2)[0])),
      nonce: extensions && readNonce(readExplicit(extensions, 2)),
    };
  } catch (cause) {
    if (cause instanceof DerError) throw new OcspRequestError(cause.message, { cause });
    throw cause;
  }
}

function readCertId(block: DerBlock | undefined): CertId {
  const [algorithm, issuerNameHash, issuerKeyHash, serialNumber] = readSequence(block, 4, 4);
  if (!block) throw new DerError('CertID expected');
  const [name, parameters] = readSequence(algorithm, 1, 2);
  if (parameters && !isNull(parameters)) throw new DerError('a hash has no parameters');
  const hash = readOid(name);
  return {
    der: sourceBytes(block),
    hash: hash === oids.sha1 ? 'sha1' : hash === oids.sha256 ? 'sha256' : undefined,
    issuerNameHash: readOctetString(issuerNameHash),
    issuerKeyHash: readOctetString(issuerKeyHash),
    serialNumber: readIntegerContent(serialNumber),
  };
}

function readNonce(extensions: DerBlock): Bytes | undefined {
  const nonces = readSequence(extensions, 1).filter((one) => readOid(readSequence(one, 2, 3)[0]) === oids.nonce);
  const [nonce, ...others] = nonces;
  if (!nonce) return undefined;
  const value = readOctetString(parseDer(readOctetString(readSequence(nonce).at(-1))));
  if (others.length > 0 || value.length === 0 || value.length > maxNonceBytes) throw new DerError('one nonce expected');
  return sourceBytes(nonce);
}

export type CertStatus =
  | { readonly status: 'good' }
  | { readonly status: 'revoked'; readonly at: Date; readonly reason: RevocationReason }
  | { readonly status: 'unknown' };

export interface OcspAnswer {
  readonly statuses: readonly { readonly certId: CertId; readonly status: CertStatus }[];
  readonly nonce: Bytes | undefined;
  readonly producedAt: Date;
  readonly nextUpdate: Date;
  /** Who signs, and under which name. */
  readonly signer: {
    readonly key: SoftwareKey;
    /** The responder by its DER Name or by the SHA-1 of its key. */
    readonly id: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array };
    /** A delegate's certificate, DER. */
    readonly certificate?: Uint8Array | undefined;
  };
}

function statusBlock(status: CertStatus): DerBlock {
  switch (status.status) {
    case 'good':
      return implicitPrimitive(0, new Uint8Array());
    case 'unknown':
      return implicitPrimitive(2, new Uint8Array());
    case 'revoked': {
      const { at, reason } = status;
      const number = raw(Uint8Array.of(0x0a, 1, reasonNumbers[reason]));
      const info = sequence(generalizedTime(at), reason === 'unspecified' ? undefined : explicit(0, number));
      return implicit(1, encode(info));
    }
  }
}

/** A successful OCSPResponse around a BasicOCSPResponse. @returns DER */
export async function makeOcspResponse({
  statuses,
  nonce,
  producedAt,
  nextUpdate,
  signer,
}: OcspAnswer): Promise<Bytes> {
  const tbs = encode(
    sequence(
      'name' in signer.id ? explicit(1, raw(signer.id.name)) : explicit(2, octetString(signer.id.keyHash)),
      generalizedTime(producedAt),
      sequence(
        ...statuses.map(({ certId, status }) =>
          sequence(
            raw(certId.der),
            statusBlock(status),
            generalizedTime(producedAt),
            explicit(0, generalizedTime(nextUpdate)),
          ),
        ),
      ),
      nonce && explicit(1, sequence(raw(nonce))),
    ),
  );
  const basic = sequence(
    raw(tbs),
    raw(signatureAlgorithmFor(signer.key.type)),
    bitString(await signer.key.sign(tbs)),
    signer.certificate && explicit(0, sequence(raw(signer.certificate))),
  );
  return encode(
    sequence(raw(Uint8Array.of(0x0a, 1, 0)), explicit(0, sequence(oid(oids.basic), octetString(encode(basic))))),
  );
}

/** An OCSPResponse that only says why there is no answer. @returns DER */
export function ocspFailure(status: keyof typeof responseStatus): Bytes {
  return encode(sequence(raw(Uint8Array.of(0x0a, 1, responseStatus[status]))));
}
