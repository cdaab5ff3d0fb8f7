import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ContainerRef, UsbKey } from '../../../src/usbkey/usbkey.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { existing, fresh, message, opened, pairs, password, pluggedIn, ref, stateWith } from './piv-open.ts';
import { certificateObject, samplePair } from './piv-samples.ts';

afterEach(() => vi.unstubAllGlobals());

const next = samplePair('p256');
const older = ref(`R${'0a'.repeat(16)}`);

/** A key after a renewal: the former pair in 9A, the new one in 82 under a name of this site. */
function renewed(options: Parameters<typeof stateWith>[1] = {}, mscuid?: string): KeyState {
  return stateWith('p256', {
    ...options,
    slots: [next.inSlot('82'), ...(options.slots ?? [])],
    objects: {
      '5fc105': certificateObject(pairs.p256.certificate, mscuid),
      '5fc10d': certificateObject(next.certificate, fresh.container),
      ...options.objects,
    },
  });
}

async function promote(key: UsbKey, former: ContainerRef) {
  if (!key.promote) throw new Error('this key moves nothing');
  return key.promote(fresh, former);
}

/** The pairs on the key, each as container, certificate and public key. */
async function pairsOn(key: UsbKey): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const each of await key.listContainers()) {
    const { signing } = await key.readContainer(each);
    if (!signing?.certificate) continue;
    found.set(toHex(signing.certificate) + toHex(signing.publicKey), each.container);
  }
  return found;
}
const nameOfPair = ({ certificate, spki }: typeof next) => toHex(certificate) + toHex(spki);

describe('putting the new pair where other programs look', () => {
  it.each([
    ['9A', existing, undefined, ref('83')],
    ['9A with another program’s MSCUID', existing, '{a container of Windows}', ref('83')],
    ['9A, which an earlier renewal of this site has taken', older, older.container, older],
  ])('takes %s, and keeps the former pair', async (_, former, mscuid, formerThen) => {
    const { key, virtual } = await pluggedIn(renewed({}, mscuid));
    await key.verifyPassword('PIV', password);

    const promoted = await promote(key, former);

    expect(promoted).toEqual({ fresh, former: formerThen });
    expect(await pairsOn(key)).toEqual(
      new Map([
        [nameOfPair(next), fresh.container],
        [nameOfPair(pairs.p256), formerThen.container],
      ]),
    );
    const slots = virtual.state().piv?.slots.map(({ slot, publicKey }) => [slot, publicKey]);
    expect(slots).toEqual(
      expect.arrayContaining([
        ['9a', next.inSlot('9a').publicKey],
        ['83', pairs.p256.inSlot('83').publicKey],
      ]),
    );
    expect(slots).toHaveLength(2);
    await expect(key.sign(promoted.fresh, message)).resolves.toBeInstanceOf(Uint8Array);
    await expect(key.sign(promoted.former, message)).resolves.toBeInstanceOf(Uint8Array);
    expect((await key.readInfo()).maxContainers).toBe(4);
  });

  it('is done once, however often it is asked for', async () => {
    const { key, virtual } = await pluggedIn(renewed());
    const promoted = await promote(key, existing);
    const writes = virtual.writes;

    expect(await promote(key, existing)).toEqual(promoted);
    expect(virtual.writes).toBe(writes);
  });

  it.each<[string, KeyState, ContainerRef, string]>([
    ['without a second free slot', renewed({ features: { retiredSlots: [0x82] } }), existing, 'noRoom'],
    ['when the former pair is in no usual slot', renewed(), ref('9E'), 'notFound'],
    ['when the former pair is not there', renewed(), ref('9C'), 'notFound'],
    [
      'when a certificate is not for its key',
      renewed({ objects: { '5fc105': certificateObject(next.certificate) } }),
      existing,
      'noKeyPair',
    ],
  ])('moves nothing %s', async (_, state, former, code) => {
    const { key, virtual } = await pluggedIn(state);
    const before = virtual.state().piv;

    await expect(promote(key, former)).rejects.toMatchObject({ code });

    expect(virtual.state().piv).toEqual(before);
  });

  it.each<[string, Parameters<typeof stateWith>[1]]>([
    ['cannot move keys', { features: { moveKey: false } }],
    ['does not tell of its keys', { attachment: 'canokey' }],
  ])('is not offered by a key that %s', async (_, options) => {
    const { key } = await pluggedIn(renewed(options));

    expect(key.promote).toBeUndefined();
  });
});

describe('putting the new pair in its place, with the key pulled out on the way', () => {
  const formers: readonly [string, ContainerRef, string | undefined][] = [
    ['of another program', existing, undefined],
    ['of this site', older, older.container],
  ];

  it.each(formers)(
    'keeps both pairs %s and gets there the next time',
    { timeout: 60_000 },
    async (_, former, mscuid) => {
      const whole = await pluggedIn(renewed({}, mscuid));
      await promote(whole.key, former);
      const { writes } = whole.virtual;
      await whole.key.close();

      expect(writes).toBe(5);
      for (let write = 1; write <= writes; write++) {
        for (const when of ['before', 'after'] as const) {
          const { key, virtual } = await pluggedIn(renewed({}, mscuid));
          virtual.unplugAtWrite(write, when);
          await expect(promote(key, former)).rejects.toMatchObject({ code: 'disconnected' });
          await virtual.plug();
          const again = await opened();

          const found = await pairsOn(again);
          expect([...found.keys()].sort()).toEqual([nameOfPair(next), nameOfPair(pairs.p256)].sort());
          expect(found.get(nameOfPair(next))).toBe(fresh.container);
          const promoted = await promote(again, former);

          expect(await pairsOn(again)).toEqual(
            new Map([
              [nameOfPair(next), promoted.fresh.container],
              [nameOfPair(pairs.p256), promoted.former.container],
            ]),
          );
          expect(virtual.state().piv?.slots.find(({ slot }) => slot === '9a')?.publicKey).toBe(
            next.inSlot('9a').publicKey,
          );
          expect(await again.listContainers()).toHaveLength(2);
          await again.close();
        }
      }
    },
  );

  it.each([
    ['gone', 0],
    ['cut in its first bytes', 3],
    ['cut in the middle', 200],
    ['cut just before its end', -1],
  ])('writes the certificate in its place once more where it is %s', async (_, end) => {
    const { key, virtual } = await pluggedIn(renewed());
    // The third of the five writes puts the new certificate in the usual place, the fourth its key.
    virtual.unplugAtWrite(3, 'after');
    await expect(promote(key, existing)).rejects.toMatchObject({ code: 'disconnected' });
    const state = virtual.state();
    const objects = (state.piv?.objects ?? [])
      .map((object) => (object.tag === '5fc105' ? { ...object, data: toHex(hex(object.data).slice(0, end)) } : object))
      .filter(({ data }) => data !== '');
    const again = await pluggedIn({ ...state, ...(state.piv && { piv: { ...state.piv, objects } }) });

    const promoted = await promote(again.key, existing);

    expect(await pairsOn(again.key)).toEqual(
      new Map([
        [nameOfPair(next), promoted.fresh.container],
        [nameOfPair(pairs.p256), promoted.former.container],
      ]),
    );
    expect(again.virtual.state().piv?.slots.find(({ slot }) => slot === '9a')?.publicKey).toBe(
      next.inSlot('9a').publicKey,
    );
  });
});
