import { createHash } from 'node:crypto';
import { sm4 } from 'sm-crypto-v2';
import { bytesToHex, concatBytes, hexToBytes } from '../../virtual-key/bytes.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { type AppletOptions, Gmt0017Applet } from '../../virtual-key/gmt0017-applet.ts';
import { sampleState } from '../../virtual-key/make-state.ts';
import { Memory } from '../../virtual-key/memory.ts';
import type { KeyState } from '../../virtual-key/state.ts';

/** An applet with power, on a memory whose last persisted state can be read. */
export function poweredApplet(
  state: KeyState = sampleState(),
  options: AppletOptions = {},
): { applet: Gmt0017Applet; persisted: () => KeyState; faults: FaultPlan } {
  let saved = structuredClone(state);
  const faults = new FaultPlan();
  const memory = new Memory(state, (now) => (saved = structuredClone(now)), faults);
  const applet = new Gmt0017Applet(memory, options);
  faults.cut = () => applet.powerDown();
  applet.powerUp();
  return { applet, persisted: () => saved, faults };
}

/** Sends hex (spaces allowed) and returns the answer as hex. */
export async function exchange(applet: Gmt0017Applet, command: string): Promise<string> {
  return bytesToHex(await applet.transmit(hexToBytes(command.replaceAll(' ', ''))));
}

/** An extended-length command with data, and with Le = 0000 unless told otherwise. */
export function extended(header: string, data: Uint8Array | string, le = '0000'): string {
  const hex = typeof data === 'string' ? data.replaceAll(' ', '') : bytesToHex(data);
  return `${header}00${(hex.length / 2).toString(16).padStart(4, '0')}${hex}${le}`;
}

/** The proof of a password for a challenge, computed with a SHA-1 and an SM4 that are not the applet's. */
export function proof(password: string, challenge: string): string {
  const padded = new Uint8Array(16);
  padded.set(new TextEncoder().encode(password));
  const key = createHash('sha1').update(padded).digest('hex').slice(0, 32);
  return sm4.encrypt(hexToBytes(`${challenge}0000000000000000`), key, { padding: 'none', mode: 'ecb' });
}

/** Opens the sample application (id 0102, so 0201 on the wire). */
export async function openApplication(applet: Gmt0017Applet): Promise<string> {
  return exchange(applet, extended('80260000', new TextEncoder().encode('CFCA')));
}

/** Opens a container of the sample application; the answer ends with its id. */
export async function openContainer(applet: Gmt0017Applet, name = 'C1'): Promise<string> {
  return exchange(applet, extended('80420000', concatBytes(hexToBytes('0201'), new TextEncoder().encode(name))));
}

export async function verify(applet: Gmt0017Applet, password = '12345678'): Promise<string> {
  const challenge = (await exchange(applet, '8050000008')).slice(0, 16);
  return exchange(applet, extended('80180001', `0201${proof(password, challenge)}`, ''));
}

/** Opens application and container C1 and logs in. */
export async function logIn(applet: Gmt0017Applet): Promise<void> {
  await openApplication(applet);
  await openContainer(applet);
  await verify(applet);
}
