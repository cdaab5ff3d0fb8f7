import type { ApduChannel } from '../../src/apdu/channel.ts';
import { xfrBlock } from '../../src/device/ccid.ts';
import { openCcidChannel } from '../../src/device/webusb-ccid.ts';
import { sampleState } from '../virtual-key/make-state.ts';
import { expectAnswer, exchanges, pluggedKey, usbDeviceOf } from './keys.ts';
import { compete, type Measure, type Row } from './measure.ts';

const packetBytes = 64;
const headerBytes = 10;
const timeoutMs = 5000;

/** One transferOut of the message that carries the command, one transferIn that just holds its answer. */
async function barely(device: USBDevice, command: Uint8Array, answerBytes: number): Promise<Uint8Array> {
  // Room for the empty packet, too, where the answer fills its last one.
  const room = Math.ceil((headerBytes + answerBytes + 1) / packetBytes) * packetBytes;
  await device.transferOut(1, xfrBlock(0, 0, command, 0));
  const { data } = await device.transferIn(1, room);
  if (!data) throw new Error('no answer');
  return new Uint8Array(data.buffer, data.byteOffset + headerBytes, data.byteLength - headerBytes);
}

async function run(): Promise<readonly Row[]> {
  const key = await pluggedKey(sampleState({ attachment: 'ccid-extended' }));
  const device = await usbDeviceOf(key);
  const channel: ApduChannel = await openCcidChannel(device, key.usb);
  // As a driver does: one signal for all exchanges.
  const { signal } = new AbortController();
  const rows: Row[] = [];
  for (const { name, command } of exchanges.gmt0017) {
    const { length } = expectAnswer(await channel.transmit(command, { timeoutMs, signal }));
    const row = await compete({
      name,
      goal: 1.1,
      ours: async () => void expectAnswer(await channel.transmit(command, { timeoutMs, signal })),
      bare: async () => void expectAnswer(await barely(device, command, length)),
    });
    rows.push(row);
  }
  await channel.close();
  return rows;
}

export const transmitCcid: Measure = {
  name: 'transmit-ccid',
  title: 'transmit against transferOut + transferIn, CCID on vendor-class bulk endpoints',
  run,
};
