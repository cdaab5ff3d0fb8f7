import { readSpki, signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { concat, copyBytes, fromHex, type Bytes } from '../../../src/pki/bytes.ts';
import {
  bitString,
  boolean,
  certificateTime,
  encode,
  explicit,
  generalizedTime,
  implicitPrimitive,
  integer,
  octetString,
  oid,
  raw,
  sequence,
  type DerBlock,
} from '../../../src/pki/der.ts';
import type { TestKey } from './hierarchy.ts';

/** An extension as a list, an entry or an answer carries it. */
export interface TestExtension {
  readonly type: string;
  readonly critical?: boolean;
  /** DER. */
  readonly value: Uint8Array;
}

const extensionList = (extensions: readonly TestExtension[]): DerBlock =>
  sequence(
    ...extensions.map(({ type, critical, value }) =>
      sequence(oid(type), critical ? boolean(true) : undefined, octetString(value)),
    ),
  );

/** SEQUENCE of ready contents, however many values they are. */
export function longSequence(content: Uint8Array): Bytes {
  const { length } = content;
  return concat(Uint8Array.of(0x30, 0x83, length >>> 16, (length >>> 8) & 0xff, length & 0xff), content);
}

const enumerated = (value: number): Bytes => Uint8Array.of(10, 1, value);

export interface CrlEntryContent {
  /** Contents octets in hexadecimal. */
  readonly serialNumber: string;
  readonly at: Date;
  readonly reason?: number;
  readonly extensions?: readonly TestExtension[];
}

export interface CrlContent {
  /** DER Name. */
  readonly issuer: Uint8Array;
  readonly issuerKey: TestKey;
  readonly thisUpdate: Date;
  /** Null: left out. */
  readonly nextUpdate: Date | null;
  readonly entries: readonly CrlEntryContent[];
  /** Instead of `entries`, where they are too many: DER, one after another, 64 KiB at least. */
  readonly entryBytes?: Uint8Array;
  /** Null: left out. */
  readonly extensions: readonly TestExtension[] | null;
  /** 2, unless told otherwise. */
  readonly version?: 1 | 2 | 3;
  readonly signatureAlgorithm?: Uint8Array;
  /** The AlgorithmIdentifier inside what is signed, where it differs. */
  readonly innerAlgorithm?: Uint8Array;
}

export const reasonExtension = (reason: number): TestExtension => ({ type: '2.5.29.21', value: enumerated(reason) });

export async function issueCrl(content: CrlContent): Promise<Bytes> {
  const algorithm = content.signatureAlgorithm ?? signatureAlgorithmFor(content.issuerKey.algorithm);
  const entries = content.entries.map(({ serialNumber, at, reason, extensions = [] }) => {
    const all = [...(reason === undefined ? [] : [reasonExtension(reason)]), ...extensions];
    const number = fromHex(serialNumber);
    return sequence(
      raw(Uint8Array.of(2, number.length, ...number)),
      certificateTime(at),
      all.length > 0 ? extensionList(all) : undefined,
    );
  });
  const { version = 2 } = content;
  const tbs = encode(
    sequence(
      version === 1 ? undefined : integer(version - 1),
      raw(content.innerAlgorithm ?? algorithm),
      raw(content.issuer),
      certificateTime(content.thisUpdate),
      content.nextUpdate ? certificateTime(content.nextUpdate) : undefined,
      content.entryBytes ? raw(longSequence(content.entryBytes)) : undefined,
      entries.length > 0 ? sequence(...entries) : undefined,
      content.extensions ? explicit(0, extensionList(content.extensions)) : undefined,
    ),
  );
  return encode(sequence(raw(tbs), raw(algorithm), bitString(await content.issuerKey.sign(tbs))));
}

export interface SingleResponseContent {
  /** DER CertID. */
  readonly certId: Uint8Array;
  readonly status: 'good' | 'unknown' | { readonly revokedAt: Date; readonly reason?: number };
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
  readonly extensions?: readonly TestExtension[];
}

export interface OcspContent {
  readonly responder: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array };
  readonly responderKey: TestKey;
  readonly producedAt: Date;
  readonly responses: readonly SingleResponseContent[];
  /** Null: left out. */
  readonly nonce: Uint8Array | null;
  readonly extensions?: readonly TestExtension[];
  readonly certificates?: readonly Uint8Array[];
  readonly signatureAlgorithm?: Uint8Array;
}

export const ocspNonce = '1.3.6.1.5.5.7.48.1.2';

function certStatus(status: SingleResponseContent['status']): DerBlock {
  if (status === 'good') return implicitPrimitive(0, new Uint8Array());
  if (status === 'unknown') return implicitPrimitive(2, new Uint8Array());
  // [1] IMPLICIT RevokedInfo: the SEQUENCE's own tag gives way.
  const reason = status.reason === undefined ? undefined : explicit(0, raw(enumerated(status.reason)));
  const info = encode(sequence(generalizedTime(status.revokedAt), reason));
  info[0] = 0xa1;
  return raw(info);
}

/** A successful OCSPResponse. */
export async function answerOcsp(content: OcspContent): Promise<Bytes> {
  const algorithm = content.signatureAlgorithm ?? signatureAlgorithmFor(content.responderKey.algorithm);
  const extensions = [
    ...(content.nonce ? [{ type: ocspNonce, value: encode(octetString(content.nonce)) }] : []),
    ...(content.extensions ?? []),
  ];
  const tbs = encode(
    sequence(
      'name' in content.responder
        ? explicit(1, raw(content.responder.name))
        : explicit(2, octetString(content.responder.keyHash)),
      generalizedTime(content.producedAt),
      sequence(
        ...content.responses.map((response) =>
          sequence(
            raw(response.certId),
            certStatus(response.status),
            generalizedTime(response.thisUpdate),
            response.nextUpdate ? explicit(0, generalizedTime(response.nextUpdate)) : undefined,
            response.extensions ? explicit(1, extensionList(response.extensions)) : undefined,
          ),
        ),
      ),
      extensions.length > 0 ? explicit(1, extensionList(extensions)) : undefined,
    ),
  );
  const basic = encode(
    sequence(
      raw(tbs),
      raw(algorithm),
      bitString(await content.responderKey.sign(tbs)),
      content.certificates
        ? explicit(0, sequence(...content.certificates.map((certificate) => raw(certificate))))
        : undefined,
    ),
  );
  return encode(sequence(raw(enumerated(0)), explicit(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic)))));
}

/** An OCSPResponse that is only a status: 1 malformedRequest, 2 internalError, 3 tryLater, 5 sigRequired, 6 unauthorized. */
export const ocspError = (status: number): Bytes => encode(sequence(raw(enumerated(status))));

/** SHA-1 of a key's BIT STRING: RFC 6960's KeyHash. */
export async function keyHash({ spki }: Pick<TestKey, 'spki'>): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-1', copyBytes(readSpki(spki).publicKey)));
}
