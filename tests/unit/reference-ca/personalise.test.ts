import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { concat, fromHex, toHex } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { sm2PublicKey } from '../../../src/pki/sm2.ts';
import type { AuthorityName } from '../../reference-ca/hierarchy.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { attributeTypes } from '../../reference-ca/subject.ts';
import {
  scenarios,
  type ContainerState,
  type KeyPairState,
  type KeyState,
  type Scenario,
} from '../../virtual-key/state.ts';

const now = new Date('2026-11-22T02:00:00Z');
const day = 24 * 60 * 60 * 1000;
let ca: ReferenceCa;
beforeAll(async () => {
  ca = await openReferenceCa({ now: () => now });
});

const make = (scenario: Scenario): Promise<KeyState> => ca.personalise(scenario, 'ccid-extended');

/** The only container of the only application. */
function onlyContainer(key: KeyState): ContainerState {
  const container = key.applications[0]?.containers[0];
  if (!container) throw new Error('no container');
  return container;
}

function pair(container: ContainerState, usage: 'signing' | 'encryption'): KeyPairState & { certificate: string } {
  const state = container[usage];
  if (state?.certificate === undefined) throw new Error(`no ${usage} certificate`);
  return { ...state, certificate: state.certificate };
}

const certificateOf = (container: ContainerState, usage: 'signing' | 'encryption'): Certificate =>
  parseCertificate(fromHex(pair(container, usage).certificate));

/** Signature, names and key identifiers, from the certificate up to the root. */
async function chainsTo(certificate: Certificate, authority: AuthorityName): Promise<boolean> {
  const issuing = parseCertificate(ca.hierarchy[authority].issuing.certificate);
  const root = parseCertificate(ca.hierarchy[authority].root);
  const steps = [
    [certificate, issuing],
    [issuing, root],
    [root, root],
  ] as const;
  for (const [subject, issuer] of steps) {
    const { signatureAlgorithm, tbs, signature } = subject;
    if (!(await verifySignature({ spki: issuer.spki, algorithm: signatureAlgorithm, message: tbs, signature })))
      return false;
    if (toHex(subject.issuer.der) !== toHex(issuer.subject.der) || !issuer.isCa) return false;
    const identifier = subject.authorityKeyIdentifier;
    if (!identifier || toHex(identifier) !== toHex(issuer.subjectKeyIdentifier ?? new Uint8Array())) return false;
  }
  return true;
}

const expected: readonly [Scenario, AuthorityName, daysLeft: number][] = [
  ['due-30-days', 'sm2', 30],
  ['not-due', 'sm2', 200],
  ['expired', 'sm2', -12],
  ['old-issuer', 'oldRsa', 150],
  ['last-try', 'sm2', 30],
  ['locked', 'sm2', 30],
  ['foreign', 'foreign', 200],
  ['ca-refuses', 'sm2', 30],
  ['ca-waits', 'sm2', 30],
];

test('every scenario is covered here', () => {
  expect([...expected.map(([scenario]) => scenario), 'empty'].sort()).toEqual([...scenarios].sort());
});

describe.each(expected)('%s', (scenario, authority, daysLeft) => {
  let container: ContainerState;
  beforeAll(async () => {
    container = onlyContainer(await make(scenario));
  });

  test(`both certificates are ${authority}'s and end in ${daysLeft} days`, async () => {
    for (const usage of ['signing', 'encryption'] as const) {
      const certificate = certificateOf(container, usage);
      expect(await chainsTo(certificate, authority)).toBe(true);
      expect(certificate.notAfter.getTime()).toBe(now.getTime() + daysLeft * day);
      expect(certificate.isCa).toBe(false);
    }
  });

  test('each certificate is for its own key and use', () => {
    const signing = certificateOf(container, 'signing');
    const encryption = certificateOf(container, 'encryption');
    expect([...(signing.keyUsage ?? [])]).toEqual(['digitalSignature', 'nonRepudiation']);
    expect([...(encryption.keyUsage ?? [])]).toEqual(['keyEncipherment', 'dataEncipherment']);
    expect(encryption.subject.der).toEqual(signing.subject.der);
    expect(toHex(encryption.spki)).not.toBe(toHex(signing.spki));
    expect(encryption.serialNumber).not.toBe(signing.serialNumber);
  });

  test('the private keys belong to the public keys', () => {
    for (const usage of ['signing', 'encryption'] as const) {
      const { algorithm, privateKey, publicKey, certificate } = pair(container, usage);
      const spki = parseCertificate(fromHex(certificate)).spki;
      if (algorithm === 'sm2') {
        expect(toHex(sm2PublicKey(fromHex(privateKey)))).toBe(`04${publicKey}`);
        expect(readSpki(spki).publicKey).toEqual(concat(Uint8Array.of(4), fromHex(publicKey)));
      } else {
        const key = createPrivateKey({ key: Buffer.from(privateKey, 'hex'), format: 'der', type: 'pkcs8' });
        expect(createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('hex')).toBe(publicKey);
        expect(toHex(spki)).toBe(publicKey);
      }
    }
  });

  test('the ledger knows it, if it is ours', () => {
    const registered = ca.ledger.certificate(certificateOf(container, 'signing').der);
    if (authority === 'foreign') expect(registered).toBeUndefined();
    else {
      expect(registered).toMatchObject({
        authority,
        usage: 'signing',
        status: 'valid',
        holder: { refuses: scenario === 'ca-refuses', waits: scenario === 'ca-waits' },
      });
    }
  });
});

test('the old authority issued before the day of the upgrade, with its own attribute for the taxpayer number', async () => {
  const { subject, notBefore, keyAlgorithm } = certificateOf(onlyContainer(await make('old-issuer')), 'signing');
  expect(notBefore.getTime()).toBeLessThan(Date.parse('2018-09-18T00:00:00+08:00'));
  expect(keyAlgorithm).toBe('rsa');
  expect(subject.attributes.map(({ type }) => type)).toContain(attributeTypes.oldTaxpayerNumber);
});

test('another implementation reads the old authority’s certificates alike', async () => {
  const { certificate } = pair(onlyContainer(await make('old-issuer')), 'signing');
  const { issuing, root } = ca.hierarchy.oldRsa;
  const leaf = new X509Certificate(Buffer.from(certificate, 'hex'));
  const authority = new X509Certificate(Buffer.from(issuing.certificate));
  expect(leaf.checkIssued(authority)).toBe(true);
  expect(leaf.verify(authority.publicKey)).toBe(true);
  expect(authority.verify(new X509Certificate(Buffer.from(root)).publicKey)).toBe(true);
  expect(leaf.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/u);
});

test('what is on a key says whose it is', async () => {
  const key = await make('due-30-days');
  const { attributes } = certificateOf(onlyContainer(key), 'signing').subject;
  const values = Object.fromEntries(attributes.map(({ type, value }) => [type, value]));
  expect(values[attributeTypes.country]).toBe('CN');
  expect(values[attributeTypes.commonName]).toMatch(/\(示例\)$/u);
  expect(values[attributeTypes.taxpayerNumber]).toMatch(/^91120100MA/u);
});

test.each([
  ['due-30-days', 6],
  ['last-try', 1],
  ['locked', 0],
] as const)('%s leaves %i tries of the password', async (scenario, remainingTries) => {
  const key = await make(scenario);
  expect(key.applications).toHaveLength(1);
  expect(key.applications[0]).toMatchObject({ name: 'TJTAX', userPassword: '12345678', maxTries: 6, remainingTries });
});

test('an empty key has an application without containers', async () => {
  const key = await make('empty');
  expect(key.applications[0]).toMatchObject({ name: 'TJTAX', containers: [], nextContainerId: 1 });
});

test('somebody else’s key has an application of another name', async () => {
  expect((await make('foreign')).applications.map(({ name }) => name)).toEqual(['OTHERAPP']);
});

test('no two keys are alike, and each keeps within what a key can hold', async () => {
  const keys = await Promise.all([make('due-30-days'), make('due-30-days')]);
  const [first, second] = keys.map((key) => ({ key, container: onlyContainer(key) }));
  expect(first?.key.info.serialNumber).not.toBe(second?.key.info.serialNumber);
  expect(first?.container.name).not.toBe(second?.container.name);
  for (const { info, applications } of keys) {
    // GM/T 0017 GetDevInfo: 64, 64, 32 and 32 bytes; container names of up to 34 characters are safe.
    expect(info.manufacturer.length).toBeLessThan(64);
    expect(info.label.length).toBeLessThan(32);
    expect(info.serialNumber.length).toBeLessThan(32);
    expect(applications[0]?.containers[0]?.name.length).toBeLessThanOrEqual(34);
  }
});

test('a key is plain JSON', async () => {
  const key = await make('due-30-days');
  expect(JSON.parse(JSON.stringify(key))).toEqual(key);
});
