import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CaError, type Credential, type EnrolmentAnswer, type NewKey } from '../../../src/ca/authority.ts';
import { CmpAuthority, type CmpAuthorityOptions } from '../../../src/ca/cmp-client.ts';
import { readSpki } from '../../../src/pki/algorithms.ts';
import { toHex, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { sm2Decrypt, sm2PublicKey } from '../../../src/pki/sm2.ts';
import { sm4EcbDecrypt } from '../../../src/pki/sm4.ts';
import { listen, type Listening } from '../../demo/listen.ts';
import { answerWith } from '../../reference-ca/http.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import {
  makeHolder,
  newKeyType,
  random,
  TestClock,
  type Holder,
  type HolderParameters,
} from '../reference-ca/holder.ts';

/* Key updates, encryption certificates and questions by the public key, against the reference CA over HTTP. */

const clock = new TestClock();
let ca: ReferenceCa;
let server: Listening;
beforeAll(async () => {
  ca = await openReferenceCa({ now: clock.now, policy: { encryptionCertificate: 'always' } });
  server = await listen(() => createServer(answerWith(ca.handler)), { port: 0, strictPort: true, host: '127.0.0.1' });
});
afterAll(async () => {
  await server.close();
  await ca.close();
});

function client(options: Partial<CmpAuthorityOptions> = {}): CmpAuthority {
  const { sm2, p256, oldRsa } = ca.hierarchy;
  return new CmpAuthority({
    url: `${server.url}ca/cmp`,
    enrolmentsUrl: `${server.url}api/enrolments`,
    anchors: [sm2.root, p256.root, oldRsa.root],
    fetch,
    now: clock.now,
    timeoutMs: 10_000,
    ...options,
  });
}

interface Asking {
  readonly holder: Holder;
  readonly credential: Credential;
  readonly key: SoftwareKey;
  readonly newKey: NewKey;
  readonly transactionId: Bytes;
}

async function asking(parameters?: HolderParameters): Promise<Asking> {
  const holder = await makeHolder(ca, clock.now(), parameters);
  const key = await generateKey(newKeyType(holder));
  return {
    holder,
    credential: { certificate: holder.certificate.der, sign: holder.key.sign },
    key,
    newKey: { publicKey: key.spki, sign: key.sign },
    transactionId: random(16),
  };
}

const keyDigest = (spki: Uint8Array): Bytes => new Uint8Array(createHash('sha256').update(spki).digest());

type Issued = Extract<EnrolmentAnswer, { kind: 'issued' }>;

function issued(answer: EnrolmentAnswer): Issued {
  if (answer.kind !== 'issued') throw new Error(`${answer.kind} where issued was expected`);
  return answer;
}

/** Confirms what an answer issued. */
async function confirm({ reply }: Issued, credential: Credential): Promise<void> {
  await client().confirm(await client().prepareConfirmation(reply, true, credential));
}

describe.each(['sm2', 'p256', 'oldRsa'] as const)('a holder under %s', (authority) => {
  it('updates the key, and confirms', async () => {
    const updating = client({ request: 'kur' });
    const { credential, newKey, transactionId } = await asking({ authority });
    const request = await updating.prepareRequest(transactionId, newKey, credential);
    const answer = issued(await updating.submit(request));
    expect(parseCertificate(answer.certificate).spki).toEqual(newKey.publicKey);
    expect(answer.confirmBy?.getTime()).toBeGreaterThan(clock.now().getTime());
    await expect(updating.lookUp(transactionId)).resolves.toMatchObject({ kind: 'issued' });
    await confirm(answer, credential);
    await expect(updating.lookUp(transactionId)).resolves.toMatchObject({ kind: 'confirmed' });
  });

  it('who has to wait polls for the updated key', async () => {
    const updating = client({ request: 'kur' });
    const { credential, newKey, transactionId } = await asking({ authority, waits: true });
    let answer = await updating.submit(await updating.prepareRequest(transactionId, newKey, credential));
    for (let polls = 0; answer.kind === 'waiting' && polls < 5; polls++) {
      answer = await updating.poll(answer.reply, credential);
    }
    await confirm(issued(answer), credential);
    await expect(updating.lookUp(transactionId)).resolves.toMatchObject({ kind: 'confirmed' });
  });
});

describe('the encryption certificate', () => {
  it('comes with a key pair that the new signing key alone opens; it is confirmed first', async () => {
    const { credential, key, newKey, transactionId } = await asking();
    const signing = issued(await client().submit(await client().prepareRequest(transactionId, newKey, credential)));
    const of = { transactionId, publicKey: newKey.publicKey, signingCertificate: signing.certificate };
    const own = random(16);
    const answer = issued(await client().submit(await client().prepareEncryptionRequest(own, of, credential)));
    if (!answer.encryption) throw new Error('no key pair');
    const { certificate, envelope } = answer.encryption;
    const sm4Key = sm2Decrypt(envelope.wrappedKey, key.privateKey);
    const privateKey = sm4EcbDecrypt(sm4Key, envelope.encryptedPrivateKey).slice(-32);
    expect(sm2PublicKey(privateKey)).toEqual(readSpki(parseCertificate(certificate).spki).publicKey);
    expect(envelope.publicKey).toEqual(sm2PublicKey(privateKey));

    await expect(client().lookUp(own)).resolves.toMatchObject({ kind: 'issued', encryption: { envelope } });
    await confirm(answer, credential);
    await expect(client().lookUp(own)).resolves.toMatchObject({ kind: 'confirmed', encryption: { envelope } });
    await expect(client().lookUp(transactionId)).resolves.toMatchObject({ kind: 'issued' });
    await confirm(signing, credential);
    await expect(client().lookUp(transactionId)).resolves.toMatchObject({ kind: 'confirmed' });
  });

  it('is not given for a key that was never certified', async () => {
    const { credential, newKey, holder } = await asking();
    const of = { transactionId: random(16), publicKey: newKey.publicKey, signingCertificate: holder.certificate.der };
    const request = await client().prepareEncryptionRequest(random(16), of, credential);
    await expect(client().submit(request)).rejects.toMatchObject({ code: 'rejected' });
  });
});

describe('asked by the public key', () => {
  it('the authority tells what became of the request for it', async () => {
    const { credential, newKey, transactionId } = await asking();
    const id = keyDigest(newKey.publicKey);
    await expect(client().lookUp(id)).resolves.toEqual({ kind: 'unknown' });
    const request = await client().prepareRequest(transactionId, newKey, credential);
    const answer = issued(await client().submit(request));
    const found = await client().lookUp(id);
    expect(found).toMatchObject({ kind: 'issued', certificate: answer.certificate, reply: answer.reply });
    await confirm(answer, credential);
    await expect(client().lookUp(id)).resolves.toMatchObject({ kind: 'confirmed' });
  });

  it('the answer is about that key and no other', async () => {
    const [one, other] = [await asking(), await asking()];
    await client().submit(await client().prepareRequest(one.transactionId, one.newKey, one.credential));
    const elsewhere = (url: string): string =>
      url.replace(/enrolments\/[0-9a-f]{64}/u, `enrolments/${toHex(keyDigest(one.newKey.publicKey))}`);
    const misled = client({ fetch: (url, init) => fetch(elsewhere(url), init) });
    const outcome = await misled.lookUp(keyDigest(other.newKey.publicKey)).catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(CaError);
    expect(outcome).toMatchObject({ code: 'mismatch' });
  });
});

describe('what became of a transaction', () => {
  it('a refused confirmation withdraws, and the authority proves it', async () => {
    const { credential, newKey, transactionId } = await asking();
    const answer = issued(await client().submit(await client().prepareRequest(transactionId, newKey, credential)));
    await client().confirm(await client().prepareConfirmation(answer.reply, false, credential));
    await expect(client().lookUp(transactionId)).resolves.toEqual({ kind: 'withdrawn' });
  });

  it('nobody else’s end passes for it', async () => {
    const [ended, going] = [await asking(), await asking()];
    const end = issued(
      await client().submit(await client().prepareRequest(ended.transactionId, ended.newKey, ended.credential)),
    );
    await client().confirm(await client().prepareConfirmation(end.reply, false, ended.credential));
    await client().submit(await client().prepareRequest(going.transactionId, going.newKey, going.credential));
    const proofs: string[] = [];
    const misled = client({
      fetch: async (url, init) => {
        const response = await fetch(url.replace(toHex(going.transactionId), toHex(ended.transactionId)), init);
        proofs.push(await response.clone().text());
        return response;
      },
    });
    await expect(misled.lookUp(going.transactionId)).rejects.toMatchObject({ code: 'mismatch' });
    expect(proofs[0]).toContain('"withdrawn"');
    const replayed = client({ fetch: () => Promise.resolve(new Response(proofs[0])) });
    await expect(replayed.lookUp(ended.transactionId)).rejects.toMatchObject({ code: 'mismatch' });
  });
});
