import { oids, readSpki } from '../pki/algorithms.ts';
import { bytesEqual, concat, toHex, type Bytes } from '../pki/bytes.ts';
import { CsrError, parseCsr, verifyCsr, type Csr, type CsrContent } from '../pki/csr.ts';
import {
  bitString,
  children,
  DerError,
  encode,
  explicit,
  integer,
  nullValue,
  octetString,
  oid,
  parseDer,
  printableString,
  raw,
  readInteger,
  readOctetString,
  readOid,
  readSequence,
  readSet,
  readText,
  sequence,
  set,
  sourceBytes,
  type DerBlock,
} from '../pki/der.ts';
import { sm2GenerateKeyPair, sm2IsPublicKey, type Sm2KeyPair } from '../pki/sm2.ts';

/*
 * CFCA's request for a double certificate: a PKCS #10 request whose two attributes carry their values bare, where
 * RFC 2986 §4.1 has a SET of values, and whose second attribute is a further, temporary public key. Under that one the
 * authority delivers the encryption key pair that it makes and escrows.
 */

/** CFCA's request, read but not verified. */
export interface CfcaRequest extends Csr {
  readonly challengePassword: string;
  /** 04 ‖ X ‖ Y of the temporary SM2 key, 65 bytes. */
  readonly temporaryPublicKey: Bytes;
}

/** A request together with the key that opens what is delivered in answer to it. */
export interface MadeCfcaRequest {
  /** DER. */
  readonly der: Bytes;
  /** Lives in the page alone, serves once and is to be cleared by whoever holds it. */
  readonly temporaryKey: Sm2KeyPair;
}

const challengePasswordType = '1.2.840.113549.1.9.7';
const temporaryPublicKeyType = '1.2.840.113549.1.9.63';
/** Part of the form, and no secret: every request carries it. */
const challengePassword = '111111';
const temporaryKeyVersion = 1;
/** What goes before the coordinates of the temporary key. */
const temporaryKeyHeader = Uint8Array.of(0x00, 0xb4, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00);
const coordinateBytes = 32;
/** Each coordinate stands at the beginning of 64 bytes. */
const paddingAfterCoordinate = new Uint8Array(32);
const bmpStringTag = 0x1e;
const printableStringTag = 0x13;
const maxBytes = 16_384;

/**
 * Makes CFCA's request, with a temporary key pair of its own. What `sign` throws comes through unchanged, and then the
 * temporary private key has been cleared.
 * @param content the subject is written anew in BMPStrings, as CFCA's published sample has it; the key is an SM2 key
 * @throws CsrError if the key is none of SM2's or the subject does not fit BMPStrings
 */
export async function createCfcaRequest(content: CsrContent): Promise<MadeCfcaRequest> {
  const temporaryKey = sm2GenerateKeyPair();
  try {
    const der = await createCfcaRequestFor(content, temporaryKey.publicKey);
    return { der, temporaryKey };
  } catch (error) {
    temporaryKey.privateKey.fill(0);
    throw error;
  }
}

async function createCfcaRequestFor({ subject, spki, sign }: CsrContent, temporaryPublicKey: Bytes): Promise<Bytes> {
  let info: Bytes;
  try {
    if (readSpki(spki).algorithm !== 'sm2') throw new DerError('an SM2 key expected');
    info = encode(
      sequence(
        integer(0),
        bmpName(parseDer(subject)),
        raw(spki),
        explicit(
          0,
          sequence(oid(challengePasswordType), printableString(challengePassword)),
          sequence(oid(temporaryPublicKeyType), octetString(encodeTemporaryKey(temporaryPublicKey))),
        ),
      ),
    );
  } catch (cause) {
    if (cause instanceof DerError) throw new CsrError('the subject or the public key cannot be asked for', { cause });
    throw cause;
  }
  const signature = await sign(info);
  const algorithm = sequence(oid(oids.sm2WithSm3), nullValue());
  return parseCfcaRequest(encode(sequence(raw(info), algorithm, bitString(signature)))).der;
}

/**
 * Reads CFCA's request. In one thing it is not held to RFC 2986: its attributes, exactly these two in this order, have
 * no SET around their values.
 * @throws CsrError
 */
export function parseCfcaRequest(der: Uint8Array): CfcaRequest {
  if (der.length > maxBytes) throw new CsrError('too long');
  const csr = parseCsr(der);
  if (csr.keyAlgorithm !== 'sm2' || csr.signatureAlgorithm !== oids.sm2WithSm3) {
    throw new CsrError('a request of an SM2 key, signed with it, expected');
  }
  try {
    const attributes = readSequence(parseDer(csr.info), 4, 4)[3];
    const [first, second, ...others] = attributes ? children(attributes) : [];
    if (others.length > 0) throw new DerError('two attributes expected');
    const password = attributeValue(first, challengePasswordType);
    if (sourceBytes(password)[0] !== printableStringTag) throw new DerError('PrintableString expected');
    return {
      ...csr,
      challengePassword: readText(password) ?? '',
      temporaryPublicKey: decodeTemporaryKey(readOctetString(attributeValue(second, temporaryPublicKeyType))),
    };
  } catch (cause) {
    if (cause instanceof DerError) throw new CsrError(cause.message, { cause });
    throw cause;
  }
}

/**
 * Whether the request is signed by the key it asks a certificate for, over the CertificationRequestInfo as received.
 * Nothing proves possession of the temporary key.
 * @throws CsrError if it is not CFCA's request
 */
export async function verifyCfcaRequest(der: Uint8Array): Promise<boolean> {
  return verifyCsr(parseCfcaRequest(der).der);
}

function attributeValue(attribute: DerBlock | undefined, type: string): DerBlock {
  const [name, value] = readSequence(attribute, 2, 2);
  if (readOid(name) !== type || !value) throw new DerError(`attribute ${type} expected`);
  return value;
}

/**
 * The temporary key as the attribute carries it: DER SEQUENCE {1, OCTET STRING (8 bytes, X and
 * 32 zero bytes, Y and 32 zero bytes)}.
 * @param publicKey 04 ‖ X ‖ Y, 65 bytes
 */
function encodeTemporaryKey(publicKey: Bytes): Bytes {
  const [x, y] = [publicKey.subarray(1, 1 + coordinateBytes), publicKey.subarray(1 + coordinateBytes)];
  const key = concat(temporaryKeyHeader, x, paddingAfterCoordinate, y, paddingAfterCoordinate);
  return encode(sequence(integer(temporaryKeyVersion), octetString(key)));
}

function decodeTemporaryKey(der: Uint8Array): Bytes {
  const [version, block] = readSequence(parseDer(der), 2, 2);
  if (readInteger(version) !== temporaryKeyVersion) throw new DerError('version 1 of a temporary key expected');
  const key = readOctetString(block);
  const x = temporaryKeyHeader.length;
  const y = x + 2 * coordinateBytes;
  const publicKey = concat(
    Uint8Array.of(4),
    key.subarray(x, x + coordinateBytes),
    key.subarray(y, y + coordinateBytes),
  );
  if (!sm2IsPublicKey(publicKey)) throw new DerError('the temporary key is no point of the curve');
  // Header, padding and length at once: only what this form writes is this form.
  if (!bytesEqual(encodeTemporaryKey(publicKey), der)) throw new DerError('not a temporary key in this form');
  return publicKey;
}

/** A Name with the same texts in the same relative names, each in a BMPString. */
function bmpName(name: DerBlock): DerBlock {
  return sequence(
    ...readSequence(name).map((relativeName) => {
      const attributes = readSet(relativeName).map((attribute) => {
        const [type, value] = readSequence(attribute, 2, 2);
        const text = value && readText(value);
        if (text === undefined) throw new DerError('an attribute of the subject that is not a text');
        return encode(sequence(oid(readOid(type)), bmpString(text)));
      });
      // Of a SET OF, DER wants the encodings in ascending order (X.690 §11.6).
      return set(
        ...attributes
          .map((der) => ({ der, hex: toHex(der) }))
          .sort(byHex)
          .map(({ der }) => raw(der)),
      );
    }),
  );
}

const byHex = (a: { readonly hex: string }, b: { readonly hex: string }): number => (a.hex < b.hex ? -1 : 1);

function bmpString(text: string): DerBlock {
  const content = new Uint8Array(2 * text.length);
  const view = new DataView(content.buffer);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit <= 0xdfff) throw new DerError('a letter that no BMPString holds');
    view.setUint16(2 * i, unit);
  }
  const der = encode(octetString(content));
  der[0] = bmpStringTag;
  return raw(der);
}
