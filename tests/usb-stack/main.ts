import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { caDirectory, portNumber } from '../demo/options.ts';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { samplePassword } from '../reference-ca/personalise.ts';
import { realLatency } from '../virtual-key/latency.ts';
import { readKeyState } from '../virtual-key/state-schema.ts';
import { type Attachment, attachments, type KeyState, type Scenario, scenarios } from '../virtual-key/state.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';
import { busId, defaultUsbIpPort } from './usbip-server.ts';

/*
 * The virtual key for a person's own browser: a Linux desktop attaches it over USB/IP and sees it as if it were plugged in.
 *   npm run virtual-key -- [--attachment …] [--scenario …] [--port 3240] [--site http://localhost:4173]
 */

function oneOf<Value extends string>(name: string, values: readonly Value[], text: string): Value {
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw new RangeError(`--${name} must be one of: ${values.join(', ')}`);
  return value;
}

/** A key from the site that runs: its authority enters it in its ledger at once. Undefined when none runs. */
async function fromRunningSite(
  site: string,
  scenario: Scenario,
  attachment: Attachment,
): Promise<KeyState | undefined> {
  const address = new URL(`/demo/keys?scenario=${scenario}&attachment=${attachment}`, site);
  const response = await fetch(address).catch(() => undefined);
  return response?.ok ? readKeyState(await response.json()) : undefined;
}

/** A key from the authority's data, for a site that is started afterwards. */
async function fromDirectory(scenario: Scenario, attachment: Attachment): Promise<KeyState> {
  const ca = await openReferenceCa({ directory: caDirectory });
  try {
    return await ca.personalise(scenario, attachment);
  } finally {
    await ca.close();
  }
}

const { values } = parseArgs({
  options: {
    attachment: { type: 'string', default: 'longmai-hid' },
    scenario: { type: 'string', default: 'due-30-days' },
    port: { type: 'string', default: String(defaultUsbIpPort) },
    site: { type: 'string', default: 'http://localhost:4173' },
  },
});
const attachment = oneOf('attachment', attachments, values.attachment);
const scenario = oneOf('scenario', scenarios, values.scenario);
const port = portNumber(values.port);

const running = await fromRunningSite(values.site, scenario, attachment);
const state = running ?? (await fromDirectory(scenario, attachment));
const key = new KeyOnTheBus(state, {
  latency: realLatency,
  onImport: (imported) => console.log(imported ? '已接入一台电脑。 Attached.' : '已断开。 Detached.'),
});
await key.plug(port);

const { vendorId, productId, productName } = key.model.identity;
const hex = (id: number): string => id.toString(16).padStart(4, '0');
const subsystem =
  attachment === 'longmai-hid' ? 'KERNEL=="hidraw*", ATTRS' : 'SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", ATTR';
const rule = `${subsystem}{idVendor}=="${hex(vendorId)}", TAG+="uaccess"`;
const tcpPort = port === defaultUsbIpPort ? '' : `--tcp-port ${port} `;
console.log(`
虚拟 USBKEY（${productName}，${hex(vendorId)}:${hex(productId)}，${scenario}），密码 ${samplePassword}。
A virtual USBKEY over USB/IP on 127.0.0.1:${port}. On a Linux desktop, once:

  sudo apt-get install usbip                # "linux-tools-generic" on Ubuntu
  echo '${rule}' | sudo tee /etc/udev/rules.d/70-virtual-key.rules
  sudo udevadm control --reload

then, to plug it in:

  sudo systemctl stop pcscd.socket pcscd    # only if it runs: it takes keys for itself
  sudo modprobe vhci-hcd
  sudo usbip ${tcpPort}attach -r 127.0.0.1 -b ${busId}

and open the production build in Chrome; the demo has a virtual USBKEY of its own and does not look for others:

  npm run build && npm start -- --production-port 4174        # http://localhost:4174
${running ? '' : `\nNo site answers at ${values.site}: start it now, so that its authority knows this key.\n`}
回车：拔下，再回车：插上（内容不变）。Ctrl-C 结束。 Enter pulls it out and plugs it in again; attach anew afterwards.`);

const lines = createInterface({ input: process.stdin });
const stop = (): void => {
  lines.close();
  void key.unplug();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
lines.on('line', () => {
  void (key.plugged ? key.unplug() : key.plug(port)).then(() =>
    console.log(key.plugged ? '插上了。 Plugged in.' : '拔下了。 Pulled out.'),
  );
});
