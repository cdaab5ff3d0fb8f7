import { describe, expect, it } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import type { Card } from '../../virtual-key/card.ts';
import { CcidDevice, ccidDescriptor, type CcidFace } from '../../virtual-key/ccid-device.ts';
import { configurationDescriptor } from '../../virtual-key/device-models.ts';

const identity = {
  vendorId: 0x1209,
  productId: 1,
  manufacturerName: 'Test',
  productName: 'Reader',
  serialNumber: 'R1',
};

/** A card that answers with what it was sent and 9000, and keeps count. */
function echoCard(options: Partial<Card> = {}): Card & { readonly commands: string[] } {
  const commands: string[] = [];
  return {
    commands,
    apduLevel: 'extended',
    maxCommandBytes: 2000,
    answerToReset: hexToBytes('3b800181'),
    powerUp: () => undefined,
    powerDown: () => undefined,
    transmit: (command) => {
      commands.push(bytesToHex(command));
      return Promise.resolve(concatBytes(command, Uint8Array.of(0x90, 0)));
    },
    ...options,
  };
}

function reader(card: Card = echoCard(), face: CcidFace = {}) {
  const device = new CcidDevice(card, identity, face);
  let packets: Uint8Array[] = [];
  device.powerUp((endpointNumber, packet) => {
    if (endpointNumber === 1) packets.push(packet);
  });
  /** Sends messages and returns all packets that came, joined, as hex. */
  const send = async (...messages: string[]): Promise<string> => {
    packets = [];
    for (const message of messages) device.receive(1, hexToBytes(message.replaceAll(' ', '')));
    await device.idle();
    return bytesToHex(concatBytes(...packets));
  };
  return { device, send, packets: () => packets };
}

const powerOn = '62 00000000 00 00 00 0000';

describe('CcidDevice', () => {
  it('answers PowerOn with the card’s answer to reset', async () => {
    const { send } = reader();

    expect(await send('62 00000000 00 07 00 0000')).toBe(
      '80' + '04000000' + '00' + '07' + '00' + '00' + '00' + '3b800181',
    );
  });

  it('refuses a chosen voltage, naming the field', async () => {
    const { send } = reader();

    expect(await send('62 00000000 00 01 01 0000')).toBe('80000000000001410700');
  });

  it('tells whether the card is active', async () => {
    const { send } = reader();

    const before = await send('65 00000000 00 01 000000');
    await send(powerOn);
    const on = await send('65 00000000 00 02 000000');
    const off = await send('63 00000000 00 03 000000');

    expect([before, on, off]).toEqual(['81000000000001010000', '81000000000002000000', '81000000000003010000']);
  });

  it('carries an APDU and its answer', async () => {
    const { send } = reader();
    await send(powerOn);

    expect(await send('6f 05000000 00 2a 00 0000 8050000008')).toBe('8007000000002a00000080500000089000');
  });

  it('puts a message together from any pieces', async () => {
    const { send } = reader();
    await send(powerOn);

    expect(await send('6f 0500', '0000 00 2a 00 0000 80', '50000008')).toBe('8007000000002a00000080500000089000');
  });

  it.each([
    ['a transfer before PowerOn', '6f 05000000 00 01 00 0000 8050000008', '800000000000' + '01' + '41' + 'fe' + '00'],
    ['another slot', '65 00000000 01 01 000000', '810000000001' + '01' + '42' + '05' + '00'],
    ['an unknown message', '7e 00000000 00 01 000000', '810000000000' + '01' + '41' + '00' + '00'],
    ['Escape, which it has not', '6b 00000000 00 01 000000', '830000000000' + '01' + '41' + '00' + '00'],
    ['Secure, which it has not', '69 00000000 00 01 000000', '800000000000' + '01' + '41' + '00' + '00'],
    ['a message longer than its buffer', '6f 06010000 00 01 00 0000', '800000000000' + '01' + '41' + '01' + '00'],
    ['GetParameters without power', '6c 00000000 00 01 000000', '820000000000' + '01' + '41' + 'fe' + '00'],
  ])('refuses %s', async (_, message, answer) => {
    const { send } = reader();

    expect(await send(message)).toBe(answer);
  });

  it('gives the parameters of T=1', async () => {
    const { send } = reader();
    await send(powerOn);

    expect(await send('6c 00000000 00 01 000000')).toBe('82070000000001' + '000001' + '1110001500fe00');
  });

  it('takes a long command in chained blocks and gives a long answer in chained blocks', async () => {
    const card = echoCard();
    const { send } = reader(card);
    await send(powerOn);
    const [one, two, three] = ['11'.repeat(261), '22'.repeat(261), '33'.repeat(10)];

    const begun = await send(`6f 05010000 00 01 00 0100 ${one}`);
    const more = await send(`6f 05010000 00 02 00 0300 ${two}`);
    const first = await send(`6f 0a000000 00 03 00 0200 ${three}`);
    const second = await send('6f 00000000 00 04 00 1000');
    const third = await send('6f 00000000 00 05 00 1000');

    expect(begun).toBe('80000000000001000010');
    expect(more).toBe('80000000000002000010');
    expect(card.commands).toEqual([one + two + three]);
    expect(first).toBe(`80050100000003000001${one}`);
    expect(second).toBe(`80050100000004000003${two}`);
    expect(third).toBe(`800c0000000005000002${three}9000`);
  });

  it('refuses blocks out of their order', async () => {
    const { send } = reader();
    await send(powerOn);

    expect(await send('6f 01000000 00 01 00 0300 80')).toBe('80000000000001400800');
    await send('6f 01000000 00 01 00 0100 80');
    expect(await send('6f 01000000 00 02 00 0000 80')).toBe('80000000000002400800');
  });

  it('knows no chained blocks at the short level', async () => {
    const { send } = reader(echoCard({ apduLevel: 'short' }));
    await send(powerOn);

    expect(await send('6f 01000000 00 01 00 0100 80')).toBe('80000000000001400800');
  });

  it('asks for more time when a command is slow', async () => {
    const { send } = reader(
      echoCard({
        transmit: (_, onSlow) => {
          onSlow();
          return Promise.resolve(hexToBytes('9000'));
        },
      }),
    );
    await send(powerOn);

    expect(await send('6f 01000000 00 09 00 0000 80')).toBe('80000000000009800400' + '80020000000009000000' + '9000');
  });

  it('says busy to a second message while it works, and aborts on ABORT of both kinds', async () => {
    const { device, send } = reader();
    await send(powerOn);

    const both = await send('6f 01000000 00 01 00 0000 80', '65 00000000 00 02 000000');
    const alone = await send('72 00000000 00 03 000000');
    device.controlOut({ requestType: 'class', recipient: 'interface', request: 1, value: 0x0400, index: 0 });
    const meanwhile = await send('65 00000000 00 03 000000');
    const aborted = await send('72 00000000 00 04 000000');

    expect(both).toContain('8100000000000240e000');
    expect(alone).toBe('81000000000003400000');
    expect(meanwhile).toBe('8100000000000340ff00');
    expect(aborted).toBe('81000000000004000000');
  });

  it('ends a message that fills its packets with an empty packet', async () => {
    const { send, packets } = reader();
    await send(powerOn);

    await send(`6f 34000000 00 01 00 0000 ${'00'.repeat(52)}`);

    expect(packets().map((packet) => packet.length)).toEqual([64, 0]);
  });

  it('describes itself in 54 bytes inside the configuration descriptor', () => {
    const { device } = reader();

    const descriptor = bytesToHex(ccidDescriptor('short'));
    const configuration = bytesToHex(configurationDescriptor(device.interfaces));

    expect(descriptor).toHaveLength(108);
    expect(descriptor.slice(0, 8)).toBe('36211001');
    expect(descriptor.slice(80, 96)).toBe('fe0402000f010000');
    expect(bytesToHex(ccidDescriptor('extended')).slice(80, 88)).toBe('fe040400');
    expect(configuration.slice(0, 18)).toBe('0902' + '5d00' + '01' + '01' + '00' + '80' + '32');
    expect(configuration.slice(18, 36)).toBe('090400000' + '3' + 'ff000000');
    expect(configuration).toContain(
      bytesToHex(ccidDescriptor('extended')) + '07050102400000' + '07058102400000' + '07058203080010',
    );
  });
});

describe('a CCID face', () => {
  it('is of the class and number it is given', () => {
    const { interfaces } = new CcidDevice(echoCard(), identity, { interfaceClass: 0x0b, interfaceNumber: 2 });

    expect(interfaces).toMatchObject([{ interfaceClass: 0x0b, interfaceNumber: 2 }]);
  });

  it('is busy for what needs the card while the card answers somebody else', async () => {
    const card = echoCard();
    const { device, send } = reader(card, { isFree: () => false });

    expect(await send(powerOn)).toBe('80000000000000' + '41' + 'e0' + '00');
    expect(await send('65 00000000 00 01 000000')).toBe('81000000000001' + '01' + '00' + '00');
    await device.idle();

    expect(card.commands).toEqual([]);
  });
});
