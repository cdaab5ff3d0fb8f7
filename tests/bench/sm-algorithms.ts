import { execFile } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { promisify } from 'node:util';
import * as other from 'sm-crypto-v2';
import { toHex } from '../../src/pki/bytes.ts';
import { sm2Digest, sm2GenerateKeyPair, sm2SignDigest, sm2VerifyDigest } from '../../src/pki/sm2.ts';
import { sm3 } from '../../src/pki/sm3.ts';
import { sm4EcbEncrypt } from '../../src/pki/sm4.ts';
import { median, race, type Measure, type Row } from './measure.ts';

const message = new TextEncoder().encode('一段要签名的话'.repeat(20));

/** @throws Error when somebody does not verify what is good: a refusal would be measured for an answer */
function good(verified: boolean): void {
  if (!verified) throw new Error('a good signature does not verify');
}

async function sm2(): Promise<readonly Row[]> {
  const keys = Array.from({ length: 16 }, () => {
    const { privateKey, publicKey } = sm2GenerateKeyPair();
    const signature = sm2SignDigest(sm2Digest(message, publicKey), privateKey);
    const [publicHex, privateHex, signatureHex] = [toHex(publicKey), toHex(privateKey), toHex(signature)];
    const precomputed = other.sm2.precomputePublicKey(publicHex);
    return { privateKey, publicKey, signature, publicHex, privateHex, signatureHex, precomputed };
  });
  const [one] = keys;
  if (!one) throw new RangeError('no key');
  let turn = 0;
  const next = (): typeof one => keys[turn++ % keys.length] ?? one;
  const rounds = { rounds: 100, repeats: 2 };
  const ours = ({ publicKey, signature }: typeof one): void =>
    good(sm2VerifyDigest(sm2Digest(message, publicKey), signature, publicKey));
  const theirs = ({ publicHex, signatureHex }: typeof one): void =>
    good(other.sm2.doVerifySignature(message, signatureHex, publicHex, { hash: true }));
  return [
    await race({
      ...rounds,
      name: 'SM2 verification, another public key each time',
      runners: { ours: () => ours(next()), 'sm-crypto-v2': () => theirs(next()) },
      goals: [{ of: 'ours', against: 'sm-crypto-v2', atMost: 0.5 }],
    }),
    await race({
      ...rounds,
      name: 'SM2 verification, one public key',
      runners: {
        ours: () => ours(one),
        'sm-crypto-v2': () => theirs(one),
        'sm-crypto-v2, precomputed': () =>
          good(other.sm2.doVerifySignature(message, one.signatureHex, one.precomputed, { hash: true })),
      },
      goals: [{ of: 'ours', against: 'sm-crypto-v2, precomputed', atMost: 1 }],
    }),
    await race({
      ...rounds,
      name: 'SM2 signature',
      runners: {
        ours: () => sm2SignDigest(sm2Digest(message, one.publicKey), one.privateKey),
        'sm-crypto-v2': () => other.sm2.doSignature(message, one.privateHex, { hash: true, publicKey: one.publicHex }),
      },
    }),
    ...(await openssl()),
  ];
}

/** OpenSSL's own bench, of the digest alone: one second each, thrice. */
async function openssl(): Promise<readonly Row[]> {
  const times: Record<'sign' | 'verify', number[]> = { sign: [], verify: [] };
  try {
    for (let round = 0; round < 3; round++) {
      const { stdout } = await promisify(execFile)('openssl', ['speed', '-mr', '-seconds', '1', 'sm2']);
      // +F…:index:bits:name:signatures a second:verifications a second
      const [sign, verify] = /^\+F\d+:.*:([\d.e-]+):([\d.e-]+)$/mu.exec(stdout)?.slice(1).map(Number) ?? [];
      if (sign === undefined || verify === undefined) return [];
      times.sign.push(1e6 / sign);
      times.verify.push(1e6 / verify);
    }
  } catch {
    return [];
  }
  const row = (name: string, of: readonly number[]): Row => ({
    name,
    unit: 'µs',
    figures: { OpenSSL: median(of) },
    goals: [],
  });
  return [row('SM2 verification, openssl speed', times.verify), row('SM2 signature, openssl speed', times.sign)];
}

async function symmetric(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const key = new Uint8Array(16).fill(7);
  for (const length of [64, 1024, 65_536]) {
    const data = new Uint8Array(length).fill(3);
    const rounds = { rounds: 150, repeats: length > 10_000 ? 1 : 40 };
    rows.push(
      await race({
        ...rounds,
        name: `SM3, ${length} bytes`,
        runners: {
          ours: () => sm3(data),
          'sm-crypto-v2': () => other.sm3(data),
          'node:crypto': () => createHash('sm3').update(data).digest(),
        },
      }),
      await race({
        ...rounds,
        name: `SM4 in ECB mode, ${length} bytes`,
        runners: {
          ours: () => sm4EcbEncrypt(key, data),
          'sm-crypto-v2': () => other.sm4.encrypt(data, key, { padding: 'none', output: 'array' }),
          'node:crypto': () => createCipheriv('sm4-ecb', key, null).setAutoPadding(false).update(data),
        },
      }),
    );
  }
  return rows;
}

export const smAlgorithms: Measure = {
  name: 'sm',
  title: 'SM2, SM3 and SM4 beside sm-crypto-v2 and OpenSSL (node:crypto)',
  run: async () => [...(await sm2()), ...(await symmetric())],
};
