import * as oracle from 'sm-crypto-v2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type AttachedKey,
  authorisedKeys,
  requestKey,
  traceExchanges,
  watchKeys,
} from '../../../src/usbkey/connect.ts';
import type { UsbKey } from '../../../src/usbkey/usbkey.ts';
import { oids, readSpki, sm2Spki } from '../../../src/pki/algorithms.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { EnvelopedKey } from '../../../src/pki/enveloped-key.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { sampleApplication, samplePassword, sampleState, sm2Certificate } from '../../virtual-key/make-state.ts';
import { attachments } from '../../virtual-key/state.ts';
import { VirtualKey } from '../../virtual-key/virtual-key.ts';
import { hex, toHex } from '../apdu/hex.ts';

const password = new TextEncoder().encode(samplePassword);
const wrong = new TextEncoder().encode('87654321');
const message = new TextEncoder().encode('p10cr');
const existing = { application: sampleApplication, container: 'C1' };
const fresh = { application: sampleApplication, container: `R${'0123456789abcdef'.repeat(2)}` };

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function pluggedIn(options: Parameters<typeof sampleState>[0]) {
  const virtual = new VirtualKey(sampleState(options));
  vi.stubGlobal('navigator', { usb: virtual.usb, hid: virtual.hid });
  virtual.grant();
  await virtual.plug();
  return virtual;
}
async function onlyKey(): Promise<AttachedKey> {
  const [attached, ...others] = await authorisedKeys();
  if (!attached || others.length > 0) throw new Error('exactly one key is expected');
  return attached;
}

/** An encryption key pair as a key centre wraps it, with an SM2 and an SM4 that are neither the key's nor ours. */
function wrapped(
  { privateKey, publicKey }: ReturnType<typeof oracle.sm2.generateKeyPairHex>,
  wrapFor: string,
): EnvelopedKey {
  const sm4Key = '000102030405060708090a0b0c0d0e0f';
  // cipherMode 1: C1 ‖ C3 ‖ C2, without the 04 of C1.
  const whole = oracle.sm2.doEncrypt(hex(sm4Key), wrapFor, 1);
  const part = (from: number, to?: number) => hex(whole.slice(2 * from, to && 2 * to));
  const none = { padding: 'none', mode: 'ecb' } as const;
  return {
    symmetricAlgorithm: 'sm4-ecb',
    wrappedKey: { x: part(0, 32), y: part(32, 64), hash: part(64, 96), cipher: part(96) },
    publicKey: hex(publicKey),
    encryptedPrivateKey: hex(oracle.sm4.encrypt(hex('00'.repeat(32) + privateKey), sm4Key, none)),
  };
}

describe.each(attachments)('a GM/T 0017 key attached by %s', (attachment) => {
  let virtual: VirtualKey;
  let attached: AttachedKey;
  let key: UsbKey;

  beforeEach(async () => {
    virtual = await pluggedIn({ attachment });
    attached = await onlyKey();
    key = await attached.open();
  });

  it('tells what it is and what it holds', async () => {
    const info = await key.readInfo();
    const containers = await key.listContainers();
    const container = await key.readContainer(existing);

    expect(info).toMatchObject({
      serialNumber: 'VK0000000001',
      label: 'ukey',
      maxContainers: 4,
      firmwareVersion: '2.1',
    });
    expect(info.algorithms).toContain('sm2');
    expect(containers).toEqual([existing]);
    expect(await key.listApplications?.()).toEqual([sampleApplication]);
    const stored = virtual.state().applications[0]?.containers[0];
    expect(toHex(container.signing?.certificate ?? hex(''))).toBe(stored?.signing?.certificate);
    expect(toHex(container.encryption?.certificate ?? hex(''))).toBe(stored?.encryption?.certificate);
    expect(parseCertificate(container.signing?.certificate ?? hex('')).spki).toEqual(container.signing?.publicKey);
  });

  it('counts wrong passwords down and a right one up', async () => {
    await expect(key.verifyPassword(sampleApplication, wrong)).rejects.toMatchObject({ code: 'wrong', remaining: 5 });
    expect(await key.readPasswordTries(sampleApplication)).toEqual({ remaining: 5, maximum: 6 });

    await key.verifyPassword(sampleApplication, password);

    expect(await key.readPasswordTries(sampleApplication)).toEqual({ remaining: 6, maximum: 6 });
  });

  it('is locked after the last wrong one, also to the right one', async () => {
    for (let remaining = 5; remaining > 0; remaining--) {
      await expect(key.verifyPassword(sampleApplication, wrong)).rejects.toMatchObject({ code: 'wrong', remaining });
    }

    await expect(key.verifyPassword(sampleApplication, wrong)).rejects.toMatchObject({ code: 'locked', remaining: 0 });
    await expect(key.verifyPassword(sampleApplication, password)).rejects.toMatchObject({ code: 'locked' });
  });

  it('refuses to write before the password, and after logging out', async () => {
    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'notLoggedIn' });
    await key.verifyPassword(sampleApplication, password);

    await key.logOut();

    await expect(key.sign(existing, message)).rejects.toMatchObject({ code: 'notLoggedIn' });
  });

  it('signs with the old key what our own check accepts', async () => {
    const { signing } = await key.readContainer(existing);
    await key.verifyPassword(sampleApplication, password);

    const signature = await key.sign(existing, message);

    const spki = signing?.publicKey ?? hex('');
    expect(await verifySignature({ spki, algorithm: oids.sm2WithSm3, message, signature })).toBe(true);
  });

  it('signs a message that the key hashes itself as it signs one that is hashed here', async () => {
    const { signing } = await key.readContainer(existing);
    await key.verifyPassword(sampleApplication, password);

    const signature = (await key.signRaw?.(existing, message)) ?? hex('');

    const spki = signing?.publicKey ?? hex('');
    expect(await verifySignature({ spki, algorithm: oids.sm2WithSm3, message, signature })).toBe(true);
  });

  it('makes a new container, an SM2 key, a signature, takes a certificate and gives it back', async () => {
    await key.verifyPassword(sampleApplication, password);

    await key.createContainer(fresh);
    const spki = await key.generateSigningKeyPair(fresh, 'sm2');
    const signature = await key.sign(fresh, message);
    const certificate = sm2Certificate(hex('01'.repeat(32)));
    await key.importCertificate(fresh, 'signing', certificate);
    const container = await key.readContainer(fresh);

    expect(readSpki(spki).algorithm).toBe('sm2');
    expect(await verifySignature({ spki, algorithm: oids.sm2WithSm3, message, signature })).toBe(true);
    expect(container).toMatchObject({ ref: fresh, encryption: undefined });
    expect(toHex(container.signing?.publicKey ?? hex(''))).toBe(toHex(spki));
    expect(toHex(container.signing?.certificate ?? hex(''))).toBe(toHex(certificate));
    expect(await key.listContainers()).toEqual([existing, fresh]);
    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'containerExists' });
    await expect(key.importCertificate(fresh, 'encryption', certificate)).rejects.toMatchObject({ code: 'noKeyPair' });

    await key.deleteContainer(fresh);

    expect(await key.listContainers()).toEqual([existing]);
  });

  it('takes an encryption key pair that was wrapped for the new signing key, and no other', async () => {
    await key.verifyPassword(sampleApplication, password);
    await key.createContainer(fresh);
    const signing = readSpki(await key.generateSigningKeyPair(fresh, 'sm2'));
    const delivered = oracle.sm2.generateKeyPairHex();
    const envelopes = {
      right: wrapped(delivered, toHex(signing.publicKey)),
      wrong: wrapped(delivered, oracle.sm2.generateKeyPairHex().publicKey),
    };

    await expect(key.importEncryptionKeyPair?.(fresh, envelopes.wrong)).rejects.toMatchObject({ code: 'refused' });
    expect((await key.readContainer(fresh)).encryption).toBeUndefined();
    const spki = await key.importEncryptionKeyPair?.(fresh, envelopes.right);
    const certificate = sm2Certificate(hex('01'.repeat(32)));
    await key.importCertificate(fresh, 'encryption', certificate);

    expect(spki).toEqual(sm2Spki(hex(delivered.publicKey)));
    expect((await key.readContainer(fresh)).encryption).toEqual({ publicKey: spki, certificate });
    const { encryption } =
      virtual.state().applications[0]?.containers.find(({ name }) => name === fresh.container) ?? {};
    expect(encryption).toMatchObject({ privateKey: delivered.privateKey, publicKey: delivered.publicKey.slice(2) });
  });

  it('makes an RSA-2048 key and PKCS #1 signatures', { timeout: 30_000 }, async () => {
    await key.verifyPassword(sampleApplication, password);
    await key.createContainer(fresh);

    const spki = await key.generateSigningKeyPair(fresh, 'rsa2048');
    const signature = await key.sign(fresh, message);
    const raw = (await key.signRaw?.(fresh, message)) ?? hex('');

    expect(readSpki(spki)).toMatchObject({ algorithm: 'rsa', bits: 2048 });
    expect(await verifySignature({ spki, algorithm: oids.sha256WithRsa, message, signature })).toBe(true);
    // RSASSA-PKCS1-v1_5 is deterministic (RFC 8017 §8.2).
    expect(toHex(raw)).toBe(toHex(signature));
    expect(toHex((await key.readContainer(fresh)).signing?.publicKey ?? hex(''))).toBe(toHex(spki));
  });

  it('has room for so many containers and no more', async () => {
    await key.verifyPassword(sampleApplication, password);
    for (const name of ['A', 'B', 'C']) await key.createContainer({ application: sampleApplication, container: name });

    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'noRoom' });
  });

  it('ends what is running when it is pulled out, at any transfer', async () => {
    for (let transfer = 1; transfer <= 12; transfer++) {
      const pulled = await pluggedIn({ attachment });
      const opened = await (await onlyKey()).open();
      pulled.unplugAt(transfer, transfer % 2 === 0 ? 'before' : 'after');

      const outcome = await opened
        .verifyPassword(sampleApplication, password)
        .then(() => opened.readContainer(existing))
        .then(
          () => 'done',
          (error: unknown) => error,
        );

      expect(outcome).toMatchObject({ name: 'TransportError', code: 'disconnected' });
      await opened.close();
    }
  });

  it(
    'survives any lost transfer while the password is checked, without asking twice',
    { timeout: 30_000 },
    async () => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
      const outcomes = new Set<string>();
      for (let transfer = 1; transfer <= 10; transfer++) {
        const disturbed = await pluggedIn({ attachment, remainingTries: 3 });
        const opened = await (await onlyKey()).open();
        disturbed.disturb(transfer, 'lost');
        let outcome: string | undefined;
        void opened.verifyPassword(sampleApplication, wrong).catch((error: unknown) => {
          outcome = error instanceof Error && 'code' in error ? String(error.code) : 'untyped';
        });

        while (outcome === undefined) {
          await vi.advanceTimersByTimeAsync(100);
          await new Promise<void>((resolve) => setImmediate(resolve));
        }

        outcomes.add(outcome);
        expect(disturbed.state().applications[0]?.remainingTries).toBeGreaterThanOrEqual(2);
      }

      expect([...outcomes].filter((outcome) => !['wrong', 'unknown', 'timeout'].includes(outcome))).toEqual([]);
      expect(outcomes).toContain('wrong');
    },
  );

  it('is one object for as long as it is plugged in, and one that is opened once', async () => {
    expect(await onlyKey()).toBe(attached);
    expect(await attached.open()).toBe(key);

    await key.close();
    const again = await attached.open();

    expect(again).not.toBe(key);
    expect(await again.listContainers()).toEqual([existing]);
    await expect(key.listContainers()).rejects.toMatchObject({ code: 'disconnected' });
  });

  it('loses a login that a former page left, when it is opened', async () => {
    await key.verifyPassword(sampleApplication, password);
    // The page goes without a word: its objects are dropped, the key keeps its power.
    vi.resetModules();
    const { authorisedKeys: ofNextPage } = await import('../../../src/usbkey/connect.ts');
    const [next] = await ofNextPage();

    const reopened = await next?.open();

    await expect(reopened?.sign(existing, message)).rejects.toMatchObject({ code: 'notLoggedIn' });
  });

  it('comes back after it was pulled out and plugged in again', async () => {
    const seen: string[] = [];
    const stop = watchKeys({ onConnect: () => seen.push('+'), onDisconnect: () => seen.push('-') });

    await virtual.unplug();
    await virtual.plug();
    const again = await (await onlyKey()).open();

    expect(seen).toEqual(['-', '+']);
    expect(key.gone.aborted).toBe(true);
    expect(await again.listContainers()).toEqual([existing]);
    stop();
  });

  it('is traced by INS and status word', async () => {
    const seen: string[] = [];
    const stop = traceExchanges(({ ins, sw }) => seen.push(`${ins.toString(16)} ${sw.toString(16)}`));

    await key.listContainers();
    stop();
    await key.listContainers();

    expect(seen).toEqual(['22 9000', '26 9000', '46 9000']);
  });
});

it('says that a browser without WebUSB cannot show a chooser', async () => {
  vi.stubGlobal('navigator', {});
  await expect(requestKey('usb')).rejects.toMatchObject({ code: 'unsupported' });
  expect(await authorisedKeys()).toEqual([]);
});
