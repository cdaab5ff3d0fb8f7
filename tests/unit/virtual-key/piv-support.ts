import { createCipheriv, createDecipheriv } from 'node:crypto';
import { bytesToHex, hexToBytes } from '../../virtual-key/bytes.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { samplePivState } from '../../virtual-key/make-state.ts';
import { Memory } from '../../virtual-key/memory.ts';
import { PivApplet, type PivAppletOptions } from '../../virtual-key/piv-applet.ts';
import type { KeyState, PivManagementAlgorithm, PivState } from '../../virtual-key/state.ts';

export const select = '00a4040005a00000030800';
/** 12345678, as VERIFY carries it. */
export const pin = '3132333435363738';
export const wrongPin = '303030303030ffff';

export interface PoweredPiv {
  readonly applet: PivApplet;
  /** What the memory holds on to. */
  readonly persisted: () => PivState;
  readonly faults: FaultPlan;
  /** Sends hex (spaces allowed) and returns the answer as hex. */
  readonly send: (command: string) => Promise<string>;
}

const pivOf = ({ piv }: KeyState): PivState => {
  if (!piv) throw new Error('not a PIV key');
  return piv;
};

/** A card with power, its PIV application selected. */
export async function selectedPiv(
  state: KeyState = samplePivState(),
  options: PivAppletOptions = {},
): Promise<PoweredPiv> {
  const piv = poweredPiv(state, options);
  await piv.send(select);
  return piv;
}

export function poweredPiv(state: KeyState = samplePivState(), options: PivAppletOptions = {}): PoweredPiv {
  let saved = structuredClone(state);
  const faults = new FaultPlan();
  const applet = new PivApplet(new Memory(state, (now) => (saved = structuredClone(now)), faults), options);
  faults.cut = () => applet.powerDown();
  applet.powerUp();
  const send = async (command: string): Promise<string> =>
    bytesToHex(await applet.transmit(hexToBytes(command.replaceAll(' ', ''))));
  return { applet, persisted: () => pivOf(saved), faults, send };
}

/** Tag and length before hex. */
export function wrap(tag: string, ...hex: readonly string[]): string {
  const value = hex.join('').replaceAll(' ', '');
  const length = value.length / 2;
  const head = length > 0xff ? `82${length.toString(16).padStart(4, '0')}` : length.toString(16).padStart(2, '0');
  return `${tag}${length > 0x7f && length < 0x100 ? '81' : ''}${head}${value}`;
}

/** A short command, with Le = 00; in chained parts of 255 bytes where one is not enough. */
export async function short({ send }: PoweredPiv, header: string, data: string): Promise<string> {
  const hex = data.replaceAll(' ', '');
  const parts = hex.match(/.{1,510}/g) ?? [];
  let answer = '';
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const length = (part.length / 2).toString(16).padStart(2, '0');
    answer = await send(`${isLast ? '00' : '10'}${header.slice(2)}${length}${part}${isLast ? '00' : ''}`);
    if (!isLast && answer !== '9000') return answer;
  }
  return answer;
}

/** Everything a short answer and the GET RESPONSEs after it give, with the last status word. */
export async function whole(piv: PoweredPiv, answer: string): Promise<string> {
  let all = answer;
  while (/61..$/u.test(all)) all = all.slice(0, -4) + (await piv.send(`00c00000${all.slice(-2)}`));
  return all;
}

const ciphers: Readonly<Record<PivManagementAlgorithm, readonly [id: string, cipher: string]>> = {
  '3des': ['03', 'des-ede3'],
  aes128: ['08', 'aes-128-ecb'],
  aes192: ['0a', 'aes-192-ecb'],
  aes256: ['0c', 'aes-256-ecb'],
};

/** A block under OpenSSL's cipher. */
export function block(
  direction: 'encrypt' | 'decrypt',
  algorithm: PivManagementAlgorithm,
  key: string,
  hex: string,
): string {
  const make = direction === 'encrypt' ? createCipheriv : createDecipheriv;
  return make(ciphers[algorithm][1], hexToBytes(key), null)
    .setAutoPadding(false)
    .update(hexToBytes(hex))
    .toString('hex');
}

/** GENERAL AUTHENTICATE with 9B. */
export const authenticate = (piv: PoweredPiv, algorithm: PivManagementAlgorithm, content: string): Promise<string> =>
  short(piv, `0087${ciphers[algorithm][0]}9b`, wrap('7c', content));

/** Single authentication with the card's own key. */
export async function becomeAdministrator(piv: PoweredPiv): Promise<void> {
  const { algorithm, key } = piv.persisted().managementKey;
  const challenge = (await authenticate(piv, algorithm, '8100')).slice(8, -4);
  const answer = await authenticate(piv, algorithm, wrap('82', block('encrypt', algorithm, key, challenge)));
  if (answer !== '9000') throw new Error(`management key: ${answer}`);
}

export const verifyPin = (piv: PoweredPiv): Promise<string> => piv.send(`0020008008${pin}`);
