import { concatBytes } from '../apdu/bytes.ts';
import { TransportError } from '../apdu/channel.ts';

/*
 * The HID framing of Longmai's mToken keys, as pure functions of bytes. A message is cut into 64-byte reports (report id
 * 0): one byte of flags and length, payload, zero padding.
 */

export const reportBytes = 64;
const maxPayload = reportBytes - 1;
const firstFlag = 0x80;
const lastFlag = 0x40;
const lengthMask = 0x3f;

const headerBytes = 20;
/** Tag of the request body, before the APDU's big-endian 16-bit length. */
const commandTag = 0x12;
const wrapperBytes = 3;
const maxBodyBytes = 0xffff;
/** The most bytes of a command APDU: the body's length is 16 bits and the wrapper takes three. */
export const maxLongmaiCommandBytes = maxBodyBytes - wrapperBytes;

/**
 * The request message for one command APDU: header `FE 01`, body length at [16..17] little-endian, counter at [19], then
 * `12`, the APDU's length big-endian, and the APDU.
 * @param counter 0..255, echoed in the reply
 * @throws TransportError `failed` when the APDU is too long
 */
export function buildRequest(apdu: Uint8Array, counter: number): Uint8Array<ArrayBuffer> {
  if (apdu.length > maxLongmaiCommandBytes)
    throw new TransportError('failed', 'the command is too long for one message');
  const header = new Uint8Array(headerBytes);
  const bodyLength = apdu.length + wrapperBytes;
  header.set([0xfe, 0x01]);
  header.set([bodyLength & 0xff, bodyLength >> 8, 0, counter & 0xff], 16);
  return concatBytes(header, Uint8Array.of(commandTag, apdu.length >> 8, apdu.length & 0xff), apdu);
}

/** Cuts a message into zero-padded reports: flags 80h first, 40h last, low six bits the payload's length. */
export function segmentMessage(message: Uint8Array): readonly Uint8Array<ArrayBuffer>[] {
  const reports: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 0; offset === 0 || offset < message.length; offset += maxPayload) {
    const payload = message.subarray(offset, offset + maxPayload);
    const first = offset === 0 ? firstFlag : 0;
    const last = offset + maxPayload >= message.length ? lastFlag : 0;
    const report = new Uint8Array(reportBytes);
    report[0] = first | last | payload.length;
    report.set(payload, 1);
    reports.push(report);
  }
  return reports;
}

/** Joins reports into messages. The sender may cut where it likes: some put the header in a report of its own. */
export class ReportJoiner {
  #parts: Uint8Array[] | undefined;
  #length = 0;

  /**
   * Takes the next report, with or without its padding.
   * @returns the whole message once its last report is in. A first report drops an unfinished message before it, and a
   *   report that continues nothing is the rest of one and ignored.
   * @throws TransportError `malformed` for a payload longer than its report, an empty one or a message without end
   */
  push(report: Uint8Array): Uint8Array | undefined {
    const flags = report[0];
    const length = (flags ?? 0) & lengthMask;
    if (flags === undefined || length === 0 || length >= report.length) {
      this.reset();
      throw new TransportError('malformed', `a report of ${report.length} bytes with a payload of ${length}`);
    }
    if (flags & firstFlag) {
      this.#parts = [];
      this.#length = 0;
    }
    if (!this.#parts) return undefined;
    this.#parts.push(report.slice(1, 1 + length));
    this.#length += length;
    if (this.#length > headerBytes + maxBodyBytes) {
      this.reset();
      throw new TransportError('malformed', 'a message without end');
    }
    if (!(flags & lastFlag)) return undefined;
    const message = concatBytes(...this.#parts);
    this.reset();
    return message;
  }

  /** Forgets an unfinished message. */
  reset(): void {
    this.#parts = undefined;
    this.#length = 0;
  }
}

export interface LongmaiReply {
  /** The request's counter. */
  readonly counter: number;
  /** The response APDU. */
  readonly response: Uint8Array;
}

/**
 * Parses a reply message: `AA AA`, the body's length at [2..3] little-endian, the echoed counter at [19], body from 20.
 * @throws TransportError `malformed` when the header is another or the length is not what arrived
 */
export function parseLongmaiReply(message: Uint8Array): LongmaiReply {
  const [first, second, low = 0, high = 0] = message;
  const counter = message[19];
  if (first !== 0xaa || second !== 0xaa || counter === undefined) {
    throw new TransportError('malformed', `a reply of ${message.length} bytes without its header`);
  }
  const response = message.slice(headerBytes);
  if (response.length !== (low | (high << 8))) {
    throw new TransportError(
      'malformed',
      `the reply's length does not match the ${response.length} bytes that arrived`,
    );
  }
  return { counter, response };
}
