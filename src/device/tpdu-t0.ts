import { TransportError } from '../apdu/channel.ts';
import type { Turn } from './turns.ts';

/**
 * Sends one TPDU of T=0 and receives data, SW1 SW2. Procedure bytes are the reader's business (CCID 1.1 §3.2.2).
 */
export type TransferTpdu = (tpdu: Uint8Array, turn: Turn) => Promise<Uint8Array>;

const headerBytes = 4;
const insGetResponse = 0xc0;

/**
 * Carries a short command APDU over T=0 (ISO/IEC 7816-3 §12.2): a command with data cannot ask for a response in one go,
 * which is then fetched with GET RESPONSE; a wrong Le is put right once. 61xx and what it announces go up as they are.
 * @throws TransportError `failed` for an APDU that T=0 cannot carry, an extended-length one
 */
export async function exchangeT0(command: Uint8Array, transfer: TransferTpdu, turn: Turn): Promise<Uint8Array> {
  const { length } = command;
  const p3 = command[headerBytes] ?? 0;
  if (length < headerBytes || (length > headerBytes + 1 && (p3 === 0 || length > headerBytes + 2 + p3))) {
    throw new TransportError('failed', 'T=0 carries no extended-length APDU');
  }
  // Case 1: P3 is zero. Case 2: P3 is Le.
  if (length === headerBytes) return transfer(withP3(command, 0), turn);
  if (length === headerBytes + 1) return rightLe(command, transfer, turn);
  if (length < headerBytes + 1 + p3) throw new TransportError('failed', 'an APDU that is cut short');
  // Case 3 as it is, case 4 without its Le.
  const response = await transfer(command.subarray(0, headerBytes + 1 + p3), turn);
  const le = command[headerBytes + 1 + p3];
  if (le === undefined || !endsWith(response, 0x90, 0x00)) return response;
  turn.restart();
  const fetched = await rightLe(Uint8Array.of(0, insGetResponse, 0, 0, le), transfer, turn);
  // The command itself has succeeded: that there is nothing to fetch is no refusal of it, and no reason to repeat it.
  const sw1 = fetched.at(-2) ?? 0;
  return sw1 >= 0x64 && sw1 <= 0x6f ? response : fetched;
}

/** Sends a command with Le, and again with the Le that 6Cxx names. */
async function rightLe(tpdu: Uint8Array, transfer: TransferTpdu, turn: Turn): Promise<Uint8Array> {
  const response = await transfer(tpdu, turn);
  const [sw1, sw2 = 0] = response.subarray(-2);
  if (response.length !== 2 || sw1 !== 0x6c) return response;
  turn.restart();
  return transfer(withP3(tpdu, sw2), turn);
}

function withP3(header: Uint8Array, p3: number): Uint8Array {
  const tpdu = new Uint8Array(headerBytes + 1);
  tpdu.set(header.subarray(0, headerBytes));
  tpdu[headerBytes] = p3;
  return tpdu;
}

function endsWith(response: Uint8Array, sw1: number, sw2: number): boolean {
  return response.at(-2) === sw1 && response.at(-1) === sw2;
}
