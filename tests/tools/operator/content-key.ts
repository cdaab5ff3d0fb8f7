import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { oids, sm2Spki } from '../../../src/pki/algorithms.ts';
import { concat, type Bytes } from '../../../src/pki/bytes.ts';
import {
  DerError,
  ecdsaSignatureToDer,
  encode,
  explicit,
  bitString,
  integer,
  octetString,
  oid,
  parseDer,
  readInteger,
  readOctetString,
  readOid,
  readSequence,
  sequence,
} from '../../../src/pki/der.ts';
import { sm2Digest, sm2GenerateKeyPair, sm2PublicKey, sm2SignDigest } from '../../../src/pki/sm2.ts';
import type { ContentKey } from '../../../src/service/content-key.ts';

export type ContentAlgorithm = ContentKey['algorithm'];
export const contentAlgorithms: readonly ContentAlgorithm[] = ['ed25519', 'sm2'];

/** A PEM file that holds no private key of either algorithm. */
export class KeyFileError extends Error {
  override readonly name = 'KeyFileError';
}

export interface SigningKey {
  readonly algorithm: ContentAlgorithm;
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Bytes;
  sign(content: Uint8Array): Uint8Array;
}

const pemOf = (pkcs8: Uint8Array): string => {
  const lines =
    Buffer.from(pkcs8)
      .toString('base64')
      .match(/.{1,64}/gu) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
};

/** PKCS #8 with an ECPrivateKey (RFC 5958, RFC 5915), as OpenSSL writes it. */
function sm2Pkcs8(privateKey: Uint8Array, publicKey: Uint8Array): Bytes {
  const ecPrivateKey = encode(sequence(integer(1), octetString(privateKey), explicit(1, bitString(publicKey))));
  const algorithm = sequence(oid(oids.ecPublicKey), oid(oids.sm2));
  return encode(sequence(integer(0), algorithm, octetString(ecPrivateKey)));
}

/** The private scalar of an SM2 key; undefined for a key of another algorithm. @throws DerError */
function sm2Scalar(pkcs8: Uint8Array): Bytes | undefined {
  const [, algorithmIdentifier, wrapped] = readSequence(parseDer(pkcs8), 3);
  const [algorithm, curve] = readSequence(algorithmIdentifier, 1, 2);
  if (readOid(algorithm) !== oids.ecPublicKey || readOid(curve) !== oids.sm2) return undefined;
  const [version, scalar] = readSequence(parseDer(readOctetString(wrapped)), 2);
  if (readInteger(version) !== 1) throw new DerError('not an ECPrivateKey');
  const bytes = readOctetString(scalar);
  if (bytes.length > 32) throw new DerError('not an SM2 key');
  return concat(new Uint8Array(32 - bytes.length), bytes);
}

/** A new private key: PEM of its PKCS #8. */
export function newPrivateKey(algorithm: ContentAlgorithm): string {
  if (algorithm === 'sm2') {
    const { privateKey, publicKey } = sm2GenerateKeyPair();
    return pemOf(sm2Pkcs8(privateKey, publicKey));
  }
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * A private key from PEM (PKCS #8), as `keygen` or OpenSSL write it.
 * @throws KeyFileError
 */
export function readSigningKey(pem: string): SigningKey {
  const [, base64 = ''] = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/u.exec(pem) ?? [];
  let key: KeyObject;
  try {
    // Node 20 ends with the process when it is asked about an SM2 key: this one is ours.
    const scalar = sm2Scalar(new Uint8Array(Buffer.from(base64, 'base64')));
    if (scalar) {
      const publicKey = sm2PublicKey(scalar);
      return {
        algorithm: 'sm2',
        spki: sm2Spki(publicKey),
        sign: (content) => ecdsaSignatureToDer(sm2SignDigest(sm2Digest(content, publicKey), scalar)),
      };
    }
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new KeyFileError('there is no private key in it', { cause });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new KeyFileError('it holds neither an Ed25519 nor an SM2 key');
  return {
    algorithm: 'ed25519',
    spki: new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' })),
    sign: (content) => sign(null, content, key),
  };
}

/** The row for `contentKeys` in config.json. */
export const configRow = (keyId: string, { algorithm, spki }: SigningKey): string =>
  JSON.stringify({ keyId, algorithm, publicKey: Buffer.from(spki).toString('base64') });
