import { readSpki, signatureAlgorithmFor } from '../pki/algorithms.ts';
import type { Bytes } from '../pki/bytes.ts';
import {
  bitString,
  contextTag,
  DerError,
  encode,
  explicit,
  implicit,
  integer,
  integerOfContent,
  isContext,
  isNull,
  isSequence,
  oid,
  parseDer,
  raw,
  readBitString,
  readExplicit,
  readImplicit,
  readInteger,
  readIntegerContent,
  readOid,
  readSequence,
  sequence,
  sourceBytes,
  type DerBlock,
} from '../pki/der.ts';
import { readName } from '../pki/name.ts';
import { verifySignature } from '../pki/signature.ts';

/*
 * Certificate requests of CRMF (RFC 4211), what CMP's cr and kur carry. The module has IMPLICIT TAGS, but a Name is a
 * CHOICE and so tagged explicitly all the same.
 */

/** Bytes that are not CertReqMessages, or a request that cannot be made. */
export class CrmfError extends Error {
  override readonly name = 'CrmfError';
}

/** CertId (RFC 4211 §6.5), as far as an issuer is a directoryName. */
export interface CertId {
  /** DER Name. */
  readonly issuer: Uint8Array;
  /** The INTEGER's contents octets. */
  readonly serialNumber: Uint8Array;
}

/** What a request asks for. */
export interface CertRequestContent {
  readonly certReqId: number;
  /** DER Name. */
  readonly subject: Uint8Array;
  /** DER SubjectPublicKeyInfo; absent where the authority is to make the key pair (RFC 9483 §4.1.6). */
  readonly publicKey?: Uint8Array | undefined;
  /** The certificate that is renewed (control oldCertID). */
  readonly oldCertId?: CertId | undefined;
  /** DER SubjectPublicKeyInfo of the key to wrap a made private key for (control protocolEncrKey, RFC 4211 §6.6). */
  readonly protocolEncrKey?: Uint8Array | undefined;
}

/** ProofOfPossession (RFC 4211 §4). */
export type ProofOfPossession =
  | {
      /** POPOSigningKey without poposkInput: a signature over the CertRequest. */
      readonly type: 'signature';
      /** OID. */
      readonly algorithm: string;
      readonly signature: Bytes;
    }
  /** Any other, by its tag: only ever read, so that a server can refuse it properly. */
  | { readonly type: 'unsupported'; readonly tag: number };

/** CertReqMsg (RFC 4211 §3), as read: its proof is not verified. */
export interface CertReqMessage extends CertRequestContent {
  /** DER CertRequest: what the proof signs. */
  readonly request: Bytes;
  readonly proof: ProofOfPossession | undefined;
  /** The tags of other fields in the CertTemplate. */
  readonly otherFields: readonly number[];
  /** The OIDs of other controls. */
  readonly otherControls: readonly string[];
}

const controlTypes = { oldCertId: '1.3.6.1.5.5.7.5.1.5', protocolEncrKey: '1.3.6.1.5.5.7.5.1.6' } as const;
const templateTags = { subject: 5, publicKey: 6 } as const;
const highestTemplateTag = 9;
const maxMessages = 16;
const maxControls = 16;

/**
 * CertReqMessages with one request.
 * @param sign signs with the key the request is for, as a certificate carries it: the proof of possession. What it
 *   throws comes through.
 * @returns DER
 * @throws CrmfError for a public key that is malformed or of no known kind
 */
export async function createCertReqMessages(
  content: CertRequestContent,
  sign?: (request: Uint8Array) => Promise<Uint8Array>,
): Promise<Bytes> {
  const request = encode(certRequestBlock(content));
  const algorithm = sign && signatureAlgorithmOf(content.publicKey);
  const proof = sign && algorithm && sequence(raw(algorithm), bitString(await sign(request)));
  return encode(sequence(sequence(raw(request), proof && implicit(1, encode(proof)))));
}

/** The AlgorithmIdentifier of the proof of possession. */
function signatureAlgorithmOf(publicKey: Uint8Array | undefined): Bytes {
  try {
    return signatureAlgorithmFor(readSpki(publicKey ?? new Uint8Array()).algorithm);
  } catch (cause) {
    if (cause instanceof DerError) throw new CrmfError('possession of this public key cannot be proven', { cause });
    throw cause;
  }
}

function certRequestBlock({ certReqId, subject, publicKey, oldCertId, protocolEncrKey }: CertRequestContent): DerBlock {
  const controls = [
    oldCertId &&
      sequence(
        oid(controlTypes.oldCertId),
        sequence(explicit(4, raw(oldCertId.issuer)), integerOfContent(oldCertId.serialNumber)),
      ),
    protocolEncrKey && sequence(oid(controlTypes.protocolEncrKey), raw(protocolEncrKey)),
  ].filter((control) => control !== undefined);
  return sequence(
    integer(certReqId),
    sequence(explicit(templateTags.subject, raw(subject)), publicKey && implicit(templateTags.publicKey, publicKey)),
    controls.length > 0 ? sequence(...controls) : undefined,
  );
}

/**
 * Reads CertReqMessages.
 * @throws CrmfError
 */
export function parseCertReqMessages(der: Uint8Array): readonly CertReqMessage[] {
  try {
    return readSequence(parseDer(der), 1, maxMessages).map(readMessage);
  } catch (cause) {
    if (cause instanceof DerError) throw new CrmfError(cause.message, { cause });
    throw cause;
  }
}

function readMessage(block: DerBlock): CertReqMessage {
  const [request, ...options] = readSequence(block, 1, 3);
  if (!request) throw new DerError('CertRequest expected');
  const [certReqId, template, controls] = readSequence(request, 2, 3);
  const rest = [...options];
  const proof = rest[0] && contextTag(rest[0]) !== undefined ? rest.shift() : undefined;
  // regInfo may follow; nothing in it counts here.
  if (rest.length > 1 || (rest.length === 1 && !isSequence(rest[0]))) {
    throw new DerError('unexpected part of a CertReqMsg');
  }
  return {
    certReqId: readInteger(certReqId),
    request: sourceBytes(request),
    proof: proof && readProof(proof),
    ...readTemplate(template),
    ...readControls(controls),
  };
}

function readTemplate(block: DerBlock | undefined): Pick<CertReqMessage, 'subject' | 'publicKey' | 'otherFields'> {
  let subject: Bytes | undefined;
  let publicKey: Bytes | undefined;
  const otherFields: number[] = [];
  let previous = -1;
  for (const field of readSequence(block, 0, highestTemplateTag + 1)) {
    const tag = contextTag(field) ?? -1;
    if (tag <= previous || tag > highestTemplateTag) throw new DerError('unexpected part of a CertTemplate');
    previous = tag;
    if (tag === templateTags.subject) subject = readName(readExplicit(field, tag)).der;
    else if (tag === templateTags.publicKey) publicKey = sourceBytes(readImplicit(field, tag, 'sequence'));
    else otherFields.push(tag);
  }
  if (!subject) throw new DerError('CertTemplate without a subject');
  return { subject, publicKey, otherFields };
}

function readControls(
  block: DerBlock | undefined,
): Pick<CertReqMessage, 'oldCertId' | 'protocolEncrKey' | 'otherControls'> {
  let oldCertId: CertId | undefined;
  let protocolEncrKey: Bytes | undefined;
  const seen = new Set<string>();
  const otherControls: string[] = [];
  for (const control of block ? readSequence(block, 1, maxControls) : []) {
    const [type, value] = readSequence(control, 2, 2);
    const name = readOid(type);
    if (seen.has(name)) throw new DerError('the same control twice');
    seen.add(name);
    if (name === controlTypes.oldCertId) oldCertId = readCertId(value);
    else if (name === controlTypes.protocolEncrKey && isSequence(value)) protocolEncrKey = value && sourceBytes(value);
    else otherControls.push(name);
  }
  return { oldCertId, protocolEncrKey, otherControls };
}

function readCertId(block: DerBlock | undefined): CertId {
  const [issuer, serialNumber] = readSequence(block, 2, 2);
  if (!issuer) throw new DerError('GeneralName expected');
  return { issuer: readName(readExplicit(issuer, 4)).der, serialNumber: readIntegerContent(serialNumber) };
}

function readProof(block: DerBlock): ProofOfPossession {
  const unsupported = { type: 'unsupported', tag: contextTag(block) ?? -1 } as const;
  if (!isContext(block, 1)) return unsupported;
  const parts = readSequence(readImplicit(block, 1, 'sequence'), 2, 3);
  if (parts.length === 3) return unsupported;
  const [algorithmIdentifier, signature] = parts;
  const [algorithm, parameters] = readSequence(algorithmIdentifier, 1, 2);
  if (parameters && !isNull(parameters)) throw new DerError('signature algorithm with parameters');
  return { type: 'signature', algorithm: readOid(algorithm), signature: readBitString(signature) };
}

/** Whether a request is signed by the very key it asks a certificate for. */
export async function verifyProof({ proof, publicKey, request }: CertReqMessage): Promise<boolean> {
  if (proof?.type !== 'signature' || !publicKey) return false;
  const { algorithm, signature } = proof;
  return verifySignature({ spki: publicKey, algorithm, message: request, signature });
}
