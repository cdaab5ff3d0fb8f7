import { verify } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { oids } from '../../../src/pki/algorithms.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import type { Attachment, PivAlgorithm, PivFeatures } from '../../virtual-key/state.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { existing, fresh, message, pairs, password, pluggedIn, stateWith } from './piv-open.ts';
import { publicKeyOf } from './piv-samples.ts';

const wrong = new TextEncoder().encode('654321');

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function isValid(algorithm: PivAlgorithm, spki: Uint8Array, signature: Uint8Array): boolean | Promise<boolean> {
  if (algorithm !== 'sm2') return verify('sha256', message, publicKeyOf(spki), signature);
  return verifySignature({ spki, algorithm: oids.sm2WithSm3, message, signature });
}

const sm2Too: Partial<PivFeatures> = { sm2Algorithm: 0x54 };
const ways: readonly [Attachment, PivAlgorithm, Partial<PivFeatures>][] = [
  ['ccid-extended', 'p256', {}],
  ['ccid-short', 'p256', {}],
  ['ccid-short', 'rsa2048', {}],
  ['ccid-extended', 'rsa2048', {}],
  ['canokey', 'p256', {}],
  ['canokey', 'rsa2048', {}],
  ['canokey', 'sm2', sm2Too],
];

describe.each(ways)('a PIV key on %s with %s', (attachment, algorithm, features) => {
  const pair = pairs[algorithm];
  const state = () => stateWith(algorithm, { attachment, features });

  it('tells what it is and what it holds', async () => {
    const { key } = await pluggedIn(state());

    const info = await key.readInfo();
    const containers = await key.listContainers();
    const container = await key.readContainer(existing);

    expect(key.commandSet).toBe('piv');
    expect(info.serialNumber).not.toBe('');
    expect(info.algorithms).toContain(algorithm);
    expect(info.maxContainers).toBe(attachment === 'canokey' ? 3 : 4);
    expect(containers).toEqual([existing]);
    expect(toHex(container.signing?.certificate ?? hex(''))).toBe(toHex(pair.certificate));
    expect(toHex(container.signing?.publicKey ?? hex(''))).toBe(toHex(pair.spki));
    expect(container.encryption).toBeUndefined();
  });

  it('signs with the old key what others accept', async () => {
    const { key } = await pluggedIn(state());
    await expect(key.sign(existing, message)).rejects.toMatchObject({ code: 'notLoggedIn' });
    await key.verifyPassword('PIV', password);

    const signature = await key.sign(existing, message);

    expect(await isValid(algorithm, pair.spki, signature)).toBe(true);
  });

  it(
    'takes a slot, makes a key, signs, takes a certificate, gives it back and lets go',
    { timeout: 30_000 },
    async () => {
      const { key, virtual } = await pluggedIn(state());
      const before = virtual.state().piv;
      await key.verifyPassword('PIV', password);

      await key.createContainer(fresh);
      expect(await key.listContainers()).toEqual([existing, fresh]);
      expect(await key.readContainer(fresh)).toEqual({
        ref: fresh,
        slot: '82',
        signing: undefined,
        encryption: undefined,
        ...(before?.features.metadata ? {} : { untold: true }),
      });
      await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'containerExists' });

      const spki = await key.generateSigningKeyPair(fresh, algorithm);
      const made = await key.readContainer(fresh);
      expect(toHex(made.signing?.publicKey ?? hex(''))).toBe(toHex(spki));
      expect(made.signing?.certificate).toBeUndefined();
      const signature = await key.sign(fresh, message);
      expect(await isValid(algorithm, spki, signature)).toBe(true);

      await key.importCertificate(fresh, 'signing', pair.certificate);
      const done = await key.readContainer(fresh);
      expect(toHex(done.signing?.certificate ?? hex(''))).toBe(toHex(pair.certificate));
      await expect(key.importCertificate(fresh, 'encryption', pair.certificate)).rejects.toMatchObject({
        code: 'unsupported',
      });
      expect(key.managementKey).toBe('default');

      await key.deleteContainer(fresh);
      expect(await key.listContainers()).toEqual([existing]);
      const after = virtual.state().piv;
      expect(after?.slots.filter(({ slot }) => slot === '9a')).toEqual(before?.slots);
      expect(after?.objects.find(({ tag }) => tag === '5fc105')).toEqual(
        before?.objects.find(({ tag }) => tag === '5fc105'),
      );
      expect((await key.readInfo()).maxContainers).toBe(attachment === 'canokey' ? 3 : 4);
    },
  );

  it('counts wrong passwords down, and is locked after the last', async () => {
    const { key } = await pluggedIn(state());
    await expect(key.verifyPassword('PIV', wrong)).rejects.toMatchObject({ code: 'wrong', remaining: 2 });
    expect(await key.readPasswordTries('PIV')).toMatchObject({ remaining: 2 });
    await key.verifyPassword('PIV', password);
    // The counter hides behind the login; a wrong password ends it.
    await expect(key.verifyPassword('PIV', wrong)).rejects.toMatchObject({ code: 'wrong', remaining: 2 });
    await expect(key.verifyPassword('PIV', wrong)).rejects.toMatchObject({ code: 'wrong', remaining: 1 });

    await expect(key.verifyPassword('PIV', wrong)).rejects.toMatchObject({ code: 'locked', remaining: 0 });

    await expect(key.verifyPassword('PIV', password)).rejects.toMatchObject({ code: 'locked', remaining: 0 });
    expect((await key.readPasswordTries('PIV')).remaining).toBe(0);
  });

  it('asks no password that no PIV key can have', async () => {
    const { key, virtual } = await pluggedIn(state());

    for (const impossible of ['', '12345', '123456789']) {
      const typed = new TextEncoder().encode(impossible);
      await expect(key.verifyPassword('PIV', typed)).rejects.toMatchObject({ code: 'wrong', remaining: 3 });
    }

    expect(virtual.state().piv?.remainingTries).toBe(3);
  });

  it('forgets the login: on logging out, and on the next opening', async () => {
    const { key } = await pluggedIn(state());
    await key.verifyPassword('PIV', password);
    await key.logOut();
    await expect(key.sign(existing, message)).rejects.toMatchObject({ code: 'notLoggedIn' });
    await key.verifyPassword('PIV', password);
    // The page goes without a word: its objects are dropped, the key keeps its power.
    vi.resetModules();
    const { authorisedKeys: ofNextPage } = await import('../../../src/usbkey/connect.ts');

    const reopened = await (await ofNextPage())[0]?.open();

    await expect(reopened?.sign(existing, message)).rejects.toMatchObject({ code: 'notLoggedIn' });
  });
});

describe.each<Attachment>(['ccid-short', 'canokey'])('a PIV key on %s, disturbed', (attachment) => {
  it('ends what is running when it is pulled out, at any transfer', { timeout: 30_000 }, async () => {
    for (let transfer = 1; transfer <= 12; transfer++) {
      const { key, virtual } = await pluggedIn(stateWith('p256', { attachment }));
      virtual.unplugAt(transfer, transfer % 2 === 0 ? 'before' : 'after');

      const outcome = await key
        .verifyPassword('PIV', password)
        .then(() => key.listContainers())
        .then(() => key.readContainer(existing))
        .catch((error: unknown) => error);

      expect(outcome).toMatchObject({ name: 'TransportError', code: 'disconnected' });
      await key.close();
    }
  });

  it('loses no try to a lost transfer, and never asks twice', { timeout: 60_000 }, async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const outcomes = new Set<string>();
    for (const typed of [password, wrong]) {
      for (let transfer = 1; transfer <= 8; transfer++) {
        const { key, virtual } = await pluggedIn(stateWith('p256', { attachment, remainingTries: 2 }));
        virtual.disturb(transfer, 'lost');
        let outcome: string | undefined;
        key.verifyPassword('PIV', typed).then(
          () => (outcome = 'verified'),
          (error: unknown) => (outcome = error instanceof Error && 'code' in error ? String(error.code) : 'untyped'),
        );

        while (outcome === undefined) {
          await vi.advanceTimersByTimeAsync(100);
          await new Promise<void>((resolve) => setImmediate(resolve));
        }

        outcomes.add(outcome);
        const left = virtual.state().piv?.remainingTries;
        expect(left).toBeGreaterThanOrEqual(typed === password ? 2 : 1);
        if (outcome === 'verified') expect(left).toBe(3);
        if (outcome === 'wrong') expect(left).toBe(1);
        vi.unstubAllGlobals();
      }
    }

    const known = ['verified', 'wrong', 'unknown', 'timeout', 'malformed'];
    expect([...outcomes].filter((outcome) => !known.includes(outcome))).toEqual([]);
    expect([...outcomes]).toEqual(expect.arrayContaining(['verified', 'wrong']));
  });
});
