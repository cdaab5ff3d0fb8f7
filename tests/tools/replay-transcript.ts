/**
 * Replays the record of a key acceptance run with a virtual key that holds as much, and says in what the two keys differ.
 *
 *   npx tsx tests/tools/replay-transcript.ts FILE
 *
 * What is known to differ from key to key is printed as fields of a model's dialect; everything else that went otherwise
 * is printed as it was, for a person to look at. With any difference the exit status is 1.
 */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { grantedDevices } from '../../src/device/discovery.ts';
import { behaviourOf, dialectDifferences } from '../../src/diagnosis/dialect-differences.ts';
import { replay, type ReplayedExchange, type ReplaySecrets } from '../../src/diagnosis/replay.ts';
import {
  readTranscript,
  type Transcript,
  type TranscriptApdu,
  TranscriptError,
} from '../../src/diagnosis/transcript.ts';
import { ciphersFor, deliveredManagementKey } from '../../src/usbkey/management-key.ts';
import { samplePassword } from '../virtual-key/make-state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';
import { keyLike } from './transcript-key.ts';

/** The report, a line each. @returns also whether the keys are alike */
export async function compare(transcript: Transcript): Promise<{ readonly lines: string[]; readonly alike: boolean }> {
  const virtual = new VirtualKey(await keyLike(transcript));
  const { usb, hid } = virtual;
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { usb, hid } });
  virtual.grant();
  const secrets: ReplaySecrets = {
    ...{ password: new TextEncoder().encode(samplePassword), pinDigest: 'sha1' },
    management: managementCipher(),
  };
  const open = async (): ReturnType<Awaited<ReturnType<typeof grantedDevices>>[number]['openChannel']> => {
    await virtual.unplug();
    await virtual.plug();
    const [device] = await grantedDevices();
    if (!device) throw new Error('the virtual key is not there');
    return device.openChannel();
  };
  const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
  const replayed = await replay(transcript, { open, secrets, randomBytes });
  const { known, unexplained } = dialectDifferences(replayed, secrets);
  const lines = [
    `${replayed.exchanges.length} exchanges replayed, ${replayed.leftOut} left out`,
    ...Object.entries(behaviourOf(transcript)).map(([field, value]) => `the key: ${field} = ${value}`),
    ...known.map(({ field, recorded }) => `dialect: ${field} = ${String(recorded)}`),
    ...unexplained.map(describe),
  ];
  return { lines, alike: known.length === 0 && unexplained.length === 0 };
}

function managementCipher(): NonNullable<ReplaySecrets['management']> {
  const key = deliveredManagementKey();
  const [cipher] = ciphersFor(key.length, 0x03);
  if (!cipher) throw new Error('no cipher for the management key');
  return { encrypt: (block) => cipher.encrypt(key, block), decrypt: (block) => cipher.decrypt(key, block) };
}

function describe({ session, index, recorded, apdus, difference }: ReplayedExchange): string {
  const wire = (list: readonly TranscriptApdu[]): string =>
    list.map(({ sw = 'nothing', answered = 0 }) => `${answered} bytes ${sw}`).join(', ');
  const place = `${recorded.step ?? 'opening'}, session ${session + 1}, exchange ${index + 1}: ${recorded.header}`;
  return `${place}: ${difference ?? ''}: the key ${wire(recorded.apdus)}; the virtual key ${wire(apdus)}`;
}

async function main([file]: readonly string[]): Promise<number> {
  if (file === undefined) {
    console.error('npx tsx tests/tools/replay-transcript.ts FILE');
    return 2;
  }
  try {
    const { lines, alike } = await compare(readTranscript(await readFile(file, 'utf8')));
    for (const line of lines) console.log(line);
    return alike ? 0 : 1;
  } catch (error) {
    if (!(error instanceof TranscriptError)) throw error;
    console.error(`${file}: ${error.message}`);
    return 2;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) process.exitCode = await main(process.argv.slice(2));
