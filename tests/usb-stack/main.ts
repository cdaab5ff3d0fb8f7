import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { caDirectory, portNumber } from '../demo/options.ts';
import { openReferenceCa } from '../reference-ca/reference-ca.ts';
import { samplePassword } from '../reference-ca/personalise.ts';
import { realLatency } from '../virtual-key/latency.ts';
import { readKeyState } from '../virtual-key/state-schema.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { aboutPcscd, readWanted, udevRule, type Wanted } from './desktop.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';
import { busId, defaultUsbIpPort } from './usbip-server.ts';

/*
 * The virtual key for a person's own browser: a Linux desktop attaches it over USB/IP and sees it as if it were plugged in.
 *   npm run virtual-key -- [--attachment longmai-hid|ccid-extended|ccid-short|ccid-0b|canokey]
 *     [--command-set gmt0017|piv] [--algorithm p256|rsa2048|sm2] [--scenario …] [--port 3240] [--site http://localhost:4173]
 */

/** A key from the site that runs: its authority enters it in its ledger at once. Undefined when none runs. */
async function fromRunningSite(
  site: string,
  { scenario, attachment, commandSet, algorithm }: Wanted,
): Promise<KeyState | undefined> {
  const parameters = new URLSearchParams({ scenario, attachment, 'command-set': commandSet, algorithm });
  const response = await fetch(new URL(`/demo/keys?${parameters.toString()}`, site)).catch(() => undefined);
  return response?.ok ? readKeyState(await response.json()) : undefined;
}

/** A key from the authority's data, for a site that is started afterwards. */
async function fromDirectory({ scenario, attachment, ...kind }: Wanted): Promise<KeyState> {
  const ca = await openReferenceCa({ directory: caDirectory });
  try {
    return await ca.personalise(scenario, attachment, kind);
  } finally {
    await ca.close();
  }
}

const { values } = parseArgs({
  options: {
    attachment: { type: 'string' },
    'command-set': { type: 'string' },
    algorithm: { type: 'string' },
    scenario: { type: 'string' },
    port: { type: 'string', default: String(defaultUsbIpPort) },
    site: { type: 'string', default: 'http://localhost:4173' },
  },
});
const wanted = readWanted(values);
const wantedPort = portNumber(values.port);

const running = await fromRunningSite(values.site, wanted);
const state = running ?? (await fromDirectory(wanted));
const key = new KeyOnTheBus(state, {
  latency: realLatency,
  onImport: (imported) => console.log(imported ? '已接入一台电脑。 Attached.' : '已断开。 Detached.'),
});
const port = await key.plug(wantedPort);

const { identity } = key.model;
const hex = (id: number): string => id.toString(16).padStart(4, '0');
const kind = state.piv ? `PIV ${state.piv.slots[0]?.algorithm ?? ''}` : 'GM/T 0017';
const managementKey = state.piv?.managementKey;
const managementKeyLine =
  managementKey && !managementKey.pinProtected ? `管理密钥 Management key: ${managementKey.key}\n` : '';
const tcpPort = port === defaultUsbIpPort ? '' : `--tcp-port ${port} `;
console.log(`
虚拟 USBKEY（${identity.productName}，${hex(identity.vendorId)}:${hex(identity.productId)}，${kind}，${wanted.scenario}），密码 ${samplePassword}。
${managementKeyLine}A virtual USBKEY over USB/IP on 127.0.0.1:${port}. On a Linux desktop, once:

  sudo apt-get install usbip                # "linux-tools-generic" on Ubuntu
  echo '${udevRule(identity, wanted.attachment)}' | sudo tee /etc/udev/rules.d/70-virtual-key.rules
  sudo udevadm control --reload

then, to plug it in:

  ${aboutPcscd(wanted.attachment).join('\n  ')}
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
