import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FailInfo } from '../../../src/ca/authority.ts';
import type { PkiMessage } from '../../../src/ca/cmp-messages.ts';
import { createCertReqMessages, type CertRequestContent } from '../../../src/ca/crmf.ts';
import { decodeEncryptedValue } from '../../../src/ca/encrypted-value.ts';
import { readSpki, signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import {
  bitString,
  encode,
  implicit,
  parseDer,
  raw,
  readSequence,
  sequence,
  sourceBytes,
} from '../../../src/pki/der.ts';
import { sm2Decrypt, sm2PublicKey } from '../../../src/pki/sm2.ts';
import { sm4EcbDecrypt } from '../../../src/pki/sm4.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import type { Policy } from '../../reference-ca/policy.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { sampleTaxpayer, taxpayerSubject } from '../../reference-ca/subject.ts';
import {
  encryptedKeyIn,
  exchange,
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeEncryptionRequest,
  makeHolder,
  makeMessage,
  makePoll,
  makeRequest,
  random,
  refusalIn,
  TestClock,
  type Holder,
  type HolderParameters,
} from './holder.ts';

let hierarchy: Hierarchy;
let clock: TestClock;
let ca: ReferenceCa;
beforeAll(async () => {
  hierarchy = await openHierarchy(undefined);
});
beforeEach(() => {
  clock = new TestClock();
  return openWith({});
});
afterEach(() => ca.close());

async function openWith(policy: Partial<Policy>): Promise<void> {
  ca = await openReferenceCa({ now: clock.now, hierarchy, policy: { encryptionCertificate: 'always', ...policy } });
}

interface Signing {
  readonly holder: Holder;
  readonly key: SoftwareKey;
  readonly answer: PkiMessage;
}

/** A holder whose new signing key was certified, not confirmed yet. */
async function signingCertified(parameters?: HolderParameters): Promise<Signing> {
  const holder = await makeHolder(ca, clock.now(), parameters);
  const key = await generateKey('sm2');
  return { holder, key, answer: await exchange(ca, await makeRequest(holder, await makeCsr(holder, { key }))) };
}

/** d, as the holder's USBKEY would unwrap it. */
function unwrap(answer: PkiMessage, { privateKey }: SoftwareKey): Bytes {
  const { publicKey } = readSpki(parseCertificate(issuedCertificate(answer)).spki);
  const { wrappedKey, encryptedPrivateKey } = decodeEncryptedValue(encryptedKeyIn(answer), publicKey);
  return sm4EcbDecrypt(sm2Decrypt(wrappedKey, privateKey), encryptedPrivateKey).slice(-32);
}

const statusOf = (answer: PkiMessage): string | undefined =>
  ca.ledger.transaction(toHex(answer.header.transactionId ?? random(0)))?.status;

test.each(['sm2', 'oldRsa'] as const)(
  'a holder under %s gets an encryption certificate with its key, confirms it, then the signing certificate',
  async (authority) => {
    const { holder, key, answer: signing } = await signingCertified({ authority });

    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    const confirmed = await exchange(ca, await makeConfirmation(holder, answer));
    const last = await exchange(ca, await makeConfirmation(holder, signing));

    expect(answer.body).toMatchObject({ type: 'cp', responses: [{ certReqId: 0 }] });
    const certificate = parseCertificate(issuedCertificate(answer));
    const beside = parseCertificate(issuedCertificate(signing));
    expect(certificate.subject.der).toEqual(holder.certificate.subject.der);
    expect([...(certificate.keyUsage ?? [])]).toEqual(['keyEncipherment', 'dataEncipherment']);
    expect([certificate.notBefore, certificate.notAfter]).toEqual([beside.notBefore, beside.notAfter]);
    expect(certificate.issuer).toEqual(beside.issuer);
    expect(sm2PublicKey(unwrap(answer, key))).toEqual(readSpki(certificate.spki).publicKey);
    expect([confirmed.body.type, last.body.type]).toEqual(['pkiConf', 'pkiConf']);
    expect(ca.ledger.certificate(certificate.der)).toMatchObject({ status: 'valid', usage: 'encryption' });
    expect(ca.ledger.certificate(beside.der)).toMatchObject({ status: 'valid', usage: 'signing' });
  },
);

test('again, byte for byte and signed anew, it gets the same certificate and the same key', async () => {
  const { holder, key } = await signingCertified();
  const transactionId = random(16);
  const request = await makeEncryptionRequest(holder, key.spki, { transactionId });
  const first = await exchange(ca, request);
  const again = await exchange(ca, request);
  const anew = await exchange(ca, await makeEncryptionRequest(holder, key.spki, { transactionId }));
  expect(again.der).toEqual(first.der);
  expect(anew.der).not.toEqual(first.der);
  expect(encryptedKeyIn(anew)).toEqual(encryptedKeyIn(first));
  expect(issuedCertificate(anew)).toEqual(issuedCertificate(first));
});

test('is not answered again where the policy answers no repeats', async () => {
  await openWith({ onRepeat: 'transactionIdInUse' });
  const { holder, key } = await signingCertified();
  const request = await makeEncryptionRequest(holder, key.spki);
  await exchange(ca, request);
  expect(refusalIn(await exchange(ca, request))).toEqual({ in: 'error', failInfo: ['transactionIdInUse'] });
});

test('a second one for the same signing key is refused, until the first was given back', async () => {
  const { holder, key } = await signingCertified();
  const first = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
  const second = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
  await exchange(ca, await makeConfirmation(holder, first, { status: 'rejection' }));
  const third = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
  expect(refusalIn(second)).toEqual({ in: 'cp', failInfo: ['duplicateCertReq'] });
  expect(statusOf(first)).toBe('withdrawn');
  expect(issuedCertificate(third)).not.toEqual(issuedCertificate(first));
});

test('a holder who has to wait polls for both', async () => {
  const holder = await makeHolder(ca, clock.now(), { waits: true });
  const key = await generateKey('sm2');
  let signing = await exchange(ca, await makeRequest(holder, await makeCsr(holder, { key })));
  const early = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
  for (let i = 0; i < 3; i++) signing = await exchange(ca, await makePoll(holder, signing));
  const waiting = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
  let answer = waiting;
  for (let i = 0; i < 3; i++) answer = await exchange(ca, await makePoll(holder, answer));

  expect(refusalIn(early)).toEqual({ in: 'cp', failInfo: ['badCertTemplate'] });
  expect(waiting.body).toMatchObject({ type: 'cp', responses: [{ certReqId: 0, status: { status: 'waiting' } }] });
  expect(sm2PublicKey(unwrap(answer, key))).toEqual(
    readSpki(parseCertificate(issuedCertificate(answer)).spki).publicKey,
  );
});

describe('goes with the signing certificate', () => {
  test('that is refused by its holder', async () => {
    const { holder, key, answer: signing } = await signingCertified();
    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    await exchange(ca, await makeConfirmation(holder, signing, { status: 'rejection' }));
    expect(statusOf(answer)).toBe('withdrawn');
    expect(ca.ledger.certificate(issuedCertificate(answer))?.revocation?.reason).toBe('cessationOfOperation');
  });

  test('that is not confirmed in time, even if it was confirmed itself', async () => {
    const { holder, key } = await signingCertified();
    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    await exchange(ca, await makeConfirmation(holder, answer));
    clock.advance(3_600_001);
    const late = await exchange(ca, await makeConfirmation(holder, answer));
    expect(refusalIn(late)?.failInfo).toEqual(['certRevoked']);
    expect(ca.ledger.certificate(issuedCertificate(answer))?.status).toBe('revoked');
  });

  test('while it still waits', async () => {
    const holder = await makeHolder(ca, clock.now(), { waits: true });
    const key = await generateKey('sm2');
    let signing = await exchange(ca, await makeRequest(holder, await makeCsr(holder, { key })));
    for (let i = 0; i < 3; i++) signing = await exchange(ca, await makePoll(holder, signing));
    const waiting = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    await exchange(ca, await makeConfirmation(holder, signing, { status: 'rejection' }));
    const polled = await exchange(ca, await makePoll(holder, waiting));
    expect(refusalIn(polled)?.failInfo).toEqual(['certRevoked']);
  });

  test('but not the other way round: given back, the signing certificate stands', async () => {
    const { holder, key, answer: signing } = await signingCertified();
    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    await exchange(ca, await makeConfirmation(holder, answer, { status: 'rejection' }));
    const confirmed = await exchange(ca, await makeConfirmation(holder, signing));
    expect(confirmed.body.type).toBe('pkiConf');
    expect(statusOf(signing)).toBe('confirmed');
  });
});

test.each(['onIssue', 'onConfirm'] as const)('the old key still signs it where it is revoked %s', async (revokeOld) => {
  await openWith({ revokeOld });
  const { holder, key, answer: signing } = await signingCertified();
  const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
  await exchange(ca, await makeConfirmation(holder, answer));
  const between = ca.ledger.certificate(holder.certificate.der)?.status;
  await exchange(ca, await makeConfirmation(holder, signing));
  const again = await exchange(ca, await makeConfirmation(holder, answer));
  expect(between).toBe(revokeOld === 'onIssue' ? 'revoked' : 'valid');
  expect(ca.ledger.certificate(holder.certificate.der)?.status).toBe('revoked');
  expect(again.body.type).toBe('pkiConf');
});

describe('is refused', () => {
  interface Case {
    readonly what: string;
    readonly content: (signing: Signing) => Partial<CertRequestContent> | Promise<Partial<CertRequestContent>>;
    readonly failInfo: FailInfo;
  }
  const cases: readonly Case[] = [
    { what: 'a public key', content: ({ key }) => ({ publicKey: key.spki }), failInfo: 'badCertTemplate' },
    { what: 'nothing to wrap for', content: () => ({ protocolEncrKey: undefined }), failInfo: 'badRequest' },
    {
      what: 'a key that nobody certified',
      content: async () => ({ protocolEncrKey: (await generateKey('sm2')).spki }),
      failInfo: 'badCertTemplate',
    },
    {
      what: 'the old signing key',
      content: ({ holder }) => ({ protocolEncrKey: holder.key.spki }),
      failInfo: 'badCertTemplate',
    },
    {
      what: 'the key of another holder',
      content: async () => ({ protocolEncrKey: (await signingCertified()).key.spki }),
      failInfo: 'badCertTemplate',
    },
    {
      what: 'another subject',
      content: () => ({ subject: taxpayerSubject(sampleTaxpayer(), 'current') }),
      failInfo: 'badCertTemplate',
    },
    {
      what: 'an old certificate to update',
      content: ({ holder: { certificate } }) => ({
        oldCertId: { issuer: certificate.issuer.der, serialNumber: Uint8Array.of(1) },
      }),
      failInfo: 'badRequest',
    },
  ];
  test.each(cases)('$what: $failInfo', async ({ content, failInfo }) => {
    const signing = await signingCertified();
    const { holder, key } = signing;
    const request = await makeEncryptionRequest(holder, key.spki, {}, await content(signing));
    expect(refusalIn(await exchange(ca, request))).toEqual({ in: 'cp', failInfo: [failInfo] });
  });

  test('a proof of possession: badPOP', async () => {
    const { holder, key } = await signingCertified();
    const content = { certReqId: 0, subject: holder.certificate.subject.der, protocolEncrKey: key.spki };
    const [unproven] = readSequence(parseDer(await createCertReqMessages(content)));
    const [request] = readSequence(unproven).map(sourceBytes);
    if (!request) throw new Error('no CertRequest');
    const proof = encode(sequence(raw(signatureAlgorithmFor('sm2')), bitString(await key.sign(request))));
    const requests = encode(sequence(sequence(raw(request), implicit(1, proof))));
    const answer = await exchange(ca, await makeMessage(holder, { type: 'cr', requests }, {}));
    expect(refusalIn(answer)).toEqual({ in: 'cp', failInfo: ['badPOP'] });
  });

  test('protection by the new key instead of the old one: signerNotTrusted', async () => {
    const { holder, key, answer: signing } = await signingCertified();
    const renewed = { certificate: parseCertificate(issuedCertificate(signing)), key };
    const early = await exchange(ca, await makeEncryptionRequest(renewed, key.spki));
    await exchange(ca, await makeConfirmation(holder, signing));
    const later = await exchange(ca, await makeEncryptionRequest(renewed, key.spki));
    expect(refusalIn(early)?.failInfo).toEqual(['signerNotTrusted']);
    expect(refusalIn(later)?.failInfo).toEqual(['badCertTemplate']);
  });

  test('a withdrawn signing certificate: badCertTemplate', async () => {
    const { holder, key, answer: signing } = await signingCertified();
    await exchange(ca, await makeConfirmation(holder, signing, { status: 'rejection' }));
    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    expect(refusalIn(answer)?.failInfo).toEqual(['badCertTemplate']);
  });

  test('a signing key of P-256, which cannot unwrap: badAlg', async () => {
    const holder = await makeHolder(ca, clock.now(), { authority: 'p256' });
    const key = await generateKey('p256');
    await exchange(ca, await makeRequest(holder, await makeCsr(holder, { key })));
    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    expect(refusalIn(answer)?.failInfo).toEqual(['badAlg']);
  });

  test.each([
    ['none', false, false],
    ['none', true, false],
    ['ifOldHas', false, false],
    ['ifOldHas', true, true],
    ['always', false, true],
  ] as const)('or not by policy: %s, one had before: %s → given: %s', async (encryptionCertificate, had, given) => {
    await openWith({ encryptionCertificate });
    const { holder, key } = await signingCertified();
    if (had) {
      const { certificate } = await makeHolder(ca, clock.now(), {
        subject: holder.certificate.subject.der,
        profile: 'encryption',
        registered: false,
      });
      const entry = { usage: 'encryption', authority: 'sm2', refuses: false, waits: false } as const;
      await ca.ledger.append({ type: 'registered', certificate: certificate.der, ...entry });
    }
    const answer = await exchange(ca, await makeEncryptionRequest(holder, key.spki));
    expect(refusalIn(answer)?.failInfo).toEqual(given ? undefined : ['notAuthorized']);
  });
});

test('nothing of it is lost by a restart', async () => {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'encryption-'));
  const restart = async (): Promise<void> => {
    await ca.close();
    ca = await openReferenceCa({ now: clock.now, directory, policy: { encryptionCertificate: 'always' } });
  };
  try {
    await restart();
    const { holder, key, answer: signing } = await signingCertified();
    const request = await makeEncryptionRequest(holder, key.spki);
    const answer = await exchange(ca, request);
    await restart();
    expect((await exchange(ca, request)).der).toEqual(answer.der);
    await exchange(ca, await makeConfirmation(holder, answer));
    await restart();
    await exchange(ca, await makeConfirmation(holder, signing, { status: 'rejection' }));
    await restart();
    expect(statusOf(answer)).toBe('withdrawn');
  } finally {
    await ca.close();
    ca = await openReferenceCa({ now: clock.now, hierarchy });
    await rm(directory, { recursive: true });
  }
});
