import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeTlv } from '../../../src/apdu/tlv.ts';
import { samplePivState } from '../../virtual-key/make-state.ts';
import type { PivManagementAlgorithm, PivState } from '../../virtual-key/state.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { existing, fresh, message, pairs, password, pluggedIn, ref, stateWith } from './piv-open.ts';
import { certificateObject, samplePair } from './piv-samples.ts';

afterEach(() => vi.unstubAllGlobals());

const delivered = '010203040506070801020304050607080102030405060708';
const another = (bytes: number) => '5a'.repeat(bytes);
const keyBytes: Readonly<Record<PivManagementAlgorithm, number>> = { '3des': 24, aes128: 16, aes192: 24, aes256: 32 };
const ciphers: readonly PivManagementAlgorithm[] = ['3des', 'aes128', 'aes192', 'aes256'];

/** The objects in which PIV management programs keep the key behind the password. */
function kept(key: string): { managementKey: PivState['managementKey']; objects: Record<string, Uint8Array> } {
  const algorithm = ciphers.find((each) => keyBytes[each] === key.length / 2) ?? '3des';
  return {
    managementKey: { algorithm, key, pinProtected: true },
    objects: {
      '5fff00': encodeTlv(0x53, encodeTlv(0x80, encodeTlv(0x81, Uint8Array.of(0x02)))),
      '5fc109': encodeTlv(0x53, encodeTlv(0x88, encodeTlv(0x89, hex(key)))),
    },
  };
}

describe('the management key', () => {
  it.each(['3des', 'aes192'] as const)('is the delivered one, and that is said: %s', async (algorithm) => {
    const { key } = await pluggedIn(
      samplePivState({ managementKey: { algorithm, key: delivered, pinProtected: false } }),
    );
    await key.verifyPassword('PIV', password);

    await key.createContainer(fresh);

    expect(key.managementKey).toBe('default');
  });

  it('is the one that is kept behind the password', async () => {
    const { key } = await pluggedIn(samplePivState(kept(another(24))));
    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'notLoggedIn' });
    await key.verifyPassword('PIV', password);

    await key.createContainer(fresh);

    expect(key.managementKey).toBe('protected');
  });

  it.each(ciphers)('is asked for where it is neither, and stays what it was: %s', async (algorithm) => {
    const bytes = keyBytes[algorithm];
    const managementKey = { algorithm, key: another(bytes), pinProtected: false } as const;
    const { key, virtual } = await pluggedIn(samplePivState({ managementKey }));
    await key.verifyPassword('PIV', password);
    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'managementKeyNeeded' });
    for (const wrong of [new Uint8Array(bytes), new Uint8Array(bytes - 1), new Uint8Array()]) {
      await expect(key.useManagementKey?.(wrong)).rejects.toMatchObject({ name: 'PasswordError', code: 'wrong' });
    }
    await expect(key.createContainer(fresh)).rejects.toMatchObject({ code: 'managementKeyNeeded' });
    const typed = hex(another(bytes));

    await key.useManagementKey?.(typed);
    await key.createContainer(fresh);

    expect(key.managementKey).toBe('asked');
    expect(toHex(typed)).toBe(another(bytes));
    expect(virtual.state().piv?.managementKey).toEqual(managementKey);
    await key.logOut();
    await expect(key.deleteContainer(fresh)).rejects.toMatchObject({ code: 'managementKeyNeeded' });
  });

  it.each(['3des', 'aes128', 'aes192', 'aes256'] as const)('is found without metadata too: %s', async (algorithm) => {
    const managementKey = { algorithm, key: another(keyBytes[algorithm]), pinProtected: false } as const;
    const { key } = await pluggedIn(stateWith('p256', { attachment: 'canokey', managementKey }));

    await key.useManagementKey?.(hex(managementKey.key));
    await key.createContainer(fresh);

    expect(key.managementKey).toBe('asked');
  });
});

describe('which slot is taken', () => {
  const own = `R${'cd'.repeat(16)}`;
  const reservation = certificateObject(new Uint8Array(), own);
  const history = (onCard: number, offCard: number) =>
    encodeTlv(0x53, encodeTlv(0xc1, Uint8Array.of(onCard)), encodeTlv(0xc2, Uint8Array.of(offCard)), encodeTlv(0xfe));

  it.each<[string, Parameters<typeof samplePivState>[0], string | undefined]>([
    ['the first', {}, '82'],
    ['one without a certificate object', { objects: { '5fc10d': certificateObject(pairs.sm2.certificate) } }, '83'],
    ['one without a key', { slots: [pairs.p256.inSlot('82')] }, '83'],
    ['none of a former attempt', { objects: { '5fc10d': reservation } }, '83'],
    ['one that was emptied', { objects: { '5fc10d': hex('5300') } }, '82'],
    ['none whose object is not understood', { objects: { '5fc10d': hex('530170') } }, '83'],
    ['any, with a key history of nothing elsewhere', { objects: { '5fc10c': history(2, 0) } }, '82'],
    ['none, with a key history of keys elsewhere', { objects: { '5fc10c': history(0, 1) } }, undefined],
    ['none, with a key history that is not understood', { objects: { '5fc10c': hex('5302c200') } }, undefined],
    ['none, on a key that does not tell of its keys', { features: { metadata: false } }, undefined],
    [
      'the second, on a model where an absent object means a free slot',
      { attachment: 'canokey', objects: { '5fc10d': reservation } },
      '83',
    ],
    [
      'none, on such a model with keys elsewhere',
      { attachment: 'canokey', objects: { '5fc10c': history(0, 2) } },
      undefined,
    ],
    [
      'none, when all are taken',
      { attachment: 'canokey', objects: { '5fc10d': reservation, '5fc10e': certificateObject(pairs.sm2.certificate) } },
      undefined,
    ],
  ])('%s', async (_, options, expected) => {
    const { key, virtual } = await pluggedIn(stateWith('p256', options));
    const before = virtual.state().piv;
    const room = (await key.readInfo()).maxContainers ?? 0;
    const listed = (await key.listContainers()).length;

    const outcome = await key.createContainer(fresh).then(
      () => undefined,
      (error: unknown) => error,
    );

    const added = virtual
      .state()
      .piv?.objects.filter(({ data }) => data.includes(toHex(new TextEncoder().encode(fresh.container))));
    const tag = expected === undefined ? [] : [(0x5fc10d + Number.parseInt(expected, 16) - 0x82).toString(16)];
    expect(added?.map((object) => object.tag)).toEqual(tag);
    expect(room > listed).toBe(expected !== undefined);
    if (expected !== undefined) expect(outcome).toBeUndefined();
    else {
      expect(outcome).toMatchObject({ code: 'noRoom' });
      expect(virtual.state().piv).toEqual(before);
    }
  });

  it('is left alone where this site has not named it', async () => {
    const { key, virtual } = await pluggedIn(stateWith('p256'));
    const before = virtual.state().piv;
    await key.verifyPassword('PIV', password);

    const attempts = [
      key.createContainer(ref('82')),
      key.generateSigningKeyPair(existing, 'p256'),
      key.importCertificate(existing, 'signing', pairs.p256.certificate),
      key.deleteContainer(existing),
    ];

    for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: 'unsupported' });
    await expect(key.readContainer(ref('82'))).rejects.toMatchObject({ code: 'notFound' });
    await expect(key.readContainer({ ...existing, application: 'CFCA' })).rejects.toMatchObject({ code: 'notFound' });
    expect(virtual.state().piv).toEqual(before);
  });

  it('is used again where its key pair could not be deleted', async () => {
    const { key } = await pluggedIn(stateWith('p256', { features: { moveKey: false, retiredSlots: [0x82] } }));
    await key.verifyPassword('PIV', password);
    await key.createContainer(fresh);
    await key.generateSigningKeyPair(fresh, 'p256');

    await key.deleteContainer(fresh);

    expect(await key.listContainers()).toEqual([existing]);
    await key.createContainer(fresh);
    expect(
      (await key.readContainer(fresh)).signing,
      'the pair that was left is not the new container’s',
    ).toBeUndefined();
    await key.generateSigningKeyPair(fresh, 'p256');
    expect((await key.readContainer(fresh)).signing).toBeDefined();
  });

  it('is somebody’s once another program has made a key pair in it', async () => {
    const { key, virtual } = await pluggedIn(stateWith('p256', { features: { moveKey: false, retiredSlots: [0x82] } }));
    await key.verifyPassword('PIV', password);
    await key.createContainer(fresh);
    await key.generateSigningKeyPair(fresh, 'p256');
    await key.deleteContainer(fresh);
    const left = virtual.state();
    const theirs = samplePair('p256').inSlot('82');
    const slots = left.piv?.slots.map((each) => (each.slot === '82' ? theirs : each)) ?? [];
    expect(slots).toContain(theirs);
    const again = await pluggedIn({ ...left, ...(left.piv && { piv: { ...left.piv, slots } }) });
    await again.key.verifyPassword('PIV', password);

    await expect(again.key.createContainer(fresh)).rejects.toMatchObject({ code: 'noRoom' });

    expect(await again.key.listContainers()).toEqual([existing, ref('82')]);
    expect(again.virtual.state().piv?.slots).toContainEqual(theirs);
  });

  it('keeps a certificate from being orphaned by a new key pair', async () => {
    const { key } = await pluggedIn(stateWith('p256'));
    await key.verifyPassword('PIV', password);
    await key.createContainer(fresh);
    await key.generateSigningKeyPair(fresh, 'p256');
    await key.importCertificate(fresh, 'signing', pairs.p256.certificate);

    await expect(key.generateSigningKeyPair(fresh, 'p256')).rejects.toMatchObject({ code: 'refused' });
  });
});

describe('what a slot is for', () => {
  const [signs, decrypts] = [samplePair('p256', Uint8Array.of(0x80)), samplePair('p256', Uint8Array.of(0x20))];

  it.each<[string, string, ReturnType<typeof samplePair>, 'signing' | 'encryption']>([
    ['9c', '5fc10a', signs, 'signing'],
    ['9e', '5fc101', decrypts, 'signing'],
    ['9d', '5fc10b', signs, 'encryption'],
    ['82', '5fc10d', signs, 'signing'],
    ['82', '5fc10d', decrypts, 'encryption'],
    ['82', '5fc10d', pairs.p256, 'signing'],
  ])('%s with %s', async (slot, tag, pair, usage) => {
    const objects = { [tag]: certificateObject(pair.certificate) };
    const { key } = await pluggedIn(samplePivState({ slots: [pair.inSlot(slot)], objects }));

    const container = await key.readContainer(ref(slot.toUpperCase()));

    expect([container.signing === undefined, container.encryption === undefined]).toEqual(
      usage === 'signing' ? [false, true] : [true, false],
    );
  });

  it('is nothing where its key is gone', async () => {
    const objects = { '5fc105': certificateObject(pairs.p256.certificate) };
    const { key } = await pluggedIn(samplePivState({ objects }));

    expect(await key.readContainer(existing)).toEqual({
      ref: existing,
      slot: '9A',
      signing: undefined,
      encryption: undefined,
    });
  });

  it('is said, with the password it wants for every signature', async () => {
    const state = samplePivState({
      slots: [pairs.p256.inSlot('9c', 'always')],
      objects: { '5fc10a': certificateObject(pairs.p256.certificate) },
    });
    const { key } = await pluggedIn(state);
    const slot = ref('9C');
    expect((await key.readContainer(slot)).signing?.passwordForEverySignature).toBe(true);
    await key.verifyPassword('PIV', password);
    await key.sign(slot, message);
    await expect(key.sign(slot, message)).rejects.toMatchObject({ code: 'notLoggedIn' });

    await key.verifyPassword('PIV', password);

    await expect(key.sign(slot, message)).resolves.toBeInstanceOf(Uint8Array);
  });
});
