import { buildRequest, segmentMessage } from '../../src/device/longmai-report.ts';
import { openLongmaiChannel } from '../../src/device/webhid-longmai.ts';
import { sampleState } from '../virtual-key/make-state.ts';
import { expectAnswer, exchanges, pluggedKey } from './keys.ts';
import { compete, type Measure, type Row } from './measure.ts';

const timeoutMs = 5000;
const lastFlag = 0x40;
const headerBytes = 20;

/** Sends the reports of one message and waits for the last report of the answer. Nothing is joined or checked. */
function barelyOn(device: HIDDevice): (command: Uint8Array) => Promise<Uint8Array> {
  let take: ((last: Uint8Array) => void) | undefined;
  device.addEventListener('inputreport', ({ data }) => {
    if (data.getUint8(0) & lastFlag) take?.(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  });
  return async (command) => {
    const answer = new Promise<Uint8Array>((resolve) => (take = resolve));
    for (const report of segmentMessage(buildRequest(command, 0))) await device.sendReport(0, report);
    const last = await answer;
    return last.slice(1, 1 + ((last[0] ?? 0) & 0x3f));
  };
}

async function run(): Promise<readonly Row[]> {
  const key = await pluggedKey(sampleState({ attachment: 'longmai-hid' }));
  const [fake] = await key.hid.getDevices();
  if (!fake) throw new Error('the virtual key is not on WebHID');
  const device = fake as unknown as HIDDevice;
  const channel = await openLongmaiChannel(device, key.hid);
  const barely = barelyOn(device);
  // As a driver does: one signal for all exchanges.
  const { signal } = new AbortController();
  const rows: Row[] = [];
  for (const { name, command } of exchanges.gmt0017) {
    const { length } = expectAnswer(await channel.transmit(command, { timeoutMs, signal }));
    // An answer of one report has its header in front.
    const skipped = length + headerBytes <= 63 ? headerBytes : 0;
    const row = await compete({
      name,
      ours: async () => void expectAnswer(await channel.transmit(command, { timeoutMs, signal })),
      bare: async () => void expectAnswer((await barely(command)).subarray(skipped)),
    });
    rows.push(row);
  }
  await channel.close();
  return rows;
}

export const transmitLongmai: Measure = {
  name: 'transmit-longmai',
  title: "transmit against bare reports, Longmai's HID framing",
  run,
};
