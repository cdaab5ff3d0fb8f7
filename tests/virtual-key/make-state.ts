import { sm2Spki, signatureAlgorithmFor } from '../../src/pki/algorithms.ts';
import {
  bitString,
  certificateTime,
  ecdsaSignatureToDer,
  encode,
  explicit,
  integer,
  oid,
  raw,
  sequence,
  set,
  utf8String,
} from '../../src/pki/der.ts';
import { sm2Digest, sm2GenerateKeyPair, sm2PublicKey, sm2SignDigest } from '../../src/pki/sm2.ts';
import { bytesToHex, concatBytes, hexToBytes } from './bytes.ts';
import { readRsaPrivateKey, signSha256 } from './rsa.ts';
import { defaultManagementKey } from './piv-management.ts';
import { discoveryObject, tagName } from './piv-objects.ts';
import type {
  Attachment,
  ContainerState,
  KeyPairState,
  KeyState,
  PivFeatures,
  PivSlotState,
  PivState,
} from './state.ts';

export const samplePassword = '12345678';
export const sampleApplication = 'CFCA';

const dayInMs = 24 * 60 * 60 * 1000;

export interface SampleKeyPair {
  /** Days from now; negative: ended. */
  readonly daysLeft?: number;
  readonly commonName?: string;
  readonly withCertificate?: boolean;
}

function name(commonName: string): ReturnType<typeof sequence> {
  return sequence(set(sequence(oid('2.5.4.3'), utf8String(commonName))));
}

/** A self-signed version 3 certificate without extensions (RFC 5280 §4.1): enough for a key, which looks no closer. */
function selfSigned(
  commonName: string,
  daysLeft: number,
  spki: Uint8Array,
  algorithm: 'sm2' | 'rsa',
  sign: (tbs: Uint8Array) => Uint8Array,
): Uint8Array {
  const notAfter = new Date(Math.floor(Date.now() / 1000) * 1000 + daysLeft * dayInMs);
  const notBefore = new Date(notAfter.getTime() - 365 * dayInMs);
  const signatureAlgorithm = signatureAlgorithmFor(algorithm);
  const tbs = encode(
    sequence(
      explicit(0, integer(2)),
      integer(1),
      raw(signatureAlgorithm),
      name(commonName),
      sequence(certificateTime(notBefore), certificateTime(notAfter)),
      name(commonName),
      raw(spki),
    ),
  );
  return encode(sequence(raw(tbs), raw(signatureAlgorithm), bitString(sign(tbs))));
}

/** A self-signed certificate over an SM2 key. */
export function sm2Certificate(
  privateKey: Uint8Array,
  { daysLeft = 30, commonName = '示例' }: SampleKeyPair = {},
): Uint8Array {
  const publicKey = sm2PublicKey(privateKey);
  return selfSigned(commonName, daysLeft, sm2Spki(publicKey), 'sm2', (tbs) =>
    ecdsaSignatureToDer(sm2SignDigest(sm2Digest(tbs, publicKey), privateKey)),
  );
}

export function sm2KeyPair(options: SampleKeyPair = {}): KeyPairState {
  const { privateKey, publicKey } = sm2GenerateKeyPair();
  return {
    algorithm: 'sm2',
    privateKey: bytesToHex(privateKey),
    publicKey: bytesToHex(publicKey.slice(1)),
    ...(options.withCertificate === false ? {} : { certificate: bytesToHex(sm2Certificate(privateKey, options)) }),
  };
}

/** An RSA key pair from DER PKCS #8 and SubjectPublicKeyInfo, with a self-signed certificate. */
export function rsaKeyPair(pkcs8: Uint8Array, spki: Uint8Array, options: SampleKeyPair = {}): KeyPairState {
  const { daysLeft = 30, commonName = '示例' } = options;
  const certificate = selfSigned(commonName, daysLeft, spki, 'rsa', (tbs) => signSha256(readRsaPrivateKey(pkcs8), tbs));
  return {
    algorithm: 'rsa',
    privateKey: bytesToHex(pkcs8),
    publicKey: bytesToHex(spki),
    ...(options.withCertificate === false ? {} : { certificate: bytesToHex(certificate) }),
  };
}

/** A key with one application and one container holding an SM2 signing and an encryption key pair, unless told otherwise. */
export function sampleState(
  options: {
    readonly attachment?: Attachment;
    readonly containers?: readonly ContainerState[];
    readonly remainingTries?: number;
    readonly maxContainers?: number;
    readonly serialNumber?: string;
  } = {},
): KeyState {
  const containers = options.containers ?? [{ name: 'C1', id: 1, signing: sm2KeyPair(), encryption: sm2KeyPair() }];
  return {
    scenario: 'due-30-days',
    attachment: options.attachment ?? 'ccid-extended',
    info: {
      manufacturer: 'Sample',
      issuer: 'Sample Issuer',
      label: 'ukey',
      serialNumber: options.serialNumber ?? 'VK0000000001',
      firmwareVersion: [2, 1],
      maxContainers: options.maxContainers ?? 4,
    },
    applications: [
      {
        name: sampleApplication,
        id: 0x0102,
        userPassword: samplePassword,
        maxTries: 6,
        remainingTries: options.remainingTries ?? 6,
        nextContainerId: containers.reduce((next, container) => Math.max(next, container.id + 1), 1),
        containers: containers.map((container) => structuredClone(container)),
      },
    ],
  };
}

/** A PIV card with the default management key, the discovery object and nothing in its slots, unless told otherwise. */
export function samplePivState(
  options: {
    readonly attachment?: Attachment;
    readonly slots?: readonly PivSlotState[];
    readonly objects?: Readonly<Record<string, Uint8Array>>;
    readonly managementKey?: PivState['managementKey'];
    readonly remainingTries?: number;
    readonly features?: Partial<PivFeatures>;
    readonly serialNumber?: string;
  } = {},
): KeyState {
  const objects = Object.entries({ [tagName(0x7e)]: discoveryObject(), ...options.objects });
  const isCanokey = options.attachment === 'canokey';
  return {
    ...sampleState({
      attachment: options.attachment ?? 'ccid-extended',
      containers: [],
      serialNumber: options.serialNumber ?? 'PV00000001',
    }),
    commandSet: 'piv',
    applications: [],
    piv: {
      pin: samplePassword,
      maxTries: 3,
      remainingTries: options.remainingTries ?? 3,
      managementKey: options.managementKey ?? { algorithm: '3des', key: defaultManagementKey, pinProtected: false },
      slots: structuredClone([...(options.slots ?? [])]),
      objects: objects.map(([tag, data]) => ({ tag, data: bytesToHex(data) })),
      features: {
        metadata: !isCanokey,
        moveKey: !isCanokey,
        ...(isCanokey ? { sm2Algorithm: 0x54 } : {}),
        retiredSlots: isCanokey ? [0x82, 0x83] : [0x82, 0x83, 0x84],
        ...options.features,
      },
    },
  };
}

/** The public point X ‖ Y of a container's signing key as 04 ‖ X ‖ Y. */
export function uncompressedPoint(pair: KeyPairState): Uint8Array {
  return concatBytes(Uint8Array.of(4), hexToBytes(pair.publicKey));
}
