import { verify } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { setModelAdditions } from '../../../src/device/models.ts';
import { authorisedKeys, type AttachedKey, traceExchanges } from '../../../src/usbkey/connect.ts';
import type { Card } from '../../virtual-key/card.ts';
import { CcidDevice } from '../../virtual-key/ccid-device.ts';
import { FakeUsb } from '../../virtual-key/fake-usb.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { Gmt0017Applet } from '../../virtual-key/gmt0017-applet.ts';
import { sampleApplication, samplePassword, sampleState } from '../../virtual-key/make-state.ts';
import { Memory } from '../../virtual-key/memory.ts';
import { PivApplet } from '../../virtual-key/piv-applet.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { hex } from '../apdu/hex.ts';
import { message, stateWith } from './piv-open.ts';
import { publicKeyOf } from './piv-samples.ts';

afterEach(() => {
  vi.unstubAllGlobals();
  setModelAdditions([]);
});

const memoryOf = (state: KeyState) => new Memory(state, () => undefined, new FaultPlan());

/** A smart card that knows no command. */
const stranger: Card = {
  apduLevel: 'short',
  maxCommandBytes: 261,
  answerToReset: hex('3b00'),
  powerUp: () => undefined,
  powerDown: () => undefined,
  transmit: () => Promise.resolve(hex('6e00')),
};

async function attachedCard(card: Card, productId: number): Promise<AttachedKey> {
  const usb = new FakeUsb();
  const device = new CcidDevice(card, {
    ...{ vendorId: 0x1209, productId, productName: 'somebody’s key', manufacturerName: '', serialNumber: null },
  });
  vi.stubGlobal('navigator', { usb });
  await usb.plug(device);
  usb.grant(device);
  const [attached] = await authorisedKeys();
  if (!attached) throw new Error('no key');
  return attached;
}

const unknown = 0x00fe;

describe('a key that no table knows', () => {
  it('is opened as a PIV key when it says it is one', async () => {
    const attached = await attachedCard(new PivApplet(memoryOf(stateWith('p256'))), unknown);

    const key = await attached.open();

    expect(attached.model).toBeUndefined();
    expect(key.commandSet).toBe('piv');
    expect(await key.listContainers()).toHaveLength(1);
  });

  it('is opened as a GM/T 0017 key when it answers as one', async () => {
    const attached = await attachedCard(new Gmt0017Applet(memoryOf(sampleState())), unknown);

    const key = await attached.open();

    expect(key.commandSet).toBe('gmt0017');
    expect(await key.listContainers()).toHaveLength(1);
  });

  it('is unsupported when it is neither, and released', async () => {
    const attached = await attachedCard(stranger, unknown);

    const refused = { name: 'KeyError', code: 'unsupported' };
    await expect(attached.open()).rejects.toMatchObject(refused);
    await expect(attached.open()).rejects.toMatchObject(refused);
  });
});

describe('a key of a known model', () => {
  it('is asked for nothing but its command set', async () => {
    const attached = await attachedCard(new Gmt0017Applet(memoryOf(sampleState())), 0x0002);

    expect(attached.model?.commandSet).toBe('piv');
    await expect(attached.open()).rejects.toMatchObject({ name: 'KeyError', code: 'unsupported' });
  });

  it.each(['digestInfo', 'message'] as const)(
    'is spoken to in its dialect: RSA signatures of a %s',
    { timeout: 30_000 },
    async (rsaSignData) => {
      const row = { vendorId: 0x1209, productId: unknown, name: 'of the operator', attachment: 'vendorCcid' } as const;
      setModelAdditions([{ ...row, dialect: { rsaSignData } }]);
      const ins: string[] = [];
      const stop = traceExchanges((entry) => ins.push(entry.ins.toString(16)));
      const attached = await attachedCard(new Gmt0017Applet(memoryOf(sampleState())), unknown);
      const key = await attached.open();
      const fresh = { application: sampleApplication, container: `R${'12'.repeat(16)}` };
      await key.verifyPassword(sampleApplication, new TextEncoder().encode(samplePassword));
      await key.createContainer(fresh);
      const spki = await key.generateSigningKeyPair(fresh, 'rsa2048');

      const signature = await key.sign(fresh, message);

      expect(verify('sha256', message, publicKeyOf(spki), signature)).toBe(true);
      expect(ins).toContain('58');
      stop();
    },
  );
});
