import { AlgorithmIdentifier, CryptoEngine, type CryptoEngineSignatureParams } from 'pkijs';
import { signatureAlgorithmFor, type KeyAlgorithm } from './algorithms.ts';
import { copyBytes, type Bytes } from './bytes.ts';
import { parseDer } from './der.ts';

/** A private key that lives on a USBKEY, in the shape in which pkijs hands keys to its engine. */
export class ExternalKey implements CryptoKey {
  readonly type = 'private';
  readonly extractable = false;
  readonly usages: KeyUsage[] = ['sign'];
  readonly algorithm = { name: 'external' };
  readonly keyAlgorithm: KeyAlgorithm;
  readonly sign: (message: Uint8Array) => Promise<Uint8Array>;
  /** @param sign makes the signature as a certificate carries it */
  constructor(keyAlgorithm: KeyAlgorithm, sign: (message: Uint8Array) => Promise<Uint8Array>) {
    this.keyAlgorithm = keyAlgorithm;
    this.sign = sign;
  }
}

/** pkijs asks its engine for signatures: this one lets an `ExternalKey` make them, whatever its algorithm. */
export class ExternalKeyEngine extends CryptoEngine {
  constructor() {
    super({ name: 'external', crypto });
  }

  override async getSignatureParameters(
    privateKey: CryptoKey,
    hashAlgorithm?: string,
  ): Promise<CryptoEngineSignatureParams> {
    if (!(privateKey instanceof ExternalKey)) return super.getSignatureParameters(privateKey, hashAlgorithm);
    const schema = parseDer(signatureAlgorithmFor(privateKey.keyAlgorithm));
    return {
      signatureAlgorithm: new AlgorithmIdentifier({ schema }),
      parameters: { algorithm: privateKey.algorithm, usages: privateKey.usages },
    };
  }

  override async signWithPrivateKey(
    data: BufferSource,
    privateKey: CryptoKey,
    parameters: Parameters<CryptoEngine['signWithPrivateKey']>[2],
  ): Promise<ArrayBuffer> {
    if (!(privateKey instanceof ExternalKey)) return super.signWithPrivateKey(data, privateKey, parameters);
    const message: Bytes = ArrayBuffer.isView(data)
      ? copyBytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      : new Uint8Array(data);
    return copyBytes(await privateKey.sign(message)).buffer;
  }
}
