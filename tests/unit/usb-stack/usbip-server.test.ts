import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import { configurationDescriptor, deviceDescriptor } from '../../virtual-key/device-models.ts';
import { sampleState } from '../../virtual-key/make-state.ts';
import { massStorageDevice } from '../../virtual-key/other-devices.ts';
import { KeyOnTheBus } from '../../usb-stack/key-on-the-bus.ts';
import { UsbIpServer } from '../../usb-stack/usbip-server.ts';

const afterwards: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of afterwards.splice(0).reverse()) await close();
});

/** A host in a few lines of its own, written from the protocol's description. */
class Host {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #more: () => void = () => undefined;
  ended = false;

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#more();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.ended = true;
      this.#more();
    });
    afterwards.push(() => Promise.resolve(this.#socket.destroy()));
  }

  send(hex: string): void {
    this.#socket.write(hexToBytes(hex.replace(/\s/gu, '')));
  }

  async take(length: number): Promise<Buffer> {
    while (this.#received.length < length && !this.ended) await new Promise<void>((resolve) => (this.#more = resolve));
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async gone(): Promise<void> {
    if (!this.ended) await once(this.#socket, 'close');
  }

  async import(busId = '1-1'): Promise<number> {
    this.send(`0111 8003 00000000 ${Buffer.from(busId.padEnd(32, '\0')).toString('hex')}`);
    const status = (await this.take(8)).readUInt32BE(4);
    if (status === 0) await this.take(312);
    return status;
  }

  submit(
    sequence: number,
    direction: 0 | 1,
    endpoint: number,
    length: number,
    setup = '00'.repeat(8),
    data = '',
  ): void {
    const words = [1, sequence, 0x0001_0002, direction, endpoint, 0, length, 0, 0xffff_ffff, 0];
    this.send(words.map((word) => word.toString(16).padStart(8, '0')).join('') + setup + data);
  }

  unlink(sequence: number, target: number): void {
    const words = [2, sequence, 0x0001_0002, 0, 0, target, 0, 0, 0, 0, 0, 0];
    this.send(words.map((word) => word.toString(16).padStart(8, '0')).join(''));
  }

  async reply(): Promise<{ command: number; sequence: number; status: number; length: number }> {
    const header = await this.take(48);
    return {
      command: header.readUInt32BE(0),
      sequence: header.readUInt32BE(4),
      status: header.readInt32BE(20),
      length: header.readUInt32BE(24),
    };
  }
}

async function exported(key: KeyOnTheBus): Promise<Host> {
  const port = await key.plug(0);
  afterwards.push(() => key.unplug());
  return new Host(port);
}

const ccid = (): KeyOnTheBus => new KeyOnTheBus(sampleState());
const hid = (): KeyOnTheBus => new KeyOnTheBus(sampleState({ attachment: 'longmai-hid' }));

describe('before a device is imported', () => {
  test('the list names bus id, identifiers and the interfaces’ classes', async () => {
    const server = await UsbIpServer.listen(massStorageDevice(), 0);
    afterwards.push(() => server.close());
    const host = new Host(server.port);
    host.send('0111 8005 00000000');
    const reply = await host.take(12 + 312 + 4);
    expect(reply.subarray(0, 12).toString('hex')).toBe('011100050000000000000001');
    expect(reply.subarray(12 + 256, 12 + 260).toString()).toBe('1-1\0');
    expect(reply.readUInt16BE(12 + 300)).toBe(0x14d6);
    expect(reply.readUInt16BE(12 + 302)).toBe(0xa002);
    expect(reply.subarray(12 + 312).toString('hex')).toBe('08065000');
  });

  test('another bus id is refused', async () => {
    const host = await exported(ccid());
    expect(await host.import('9-9')).toBe(4);
  });

  test('a second host is told that the device is taken, and gets it when the first lets go', async () => {
    const key = ccid();
    const port = await key.plug(0);
    afterwards.push(() => key.unplug());
    const first = new Host(port);
    expect(await first.import()).toBe(0);
    expect(await new Host(port).import()).toBe(2);
    await key.unplug();
    await first.gone();
    await key.plug(port);
    expect(await new Host(port).import()).toBe(0);
  });

  test('somebody who speaks another language is hung up on', async () => {
    const host = await exported(ccid());
    host.send('474554202f20485454502f312e310d0a');
    await host.gone();
    expect(host.ended).toBe(true);
  });
});

describe('an imported CCID key', () => {
  test('gives the descriptors that the fakes show, cut to what is asked for', async () => {
    const key = ccid();
    const host = await exported(key);
    await host.import();
    host.submit(1, 1, 0, 18, '8006000100001200');
    expect(await host.reply()).toEqual({ command: 3, sequence: 1, status: 0, length: 18 });
    expect(bytesToHex(await host.take(18))).toBe(bytesToHex(deviceDescriptor(key.model.identity)));
    host.submit(2, 1, 0, 9, '8006000200000900');
    expect((await host.reply()).length).toBe(9);
    const configuration = configurationDescriptor(key.model.interfaces);
    expect(bytesToHex(await host.take(9))).toBe(bytesToHex(configuration.slice(0, 9)));
    host.submit(3, 1, 0, 255, '800603030904ff00');
    const { length } = await host.reply();
    const serial = await host.take(length);
    expect(serial.subarray(2).toString('utf16le')).toBe('VK0000000001');
  });

  test('answers a bulk message by a bulk message that ends in a short packet', async () => {
    const host = await exported(ccid());
    await host.import();
    host.submit(1, 0, 1, 10, undefined, '65000000000007000000'); // PC_to_RDR_GetSlotStatus, bSeq 7
    host.submit(2, 1, 1, 64);
    const replies = [await host.reply(), await host.reply()];
    expect(replies.map(({ sequence, status, length }) => [sequence, status, length])).toEqual([
      [1, 0, 10],
      [2, 0, 10],
    ]);
    expect((await host.take(10)).toString('hex')).toBe('81000000000007010000');
  });

  test('gives up a transfer that waits, and says so once', async () => {
    const host = await exported(ccid());
    await host.import();
    host.submit(1, 1, 1, 64);
    host.unlink(2, 1);
    expect(await host.reply()).toEqual({ command: 4, sequence: 2, status: -104, length: 0 });
    host.unlink(3, 1);
    expect(await host.reply()).toEqual({ command: 4, sequence: 3, status: 0, length: 0 });
    // What comes afterwards goes to the next transfer, not to the one that was given up.
    host.submit(4, 0, 1, 10, undefined, '65000000000008000000');
    host.submit(5, 1, 1, 64);
    expect((await host.reply()).sequence).toBe(4);
    expect(await host.reply()).toEqual({ command: 3, sequence: 5, status: 0, length: 10 });
  });

  test('an endpoint that stalls stays halted until it is cleared', async () => {
    const host = await exported(ccid());
    await host.import();
    host.submit(1, 0, 5, 1, undefined, '00');
    expect((await host.reply()).status).toBe(-32);
    host.submit(2, 0, 0, 0, '0203000001000000'); // SET_FEATURE(ENDPOINT_HALT)
    expect((await host.reply()).status).toBe(0);
    host.submit(3, 0, 1, 10, undefined, '65000000000007000000');
    expect((await host.reply()).status).toBe(-32);
    host.submit(4, 0, 0, 0, '0201000001000000'); // CLEAR_FEATURE(ENDPOINT_HALT)
    expect((await host.reply()).status).toBe(0);
    host.submit(5, 0, 1, 10, undefined, '65000000000007000000');
    expect((await host.reply()).status).toBe(0);
  });

  test('pulled out at a transfer, it falls silent; replugged, it holds what it held', async () => {
    const key = ccid();
    const port = await key.plug(0);
    const host = new Host(port);
    await host.import();
    const before = key.state();
    key.faults.arm({ place: 'transfer', n: 1, kind: 'before' });
    host.submit(1, 0, 1, 10, undefined, '65000000000007000000');
    await host.gone();
    expect(key.plugged).toBe(false);
    expect(await key.plug(port)).toBe(port);
    afterwards.push(() => key.unplug());
    expect(key.state()).toEqual(before);
    expect(await new Host(port).import()).toBe(0);
  });

  for (const [what, words] of [
    ['a transfer beyond all reason', [1, 1, 0, 0, 1, 0, 0x7fff_ffff, 0, 0, 0, 0, 0]],
    ['an isochronous transfer', [1, 1, 0, 1, 1, 0, 64, 0, 8, 0, 0, 0]],
    ['an unknown command', [9, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ] as const)
    test(`${what} ends the connection`, async () => {
      const host = await exported(ccid());
      await host.import();
      host.send(words.map((word) => word.toString(16).padStart(8, '0')).join(''));
      await host.gone();
      expect(host.ended).toBe(true);
    });
});

describe('an imported HID key', () => {
  test('shows a vendor page with 64 bytes each way', async () => {
    const host = await exported(hid());
    await host.import();
    host.submit(1, 1, 0, 255, '810600220000ff00');
    const { length } = await host.reply();
    // HID 1.11 §6.2.2, by hand: vendor page FF00, usage 1, application; bytes 0..255, 8 bits, 64 of them, in and out.
    const report = '150026ff0075089540';
    expect((await host.take(length)).toString('hex')).toBe(`0600ff0a0100a1010a0100${report}81020a0200${report}9102c0`);
  });

  test('takes an output report from either door, and answers on the interrupt endpoint', async () => {
    const host = await exported(hid());
    await host.import();
    // 80 04: GetDevInfo, behind the header with counter 5 and the body's tag and length.
    const message = hexToBytes(`fe01${'00'.repeat(14)}0a00000512000780040000000120`);
    const report = bytesToHex(concatBytes(Uint8Array.of(0xc0 | message.length), message)).padEnd(128, '0');
    host.submit(1, 0, 1, 64, undefined, report);
    expect((await host.reply()).length).toBe(64);
    host.submit(2, 1, 1, 64);
    expect(await host.reply()).toMatchObject({ sequence: 2, status: 0, length: 64 });
    expect((await host.take(64)).subarray(1, 3).toString('hex')).toBe('aaaa');
    host.submit(3, 0, 0, 64, '2109000200004000', report); // SET_REPORT(Output)
    expect((await host.reply()).status).toBe(0);
  });
});
