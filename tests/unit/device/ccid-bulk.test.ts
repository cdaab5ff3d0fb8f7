import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CcidBulk } from '../../../src/device/ccid-bulk.ts';
import { Turns } from '../../../src/device/turns.ts';
import type { PacketSink, UsbDeviceModel } from '../../virtual-key/device-models.ts';
import { FakeUsb } from '../../virtual-key/fake-usb.ts';

/*
 * The reads are what matters here, so the device stands behind a host controller that fills transfers as one does: only a
 * short packet ends one before it is full.
 */

const packetBytes = 64;
const maxMessageBytes = 271;

/** Answers every message with one of the length that its first data byte asks for, divided by four. */
class Reader implements UsbDeviceModel {
  readonly identity = {
    vendorId: 0x1209,
    productId: 1,
    manufacturerName: 'Bench',
    productName: 'Reader',
    serialNumber: null,
  };
  readonly interfaces = [
    {
      interfaceNumber: 0,
      interfaceClass: 0xff,
      interfaceSubclass: 0,
      interfaceProtocol: 0,
      endpoints: [
        { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: packetBytes },
        { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: packetBytes },
      ] as const,
    },
  ];
  /** Whether an empty packet follows a message that fills its last one. */
  endsWithEmpty: boolean;
  #send: PacketSink = () => undefined;

  constructor(endsWithEmpty: boolean) {
    this.endsWithEmpty = endsWithEmpty;
  }

  powerUp(send: PacketSink): void {
    this.#send = send;
  }
  powerDown(): void {
    this.#send = () => undefined;
  }
  reset(): void {}
  receive(_: number, data: Uint8Array): boolean {
    const message = new Uint8Array((data[10] ?? 0) * 4);
    new DataView(message.buffer).setUint32(1, message.length - 10, true);
    message[0] = 0x80;
    for (let offset = 0; offset < message.length; offset += packetBytes) {
      this.#send(1, message.slice(offset, offset + packetBytes));
    }
    if (this.endsWithEmpty && message.length % packetBytes === 0) this.#send(1, new Uint8Array(0));
    return true;
  }
  controlIn(): undefined {
    return undefined;
  }
  controlOut(): boolean {
    return false;
  }
  idle(): Promise<void> {
    return Promise.resolve();
  }
}

async function bulkOn(reader: Reader) {
  const usb = new FakeUsb();
  usb.grant(reader);
  await usb.plug(reader);
  const [device] = await usb.getDevices();
  if (!device) throw new Error('no device');
  await device.open();
  await device.claimInterface(0);
  const reads = vi.spyOn(device, 'transferIn');
  const endpoints = { in: 1, out: 1, inPacketBytes: packetBytes, outPacketBytes: packetBytes };
  const bulk = new CcidBulk(device as unknown as USBDevice, endpoints, { maxMessageBytes, zeroLengthPacket: false });
  const turns = new Turns(new AbortController().signal);
  /** Asks for a message of this length and tells in what reads it came. */
  const ask = async (length: number) => {
    const before = reads.mock.calls.length;
    const message = new Uint8Array(11);
    message[10] = length / 4;
    const { length: received } = await turns.take({ timeoutMs: 1000 }, (turn) => bulk.exchange(message, turn));
    expect(received).toBe(length);
    return reads.mock.calls.slice(before).map(([, size]) => size);
  };
  return { ask };
}

beforeEach(() => vi.useRealTimers());

describe('a message is read', () => {
  it.each([true, false])('packet by packet while nothing is known of how the reader ends one (%s)', async (ends) => {
    const { ask } = await bulkOn(new Reader(ends));

    expect(await ask(20)).toEqual([64]);
    expect(await ask(140)).toEqual([64, 128]);
    expect(await ask(268)).toEqual([64, 256]);
  });

  it('in one go once the reader has ended a full one with an empty packet', async () => {
    const { ask } = await bulkOn(new Reader(true));
    await ask(64);

    // The empty packet of the message before comes first.
    expect(await ask(140)).toEqual([64, 320]);

    expect(await ask(140)).toEqual([320]);
    expect(await ask(128)).toEqual([320]);
    expect(await ask(20)).toEqual([320]);
  });

  it('packet by packet for ever from a reader that sends no empty packets', async () => {
    const { ask } = await bulkOn(new Reader(false));

    for (const length of [64, 140, 128, 20, 256, 140]) {
      expect(await ask(length)).toEqual(length <= 64 ? [64] : [64, Math.ceil((length - 64) / 64) * 64]);
    }
  });

  it('packet by packet again after a reader has broken its habit', async () => {
    vi.useFakeTimers();
    const reader = new Reader(true);
    const { ask } = await bulkOn(reader);
    await ask(64);
    await ask(20);
    reader.endsWithEmpty = false;
    const hanging = expect(ask(128)).rejects.toMatchObject({ code: 'timeout' });
    await vi.advanceTimersByTimeAsync(1000);
    await hanging;

    // What hung comes together with the next message, and belongs to nobody.
    await expect(ask(20)).rejects.toMatchObject({ code: 'malformed' });

    expect(await ask(140)).toEqual([64, 128]);
    expect(await ask(128)).toEqual([64, 64]);
    expect(await ask(20)).toEqual([64]);
  });
});
