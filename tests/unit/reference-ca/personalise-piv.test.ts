import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { fromHex, toHex } from '../../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../../src/pki/certificate.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { sm2PublicKey } from '../../../src/pki/sm2.ts';
import type { AuthorityName } from '../../reference-ca/hierarchy.ts';
import { loadKey } from '../../reference-ca/keys.ts';
import { sampleManagementKey } from '../../reference-ca/piv-contents.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { readTlv, readTlvs, valueOf } from '../../virtual-key/ber-tlv.ts';
import { defaultManagementKey } from '../../virtual-key/piv-management.ts';
import { certificateIn, objectIn } from '../../virtual-key/piv-objects.ts';
import {
  type Attachment,
  type KeyState,
  type PivAlgorithm,
  type PivSlotState,
  type PivState,
  type Scenario,
  scenarios,
} from '../../virtual-key/state.ts';
import { readKeyState } from '../../virtual-key/state-schema.ts';
import { exchange, issuedCertificate, makeCsr, makeRequest, refusalIn } from './holder.ts';

const now = new Date('2026-11-22T02:00:00Z');
const day = 24 * 60 * 60 * 1000;
let ca: ReferenceCa;
beforeAll(async () => {
  ca = await openReferenceCa({ now: () => now });
});

interface Made {
  readonly state: KeyState;
  readonly piv: PivState;
}

async function make(
  scenario: Scenario,
  algorithm: PivAlgorithm = 'p256',
  attachment: Attachment = 'ccid-extended',
): Promise<Made> {
  const state = await ca.personalise(scenario, attachment, { commandSet: 'piv', algorithm });
  if (!state.piv) throw new Error('not a PIV key');
  return { state, piv: state.piv };
}

/** The only key pair and its certificate. */
function only({ piv }: Made): { readonly slot: PivSlotState; readonly certificate: Certificate } {
  const [slot, ...more] = piv.slots;
  if (!slot || more.length > 0) throw new Error('not exactly one key pair');
  const { certificate } = certificateIn(piv, parseInt(slot.slot, 16));
  if (!certificate) throw new Error('no certificate');
  return { slot, certificate: parseCertificate(certificate) };
}

/** The point of a private scalar, by OpenSSL. */
function pointOnP256(scalar: string): string {
  const der = `3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420${scalar}`;
  const privateKey = createPrivateKey({ key: Buffer.from(der, 'hex'), format: 'der', type: 'pkcs8' });
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-64).toString('hex');
}

function publicKeyOf({ algorithm, privateKey }: PivSlotState): string {
  if (algorithm === 'sm2') return toHex(sm2PublicKey(fromHex(privateKey)).slice(1));
  if (algorithm === 'p256') return pointOnP256(privateKey);
  const key = createPrivateKey({ key: Buffer.from(privateKey, 'hex'), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('hex');
}

const expected: readonly [Scenario, PivAlgorithm, AuthorityName, keyAlgorithm: string, daysLeft: number][] = [
  ['due-30-days', 'p256', 'p256', 'p256', 30],
  ['due-30-days', 'sm2', 'sm2', 'sm2', 30],
  ['due-30-days', 'rsa2048', 'p256', 'rsa', 30],
  ['not-due', 'p256', 'p256', 'p256', 200],
  ['expired', 'sm2', 'sm2', 'sm2', -12],
  ['old-issuer', 'p256', 'oldRsa', 'rsa', 150],
  ['old-issuer', 'sm2', 'oldRsa', 'rsa', 150],
  ['foreign', 'p256', 'foreign', 'p256', 200],
  ['ca-refuses', 'p256', 'p256', 'p256', 30],
  ['ca-waits', 'rsa2048', 'p256', 'rsa', 30],
];

describe.each(expected)('%s with %s', (scenario, algorithm, authority, keyAlgorithm, daysLeft) => {
  let made: Made;
  beforeAll(async () => {
    made = await make(scenario, algorithm);
  });

  test(`has a signing certificate of ${authority}'s over a key pair of type ${keyAlgorithm}`, async () => {
    const { certificate } = only(made);
    const issuing = parseCertificate(ca.hierarchy[authority].issuing.certificate);
    const { signatureAlgorithm, tbs, signature } = certificate;
    expect(await verifySignature({ spki: issuing.spki, algorithm: signatureAlgorithm, message: tbs, signature })).toBe(
      true,
    );
    expect(certificate.keyAlgorithm).toBe(keyAlgorithm);
    expect(certificate.notAfter.getTime()).toBe(now.getTime() + daysLeft * day);
    expect([...(certificate.keyUsage ?? [])]).toEqual(['digitalSignature', 'nonRepudiation']);
  });

  test('has the private key to it', () => {
    const { slot, certificate } = only(made);
    const ownPublicKey = publicKeyOf(slot);
    expect(slot.publicKey).toBe(ownPublicKey);
    const inCertificate = readSpki(certificate.spki);
    expect(slot.algorithm === 'rsa2048' ? toHex(certificate.spki) : toHex(inCertificate.publicKey).slice(2)).toBe(
      ownPublicKey,
    );
  });

  test('stands in the ledger, if it is ours', () => {
    const registered = ca.ledger.certificate(only(made).certificate.der);
    if (authority === 'foreign') expect(registered).toBeUndefined();
    else expect(registered).toMatchObject({ authority, usage: 'signing', status: 'valid' });
  });

  test('is a state like any other', () => {
    expect(readKeyState(JSON.parse(JSON.stringify(made.state)))).toEqual(made.state);
  });
});

test('OpenSSL reads an RSA certificate of the P-256 authority alike', async () => {
  const leaf = new X509Certificate(Buffer.from(only(await make('due-30-days', 'rsa2048')).certificate.der));
  const authority = new X509Certificate(Buffer.from(ca.hierarchy.p256.issuing.certificate));
  expect(leaf.checkIssued(authority)).toBe(true);
  expect(leaf.verify(authority.publicKey)).toBe(true);
  expect(leaf.publicKey.asymmetricKeyType).toBe('rsa');
});

describe('the management key', () => {
  const asks: readonly Scenario[] = ['expired'];
  const hasDefault: readonly Scenario[] = ['old-issuer', 'empty', 'foreign', 'ca-refuses'];

  test.each(scenarios)('of %s is found as it is meant to be', async (scenario) => {
    const { piv } = await make(scenario);
    const note = objectIn(piv, 0x5fff00);
    const printed = objectIn(piv, 0x5fc109);
    if (asks.includes(scenario)) expect(piv.managementKey.key).toBe(sampleManagementKey);
    else if (hasDefault.includes(scenario)) expect(piv.managementKey.key).toBe(defaultManagementKey);
    else {
      expect(piv.managementKey).toMatchObject({ algorithm: 'aes192', pinProtected: true });
      const value = readTlvs(readTlv(printed ?? new Uint8Array())?.object.value ?? new Uint8Array());
      expect(toHex(readTlv(valueOf(value, 0x88) ?? new Uint8Array())?.object.value ?? new Uint8Array())).toBe(
        piv.managementKey.key,
      );
      expect(note && toHex(note)).toBe('53058003810103');
      return;
    }
    expect([note, printed]).toEqual([undefined, undefined]);
  });

  test.each(scenarios)('of %s in a CanoKey is 3DES and never kept behind the PIN', async (scenario) => {
    const { piv } = await make(scenario, 'sm2', 'canokey');
    const key = scenario === 'expired' ? sampleManagementKey : defaultManagementKey;
    expect(piv.managementKey).toEqual({ algorithm: '3des', key, pinProtected: false });
  });
});

test('a CanoKey does SM2, has two retired slots and nothing beyond the standard', async () => {
  const { state, piv } = await make('due-30-days', 'sm2', 'canokey');
  expect(state).toMatchObject({ attachment: 'canokey', commandSet: 'piv' });
  expect(piv.features).toEqual({ metadata: false, moveKey: false, sm2Algorithm: 0x54, retiredSlots: [0x82, 0x83] });
  expect(objectIn(piv, 0x5fc10c)).toBeUndefined();
});

test.each([
  ['due-30-days', '9a', 'once'],
  ['ca-waits', '9c', 'always'],
] as const)('%s has its key pair in %s, with the PIN %s', async (scenario, slot, pinPolicy) => {
  expect(only(await make(scenario)).slot).toMatchObject({ slot, pinPolicy });
});

test.each([
  ['due-30-days', 3],
  ['last-try', 1],
  ['locked', 0],
] as const)('%s leaves %i tries of the PIN', async (scenario, remainingTries) => {
  expect((await make(scenario)).piv).toMatchObject({ pin: '12345678', maxTries: 3, remainingTries });
});

test('an empty key has no key pair and no certificate', async () => {
  const { piv } = await make('empty');
  expect(piv.slots).toEqual([]);
  expect(piv.objects.map(({ tag }) => tag).sort()).toEqual(['5fc102', '5fc107', '5fc10c', '7e']);
});

test('no two keys are alike', async () => {
  const [first, second] = await Promise.all([make('due-30-days'), make('due-30-days')]);
  expect(objectIn(first.piv, 0x5fc102)).not.toEqual(objectIn(second.piv, 0x5fc102));
  expect(first.piv.managementKey.key).not.toBe(second.piv.managementKey.key);
  expect(first.state.info.serialNumber).not.toBe(second.state.info.serialNumber);
});

test.each([
  ['rsa', 'rsa'],
  ['p256', 'badAlg'],
] as const)('the holder of an RSA certificate who asks for a %s key gets %s', async (type, expectedAnswer) => {
  const { slot, certificate } = only(await make('due-30-days', 'rsa2048'));
  const key = await loadKey('rsa', fromHex(slot.privateKey), fromHex(slot.publicKey));
  const holder = { certificate, key };

  const answer = await exchange(ca, await makeRequest(holder, await makeCsr(holder, { type }), { messageTime: now }));

  if (expectedAnswer === 'rsa') {
    expect(parseCertificate(issuedCertificate(answer)).keyAlgorithm).toBe('rsa');
  } else {
    expect(refusalIn(answer)).toMatchObject({ failInfo: [expectedAnswer] });
  }
});
