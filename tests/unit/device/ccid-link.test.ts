import { describe, expect, it } from 'vitest';
import { openCcidChannel } from '../../../src/device/webusb-ccid.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { FakeUsb, ScriptedUsbDevice } from './fakes.ts';
import { T1Card } from './t1-card.ts';

const silence = { timeoutMs: 1000 };
const tpduLevel = 0x0001_0000;
const select = hex('00a4040005a000000308');

interface Reader {
  readonly features: number;
  readonly answerToReset: string;
  /** What the chip answers to a TPDU or a block; a number is the bError of a refusal. */
  readonly chip?: (block: Uint8Array) => Uint8Array | number;
  /** bProtocolNum that GetParameters tells; a refusal if absent. */
  readonly chosen?: number;
}

/** A reader that leaves the host to form TPDUs. */
function readerOf({ features, answerToReset, chip = () => hex('9000'), chosen }: Reader): ScriptedUsbDevice {
  return new ScriptedUsbDevice({
    features,
    onMessage: (message) => {
      const reply = (type: number, body: Uint8Array | number, specific = 0) => {
        const failed = typeof body === 'number';
        const data = failed ? hex('') : body;
        const status = failed ? [0x40, body, 0] : [0, 0, specific];
        return [Uint8Array.of(type, data.length, 0, 0, 0, 0, message[6] ?? 0, ...status, ...data)];
      };
      switch (message[0]) {
        case 0x62:
          return reply(0x80, hex(answerToReset));
        case 0x6f:
          return reply(0x80, chip(message.subarray(10)));
        case 0x61:
          return reply(0x82, message.subarray(10), message[7]);
        case 0x6c:
          return chosen === undefined ? reply(0x82, 0) : reply(0x82, hex('11100045002000'), chosen);
        default:
          return reply(0x81, hex(''));
      }
    },
  });
}
const open = (device: ScriptedUsbDevice) => openCcidChannel(device.device, new FakeUsb());
/** Messages of a type, without their header. */
const sent = (device: ScriptedUsbDevice, type: string) =>
  device.written.filter((message) => message.startsWith(type)).map((message) => message.slice(20));

describe('a reader of TPDUs', () => {
  it('with a chip that speaks T=1 carries blocks', async () => {
    const card = new T1Card({ ifsc: 32, respond: () => hex('6f009000') });
    const chip = (block: Uint8Array) => card.transfer(block) ?? 0xfe;
    const device = readerOf({ features: tpduLevel, answerToReset: '3b800181', chip });
    const channel = await open(device);

    const response = await channel.transmit(select, silence);

    expect(channel).toMatchObject({ apduLevel: 'short', maxCommandBytes: 261 });
    expect(toHex(response)).toBe('6f009000');
    expect(sent(device, '61')).toEqual(['1110004d002000']);
    expect(sent(device, '6f')).toEqual(['00000a00a4040005a00000030804']);
    expect(card.executed).toEqual([select]);
  });

  it('takes extended-length APDUs where the chip says that it does', async () => {
    const card = new T1Card({ ifsc: 254, respond: (command) => Uint8Array.of(command.length & 0xff, 0x90, 0x00) });
    const chip = (block: Uint8Array) => card.transfer(block) ?? 0xfe;
    // A YubiKey's.
    const answerToReset = '3bfd1300008131fe158073c021c057597562694b657940';
    const channel = await open(readerOf({ features: tpduLevel, answerToReset, chip }));

    const response = await channel.transmit(new Uint8Array(1000).fill(1), silence);

    expect(channel).toMatchObject({ apduLevel: 'extended', maxCommandBytes: 65_544 });
    expect(toHex(response)).toBe('e89000');
    expect(card.executed[0]).toHaveLength(1000);
  });

  it('that says FE or FD of a powered chip has lost a block, which T=1 repeats', async () => {
    const card = new T1Card({ ifsc: 32, respond: () => hex('9000') });
    const refusals = [0xfe, 0xfd];
    const chip = (block: Uint8Array) => refusals.shift() ?? card.transfer(block) ?? 0xfe;
    const channel = await open(readerOf({ features: tpduLevel, answerToReset: '3b800181', chip }));

    expect(toHex(await channel.transmit(select, silence))).toBe('9000');
    expect(card.executed).toHaveLength(1);
  });

  it('resets a chip that does not even resynchronise, before the next exchange', async () => {
    let dead = true;
    const card = new T1Card({ ifsc: 32, respond: () => hex('9000') });
    const chip = (block: Uint8Array) => (dead ? 0xfe : (card.transfer(block) ?? 0xfe));
    const device = readerOf({ features: tpduLevel, answerToReset: '3b800181', chip });
    const channel = await open(device);
    await expect(channel.transmit(select, silence)).rejects.toMatchObject({ name: 'TransportError', code: 'failed' });
    dead = false;

    expect(toHex(await channel.transmit(select, silence))).toBe('9000');
    expect(sent(device, '62')).toHaveLength(2);
  });

  it('with a chip that speaks T=0 carries TPDUs', async () => {
    const chip = (tpdu: Uint8Array) => (tpdu[1] === 0xc0 ? hex('6f009000') : hex('9000'));
    const device = readerOf({ features: tpduLevel, answerToReset: '3b00', chip });
    const channel = await open(device);

    const response = await channel.transmit(hex('00a4040005a00000030800'), silence);

    expect(toHex(response)).toBe('6f009000');
    expect(sent(device, '61')).toEqual(['1100000a00']);
    expect(sent(device, '6f')).toEqual(['00a4040005a000000308', '00c0000000']);
  });

  it.each([
    ['tells which of two protocols it has chosen', 1, '3b80800101', '0000040000000004'],
    ['does not tell, so that the first counts', undefined, '3b80800101', '0000000000'],
  ])('that sets the parameters by itself %s', async (_, chosen, answerToReset, first) => {
    const card = new T1Card({ ifsc: 32, respond: () => hex('9000') });
    const chip = (block: Uint8Array) => (chosen === 1 ? (card.transfer(block) ?? 0xfe) : hex('9000'));
    const device = readerOf({
      ...{ features: tpduLevel | 0x02, answerToReset, chip },
      ...(chosen === undefined ? {} : { chosen }),
    });
    const channel = await open(device);

    expect(toHex(await channel.transmit(hex('00000000'), silence))).toBe('9000');
    expect(sent(device, '61')).toEqual([]);
    expect(sent(device, '6f')[0]).toBe(first);
  });

  it.each([
    ['a protocol that is neither T=0 nor T=1', '3b800e8e'],
    ['a CRC', '3b8081410141'],
  ])('with a chip that speaks %s cannot be used', async (_, answerToReset) => {
    const device = readerOf({ features: tpduLevel, answerToReset });

    await expect(open(device)).rejects.toMatchObject({ name: 'TransportError', code: 'failed' });

    expect(device.opened).toBe(false);
  });

  it('with an answer to reset that is none ends in a typed error', async () => {
    const device = readerOf({ features: tpduLevel, answerToReset: '3b80' });

    await expect(open(device)).rejects.toMatchObject({ name: 'TransportError', code: 'malformed' });
  });
});
