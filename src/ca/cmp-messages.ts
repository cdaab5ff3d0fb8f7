import { bytesEqual, type Bytes } from '../pki/bytes.ts';
import {
  bitString,
  contextTag,
  DerError,
  encode,
  explicit,
  generalizedTime,
  integer,
  isBitString,
  isContext,
  isNull,
  isSequence,
  nullValue,
  octetString,
  oid,
  parseDer,
  raw,
  readBitString,
  readExplicit,
  readInteger,
  readNamedBits,
  readOctetString,
  readOid,
  readSequence,
  readText,
  readTime,
  sequence,
  sourceBytes,
  utf8String,
  type DerBlock,
} from '../pki/der.ts';
import { readName, type DistinguishedName } from '../pki/name.ts';
import { isAcceptedSignatureAlgorithm } from '../pki/signature.ts';
import { failInfoNames, type FailInfo } from './authority.ts';

/*
 * The messages of CMP (RFC 9810, profile RFC 9483) that a renewal by p10cr, kur and cr needs, for both sides. The module is ASN.1
 * with EXPLICIT TAGS: every header option and body choice is a tag around a whole value.
 */

/** Bytes that are not a PKIMessage within our bounds. */
export class CmpFormatError extends Error {
  override readonly name = 'CmpFormatError';
}

/** The most bytes a PKIMessage may have here. */
export const maxMessageBytes = 65_536;
/** The most entries any list in a message may have here. */
const maxEntries = 16;

/** certReqId of a p10cr's answer, confirmation and polls: the request carries none (RFC 9483 §4.1.4). */
export const p10crRequestId = -1;
/** certReqId of the one request in a cr or kur (RFC 9483 §4.1). */
export const crmfRequestId = 0;

/** PKIStatus in order of value (RFC 9810 §5.2.3). */
export const pkiStatusNames = [
  'accepted',
  'grantedWithMods',
  'rejection',
  'waiting',
  'revocationWarning',
  'revocationNotification',
  'keyUpdateWarning',
] as const;
export type PkiStatus = (typeof pkiStatusNames)[number];

/** PKIStatusInfo (RFC 9810 §5.2.3). */
export interface PkiStatusInfo {
  readonly status: PkiStatus;
  readonly text?: readonly string[];
  readonly failInfo?: readonly FailInfo[];
}

/** CertResponse (RFC 9810 §5.3.4). */
export interface CertResponse {
  readonly certReqId: number;
  readonly status: PkiStatusInfo;
  /** DER; absent while waiting, after a rejection, and where the certificate came encrypted. */
  readonly certificate?: Uint8Array | undefined;
  /** DER EncryptedKey: the private key of a key pair that the authority made. */
  readonly privateKey?: Uint8Array | undefined;
}

/** CertStatus (RFC 9810 §5.3.18). */
export interface CertStatus {
  readonly certHash: Uint8Array;
  readonly certReqId: number;
  /** Absent means accepted. */
  readonly status?: PkiStatusInfo | undefined;
}

export interface PollReply {
  readonly certReqId: number;
  readonly checkAfterSeconds: number;
  readonly reason?: readonly string[];
}

/** PKIBody (RFC 9810 §5.1.2), as far as it is used. */
export type PkiBody =
  | {
      readonly type: 'p10cr';
      /** DER PKCS #10. */
      readonly csr: Uint8Array;
    }
  | {
      readonly type: 'cr' | 'kur';
      /** DER CertReqMessages. */
      readonly requests: Uint8Array;
    }
  | {
      readonly type: 'cp' | 'kup';
      readonly responses: readonly CertResponse[];
      /** DER certificates, not trusted. */
      readonly caPubs?: readonly Uint8Array[];
    }
  | { readonly type: 'certConf'; readonly statuses: readonly CertStatus[] }
  | { readonly type: 'pkiConf' }
  | { readonly type: 'pollReq'; readonly certReqIds: readonly number[] }
  | { readonly type: 'pollRep'; readonly replies: readonly PollReply[] }
  | { readonly type: 'error'; readonly status: PkiStatusInfo; readonly details?: readonly string[] }
  /** Anything else, by its tag: only ever read, so that a server can refuse it properly. */
  | { readonly type: 'unsupported'; readonly tag: number };
export type PkiBodyType = PkiBody['type'];

const bodyTags = {
  cr: 2,
  cp: 3,
  p10cr: 4,
  kur: 7,
  kup: 8,
  pkiConf: 19,
  error: 23,
  certConf: 24,
  pollReq: 25,
  pollRep: 26,
} as const;
const highestBodyTag = 26;
const infoTypes = { implicitConfirm: '1.3.6.1.5.5.7.4.13', confirmWaitTime: '1.3.6.1.5.5.7.4.14' } as const;

/** PKIHeader (RFC 9810 §5.1.1), as read. */
export interface PkiHeader {
  readonly pvno: number;
  readonly sender: DistinguishedName;
  /** Undefined where the recipient is not a directoryName. */
  readonly recipient: DistinguishedName | undefined;
  readonly messageTime: Date | undefined;
  /** OID of the protection's algorithm; undefined in an unprotected message. */
  readonly protectionAlgorithm: string | undefined;
  readonly senderKid: Bytes | undefined;
  readonly transactionId: Bytes | undefined;
  readonly senderNonce: Bytes | undefined;
  readonly recipNonce: Bytes | undefined;
  readonly implicitConfirm: boolean;
  readonly confirmWaitTime: Date | undefined;
}

/** PKIMessage (RFC 9810 §5.1), as read: nothing in it is to be believed before its protection is verified. */
export interface PkiMessage {
  readonly der: Bytes;
  readonly header: PkiHeader;
  readonly body: PkiBody;
  /** ProtectedPart: DER SEQUENCE {header, body} around the bytes as they came. */
  readonly protectedPart: Bytes;
  readonly protection: Bytes | undefined;
  /** DER certificates, not trusted. */
  readonly extraCerts: readonly Bytes[];
}

/** What a message to be built says. */
export interface MessageContent {
  /** DER Name of the protecting certificate's subject. */
  readonly sender: Uint8Array;
  /** DER Name. */
  readonly recipient: Uint8Array;
  readonly messageTime?: Date | undefined;
  /** DER AlgorithmIdentifier of the signature that protects the message; absent only in an unprotected one. */
  readonly protectionAlgorithm?: Uint8Array | undefined;
  /** The protecting certificate's SubjectKeyIdentifier. */
  readonly senderKid?: Uint8Array | undefined;
  /** 16 bytes. */
  readonly transactionId?: Uint8Array | undefined;
  /** 16 fresh random bytes. */
  readonly senderNonce?: Uint8Array | undefined;
  /** The senderNonce of the message answered. */
  readonly recipNonce?: Uint8Array | undefined;
  readonly implicitConfirm?: boolean;
  readonly confirmWaitTime?: Date | undefined;
  readonly body: Exclude<PkiBody, { type: 'unsupported' }>;
  /** DER certificates, the protecting one first. */
  readonly extraCerts?: readonly Uint8Array[];
}

/**
 * Builds a PKIMessage of protocol version 2.
 * @param sign signs the ProtectedPart under `protectionAlgorithm`; what it throws comes through. Without it the message
 *   is unprotected.
 * @returns DER
 */
export async function buildMessage(
  content: MessageContent,
  sign?: (protectedPart: Uint8Array) => Promise<Uint8Array>,
): Promise<Bytes> {
  const header = encode(headerBlock(content));
  const body = encode(explicit(bodyTags[content.body.type], bodyBlock(content.body)));
  const protection = sign && (await sign(protectedPartOf(header, body)));
  const extraCerts = content.extraCerts ?? [];
  return encode(
    sequence(
      raw(header),
      raw(body),
      protection && explicit(0, bitString(protection)),
      extraCerts.length > 0 ? explicit(1, sequence(...extraCerts.map(raw))) : undefined,
    ),
  );
}

function protectedPartOf(header: Uint8Array, body: Uint8Array): Bytes {
  return encode(sequence(raw(header), raw(body)));
}

function headerBlock(content: MessageContent): DerBlock {
  const { messageTime, protectionAlgorithm, senderKid, transactionId, senderNonce, recipNonce, confirmWaitTime } =
    content;
  const generalInfo = [
    content.implicitConfirm ? sequence(oid(infoTypes.implicitConfirm), nullValue()) : undefined,
    confirmWaitTime && sequence(oid(infoTypes.confirmWaitTime), generalizedTime(confirmWaitTime)),
  ].filter((info) => info !== undefined);
  return sequence(
    integer(2),
    explicit(4, raw(content.sender)),
    explicit(4, raw(content.recipient)),
    messageTime && explicit(0, generalizedTime(messageTime)),
    protectionAlgorithm && explicit(1, raw(protectionAlgorithm)),
    senderKid && explicit(2, octetString(senderKid)),
    transactionId && explicit(4, octetString(transactionId)),
    senderNonce && explicit(5, octetString(senderNonce)),
    recipNonce && explicit(6, octetString(recipNonce)),
    generalInfo.length > 0 ? explicit(8, sequence(...generalInfo)) : undefined,
  );
}

function bodyBlock(body: MessageContent['body']): DerBlock {
  switch (body.type) {
    case 'p10cr':
      return raw(body.csr);
    case 'cr':
    case 'kur':
      return raw(body.requests);
    case 'cp':
    case 'kup': {
      const caPubs = body.caPubs ?? [];
      return sequence(
        caPubs.length > 0 ? explicit(1, sequence(...caPubs.map(raw))) : undefined,
        sequence(
          ...body.responses.map(({ certReqId, status, certificate, privateKey }) =>
            sequence(
              integer(certReqId),
              statusBlock(status),
              certificate && sequence(explicit(0, raw(certificate)), privateKey && explicit(0, raw(privateKey))),
            ),
          ),
        ),
      );
    }
    case 'certConf':
      return sequence(
        ...body.statuses.map(({ certHash, certReqId, status }) =>
          sequence(octetString(certHash), integer(certReqId), status && statusBlock(status)),
        ),
      );
    case 'pkiConf':
      return nullValue();
    case 'pollReq':
      return sequence(...body.certReqIds.map((certReqId) => sequence(integer(certReqId))));
    case 'pollRep':
      return sequence(
        ...body.replies.map(({ certReqId, checkAfterSeconds, reason }) =>
          sequence(integer(certReqId), integer(checkAfterSeconds), freeText(reason)),
        ),
      );
    case 'error':
      return sequence(statusBlock(body.status), freeText(body.details));
  }
}

function statusBlock({ status, text, failInfo }: PkiStatusInfo): DerBlock {
  return sequence(integer(pkiStatusNames.indexOf(status)), freeText(text), failInfoBlock(failInfo ?? []));
}

function freeText(texts: readonly string[] = []): DerBlock | undefined {
  return texts.length > 0 ? sequence(...texts.map(utf8String)) : undefined;
}

/** A BIT STRING with named bits ends at its last set bit (X.690 §11.2.2). */
function failInfoBlock(failInfo: readonly FailInfo[]): DerBlock | undefined {
  if (failInfo.length === 0) return undefined;
  const bits = failInfo.map((name) => failInfoNames.indexOf(name));
  const last = Math.max(...bits);
  const bytes = new Uint8Array((last >>> 3) + 1);
  for (const bit of bits) bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | (0x80 >>> (bit & 7));
  return bitString(bytes, 7 - (last & 7));
}

/**
 * Reads a PKIMessage: strict DER, at most 64 KiB, nested at most 32 deep. Verifies nothing.
 * @throws CmpFormatError
 */
export function parseMessage(der: Uint8Array): PkiMessage {
  try {
    const message = parseDer(der, { maxBytes: maxMessageBytes });
    const [header, body, ...options] = readSequence(message, 2, 4);
    if (!header || !body) throw new DerError('PKIMessage without header and body');
    const { protection, extraCerts } = readOptions(options);
    return {
      der: sourceBytes(message),
      header: readHeader(header),
      body: readBody(body),
      protectedPart: protectedPartOf(sourceBytes(header), sourceBytes(body)),
      protection,
      extraCerts,
    };
  } catch (cause) {
    if (cause instanceof DerError) throw new CmpFormatError(cause.message, { cause });
    throw cause;
  }
}

/** Protection [0] and extraCerts [1], each at most once and in this order. */
function readOptions(options: readonly DerBlock[]): Pick<PkiMessage, 'protection' | 'extraCerts'> {
  const rest = [...options];
  const protection = isContext(rest[0], 0) ? rest.shift() : undefined;
  const extraCerts = isContext(rest[0], 1) ? rest.shift() : undefined;
  if (rest.length > 0) throw new DerError('unexpected part of a PKIMessage');
  return {
    protection: protection && readBitString(readExplicit(protection, 0)),
    extraCerts: extraCerts ? readList(readExplicit(extraCerts, 1)).map(sourceBytes) : [],
  };
}

const readList = (block: DerBlock | undefined): readonly DerBlock[] => readSequence(block, 0, maxEntries);

function readHeader(block: DerBlock): PkiHeader {
  const [pvno, sender, recipient, ...options] = readSequence(block, 3, 12);
  const byTag = new Map<number, DerBlock>();
  let previous = -1;
  for (const option of options) {
    const tag = contextTag(option) ?? -1;
    if (tag <= previous || tag > 8) throw new DerError('unexpected part of a PKIHeader');
    previous = tag;
    byTag.set(tag, readExplicit(option, tag));
  }
  const octets = (tag: number): Bytes | undefined => {
    const option = byTag.get(tag);
    return option && readOctetString(option);
  };
  const messageTime = byTag.get(0);
  const algorithm = byTag.get(1);
  const info = readGeneralInfo(byTag.get(8));
  return {
    pvno: readInteger(pvno),
    sender: readDirectoryName(sender),
    recipient: isContext(recipient, 4) ? readDirectoryName(recipient) : undefined,
    messageTime: messageTime && readTime(messageTime),
    protectionAlgorithm: algorithm && readAlgorithm(algorithm),
    senderKid: octets(2),
    transactionId: octets(4),
    senderNonce: octets(5),
    recipNonce: octets(6),
    ...info,
  };
}

/** directoryName [4] of GeneralName: explicit, because Name is a CHOICE (X.680 §31.2.7). */
function readDirectoryName(block: DerBlock | undefined): DistinguishedName {
  if (!block) throw new DerError('GeneralName expected');
  return readName(readExplicit(block, 4));
}

/** Signatures have no parameters but NULL; the parameters of a MAC are left alone, for no MAC is accepted. */
function readAlgorithm(block: DerBlock): string {
  const [algorithm, parameters] = readSequence(block, 1, 2);
  const name = readOid(algorithm);
  if (parameters && !isNull(parameters) && isAcceptedSignatureAlgorithm(name)) {
    throw new DerError('signature algorithm with parameters');
  }
  return name;
}

function readGeneralInfo(block: DerBlock | undefined): Pick<PkiHeader, 'implicitConfirm' | 'confirmWaitTime'> {
  let implicitConfirm = false;
  let confirmWaitTime: Date | undefined;
  for (const info of block ? readList(block) : []) {
    const [type, value] = readSequence(info, 1, 2);
    const name = readOid(type);
    if (name === infoTypes.implicitConfirm) implicitConfirm = true;
    if (name === infoTypes.confirmWaitTime) confirmWaitTime = readTime(value);
  }
  return { implicitConfirm, confirmWaitTime };
}

function readBody(block: DerBlock): PkiBody {
  const tag = contextTag(block);
  if (tag === undefined || tag > highestBodyTag) throw new DerError('PKIBody expected');
  const content = readExplicit(block, tag);
  switch (tag) {
    case bodyTags.p10cr:
      return { type: 'p10cr', csr: sourceBytes(content) };
    case bodyTags.cr:
      return { type: 'cr', requests: sourceBytes(content) };
    case bodyTags.kur:
      return { type: 'kur', requests: sourceBytes(content) };
    case bodyTags.cp:
      return readCertRep('cp', content);
    case bodyTags.kup:
      return readCertRep('kup', content);
    case bodyTags.certConf:
      return { type: 'certConf', statuses: readList(content).map(readCertStatus) };
    case bodyTags.pkiConf:
      if (!isNull(content)) throw new DerError('pkiConf is NULL');
      return { type: 'pkiConf' };
    case bodyTags.pollReq:
      return {
        type: 'pollReq',
        certReqIds: readList(content).map((entry) => readInteger(readSequence(entry, 1, 1)[0])),
      };
    case bodyTags.pollRep:
      return { type: 'pollRep', replies: readList(content).map(readPollReply) };
    case bodyTags.error:
      return readError(content);
    default:
      return { type: 'unsupported', tag };
  }
}

function readCertRep(type: 'cp' | 'kup', block: DerBlock): PkiBody {
  const parts = readSequence(block, 1, 2);
  const [caPubs, responses] = parts.length === 2 ? parts : [undefined, parts[0]];
  return {
    type,
    caPubs: caPubs ? readList(readExplicit(caPubs, 1)).map(sourceBytes) : [],
    responses: readList(responses).map(readCertResponse),
  };
}

function readCertResponse(block: DerBlock): CertResponse {
  const [certReqId, status, ...options] = readSequence(block, 2, 4);
  const keyPair = isSequence(options[0]) ? options[0] : undefined;
  // certOrEncCert: certificate [0] or encryptedCert [1]; after it an encrypted privateKey [0] and publicationInfo [1].
  const [choice, privateKey] = keyPair ? readSequence(keyPair, 1, 3) : [];
  return {
    certReqId: readInteger(certReqId),
    status: readStatus(status),
    certificate: choice && isContext(choice, 0) ? sourceBytes(readExplicit(choice, 0)) : undefined,
    privateKey: privateKey && isContext(privateKey, 0) ? sourceBytes(readExplicit(privateKey, 0)) : undefined,
  };
}

function readCertStatus(block: DerBlock): CertStatus {
  const [certHash, certReqId, status] = readSequence(block, 2, 4);
  return {
    certHash: readOctetString(certHash),
    certReqId: readInteger(certReqId),
    status: isSequence(status) ? readStatus(status) : undefined,
  };
}

function readPollReply(block: DerBlock): PollReply {
  const [certReqId, checkAfter, reason] = readSequence(block, 2, 3);
  return {
    certReqId: readInteger(certReqId),
    checkAfterSeconds: readInteger(checkAfter),
    reason: reason ? readFreeText(reason) : [],
  };
}

function readError(block: DerBlock): PkiBody {
  const [status, ...options] = readSequence(block, 1, 3);
  const details = options.find(isSequence);
  return { type: 'error', status: readStatus(status), details: details ? readFreeText(details) : [] };
}

function readStatus(block: DerBlock | undefined): PkiStatusInfo {
  const [value, ...options] = readSequence(block, 1, 3);
  const status = pkiStatusNames[readInteger(value)];
  if (!status) throw new DerError('no such PKIStatus');
  const text = options.find(isSequence);
  const bits = options.find(isBitString);
  return {
    status,
    text: text ? readFreeText(text) : [],
    // Bits of a later standard say nothing we could act on.
    failInfo: bits ? readNamedBits(bits).flatMap((bit) => failInfoNames[bit] ?? []) : [],
  };
}

function readFreeText(block: DerBlock): readonly string[] {
  return readList(block).map((entry) => {
    const text = readText(entry);
    if (text === undefined) throw new DerError('PKIFreeText expected');
    return text;
  });
}

/** Whether a message answers another: same transaction, nonce echoed. */
export function answers(answer: PkiHeader, request: PkiHeader): boolean {
  return sameBytes(answer.transactionId, request.transactionId) && sameBytes(answer.recipNonce, request.senderNonce);
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a !== undefined && b !== undefined && bytesEqual(a, b);
}
