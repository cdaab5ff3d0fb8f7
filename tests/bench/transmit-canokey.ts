import { encodeTlv } from '../../src/apdu/tlv.ts';
import { openCanokeyChannel } from '../../src/device/webusb-canokey.ts';
import { samplePivState } from '../virtual-key/make-state.ts';
import { expectAnswer, exchanges, pluggedKey, usbDeviceOf } from './keys.ts';
import { compete, type Measure, type Row } from './measure.ts';

const timeoutMs = 5000;
const setup = (request: number): USBControlTransferParameters => ({
  requestType: 'vendor',
  recipient: 'interface',
  request,
  value: 0,
  index: 1,
});

/** The three control transfers that an exchange takes, the state asked for until it is ready. */
async function barely(device: USBDevice, command: BufferSource): Promise<Uint8Array> {
  await device.controlTransferOut(setup(0), command);
  while ((await device.controlTransferIn(setup(2), 1)).data?.getUint8(0) !== 0);
  const { data } = await device.controlTransferIn(setup(1), 1500);
  if (!data) throw new Error('no answer');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** What GET DATA reads: about as long as a certificate, and none. */
const certificate = encodeTlv(0x53, encodeTlv(0x70, new Uint8Array(700)), encodeTlv(0x71, new Uint8Array(1)));

async function run(): Promise<readonly Row[]> {
  const key = await pluggedKey(samplePivState({ attachment: 'canokey', objects: { '5fc105': certificate } }));
  const device = await usbDeviceOf(key);
  const channel = await openCanokeyChannel(device, key.usb);
  // As a driver does: one signal for all exchanges.
  const { signal } = new AbortController();
  const rows: Row[] = [];
  for (const { name, command } of exchanges.piv) {
    expectAnswer(await channel.transmit(command, { timeoutMs, signal }));
    const row = await compete({
      name,
      goal: 1.1,
      ours: async () => void expectAnswer(await channel.transmit(command, { timeoutMs, signal })),
      bare: async () => void expectAnswer(await barely(device, command)),
    });
    rows.push(row);
  }
  await channel.close();
  return rows;
}

export const transmitCanokey: Measure = {
  name: 'transmit-canokey',
  title: "transmit against bare control transfers, CanoKey's framing",
  run,
};
