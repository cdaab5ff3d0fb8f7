import { afterEach, describe, expect, it, vi } from 'vitest';
import { authorisedKeys, type AttachedKey } from '../../../src/usbkey/connect.ts';
import type { Card } from '../../virtual-key/card.ts';
import { CcidDevice } from '../../virtual-key/ccid-device.ts';
import { FakeUsb } from '../../virtual-key/fake-usb.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { Gmt0017Applet } from '../../virtual-key/gmt0017-applet.ts';
import { sampleState } from '../../virtual-key/make-state.ts';
import { Memory } from '../../virtual-key/memory.ts';
import { PivApplet } from '../../virtual-key/piv-applet.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { hex } from '../apdu/hex.ts';
import { stateWith } from './piv-open.ts';

afterEach(() => vi.unstubAllGlobals());

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
});
