import { describe, expect, it } from 'vitest';
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import { CanokeyDevice } from '../../virtual-key/canokey-device.ts';
import type { Card } from '../../virtual-key/card.ts';
import { configurationDescriptor } from '../../virtual-key/device-models.ts';
import { PowerCutError } from '../../virtual-key/faults.ts';

const identity = {
  vendorId: 0x20a0,
  productId: 0x42d4,
  manufacturerName: 'Test',
  productName: 'CanoKey',
  serialNumber: 'C1',
};
const command = { requestType: 'vendor', recipient: 'interface', request: 0, value: 0, index: 1 } as const;
const response = { ...command, request: 1 };
const state = { ...command, request: 2 };
const powerOn = '62 00000000 00 00 00 0000';
const transfer = '6f 04000000 00 01 00 0000 00cb3fff';

/** A card that answers with what it was sent and 9000, as soon as it is let; and keeps count of being switched on. */
function device() {
  let now = 0;
  let release = (): void => undefined;
  let gate: Promise<void> = Promise.resolve();
  let sessions = 0;
  const card: Card = {
    apduLevel: 'short',
    maxCommandBytes: 261,
    answerToReset: hexToBytes('3b800181'),
    powerUp: () => (sessions += 1),
    powerDown: () => (sessions += 1),
    transmit: async (bytes) => {
      const session = sessions;
      await gate;
      if (session !== sessions) throw new PowerCutError();
      return concatBytes(bytes, Uint8Array.of(0x90, 0));
    },
  };
  const model = new CanokeyDevice(card, identity, () => now);
  let packets: Uint8Array[] = [];
  model.powerUp((endpointNumber, packet) => {
    if (endpointNumber === 1) packets.push(packet);
  });
  return {
    model,
    sessions: () => sessions,
    later: (milliseconds: number) => (now += milliseconds),
    hold: () => {
      gate = new Promise((resolve) => (release = resolve));
    },
    release: () => release(),
    send: (hex = '00a40400') => model.controlOut(command, hexToBytes(hex)),
    state: () => bytesToHex(model.controlIn(state, 1) ?? new Uint8Array(0)),
    response: (length = 1500) => {
      const answer = model.controlIn(response, length);
      return answer && bytesToHex(answer);
    },
    reader: async (message: string) => {
      packets = [];
      model.receive(1, hexToBytes(message.replaceAll(' ', '')));
      await model.idle();
      return bytesToHex(concatBytes(...packets));
    },
  };
}

describe('CanokeyDevice', () => {
  it('shows a vendor-class interface 1 without endpoints beside a smart-card interface', () => {
    const { model } = device();

    expect(model.interfaces.map((face) => [face.interfaceNumber, face.interfaceClass, face.endpoints.length])).toEqual([
      [0, 0x0b, 3],
      [1, 0xff, 0],
    ]);
    const descriptor = configurationDescriptor(model.interfaces);
    expect(bytesToHex(descriptor.slice(-9))).toBe('090401' + '0000' + 'ffffff' + '00');
    expect(descriptor[4]).toBe(2);
  });

  it('is idle, processes a command, is ready, gives the response and holds the buffer', async () => {
    const { model, send, state, response, hold, release } = device();
    const states = [state()];

    hold();
    expect(send()).toBe(true);
    states.push(state());
    release();
    await model.idle();
    states.push(state());
    const answer = response();
    states.push(state());

    expect(states).toEqual(['ff', '01', '00', '04']);
    expect(answer).toBe('00a404009000');
  });

  it('takes the next command while it holds the buffer', async () => {
    const { model, send, response } = device();
    send();
    await model.idle();
    response();

    expect(send('00cb3fff')).toBe(true);
    await model.idle();

    expect(response()).toBe('00cb3fff9000');
  });

  it('lets the buffer go two seconds after the last request', async () => {
    const { model, send, state, response, later } = device();
    send();
    await model.idle();
    response();

    later(1500);
    const asked = state();
    later(2000);
    const askedAgain = state();
    later(2001);

    expect([asked, askedAgain, state()]).toEqual(['04', '04', 'ff']);
  });

  it('keeps a response as long as nobody has fetched it', async () => {
    const { model, send, state, response, later } = device();
    send();
    await model.idle();

    later(60_000);

    expect(state()).toBe('00');
    expect(response()).toBe('00a404009000');
  });

  it('stalls a command while one is processed, and while its response waits', async () => {
    const { model, send, hold, release } = device();
    hold();
    send();

    expect(send()).toBe(false);
    release();
    await model.idle();

    expect(send()).toBe(false);
  });

  it('stalls the response before there is one, and when it has been given', async () => {
    const { model, send, response, hold, release } = device();

    expect(response()).toBeUndefined();
    hold();
    send();
    expect(response()).toBeUndefined();
    release();
    await model.idle();
    response();

    expect(response()).toBeUndefined();
  });

  it('gives no more of a response than is asked for', async () => {
    const { model, send, response } = device();
    send();
    await model.idle();

    expect(response(2)).toBe('00a4');
  });

  it.each([
    ['nothing', 0, false],
    ['1340 bytes', 1340, true],
    ['1341 bytes', 1341, false],
  ])('takes %s as a command or stalls', (_, length, taken) => {
    const { model } = device();

    expect(model.controlOut(command, new Uint8Array(length))).toBe(taken);
  });

  it.each([
    ['another interface', { ...command, index: 2 }],
    ['the whole device', { ...command, recipient: 'device' } as const],
    ['another request', { ...command, request: 3 }],
    ['a class request', { ...command, requestType: 'class' } as const],
  ])('stalls requests to %s', (_, setup) => {
    const { model } = device();

    expect(model.controlOut(setup, Uint8Array.of(1))).toBe(false);
    expect(model.controlIn(setup, 8)).toBeUndefined();
  });

  it('answers a reader’s host too, but not while a page holds the buffer', async () => {
    const { model, send, response, reader, later } = device();

    expect(await reader(powerOn)).toMatch(/^80.*3b800181$/u);
    send();
    expect(await reader(transfer)).toBe('80000000000001' + '40' + 'e0' + '00');
    await model.idle();
    response();
    later(2001);

    expect(await reader(transfer)).toMatch(/00cb3fff9000$/u);
  });

  it('tells a reader’s host that the card is there even while a page holds the buffer', async () => {
    const { send, reader } = device();
    await reader(powerOn);
    send();

    expect(await reader('65 00000000 00 07 000000')).toBe('81' + '00000000' + '00' + '07' + '00' + '00' + '00');
  });

  it('stalls a page’s command while a reader’s is processed', async () => {
    const { model, send, reader, hold, release } = device();
    await reader(powerOn);
    hold();
    const exchange = reader(transfer);

    expect(send()).toBe(false);
    release();
    await exchange;
    await model.idle();

    expect(send()).toBe(true);
  });

  it('answers nothing when the power fails while it processes, and is idle afterwards', async () => {
    const { model, send, state, response, hold, release } = device();
    hold();
    send();

    model.powerDown();
    model.powerUp(() => undefined);
    release();
    await model.idle();

    expect(state()).toBe('ff');
    expect(response()).toBeUndefined();
  });

  it('gives the card a fresh session on a bus reset', () => {
    const { model, sessions, send, state } = device();
    send();
    const before = sessions();

    model.reset();

    expect(sessions()).toBeGreaterThan(before);
    expect(state()).toBe('ff');
  });
});
