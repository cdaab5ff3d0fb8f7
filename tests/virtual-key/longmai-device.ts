import { concatBytes } from './bytes.ts';
import type { Card } from './card.ts';
import type { HidDeviceModel, UsbIdentity } from './device-models.ts';
import { PowerCutError } from './faults.ts';

const reportBytes = 64;
const payloadBytes = reportBytes - 1;
const firstReport = 0x80;
const lastReport = 0x40;
const headerBytes = 20;

const vendorReport = (usage: number): HIDReportInfo => ({
  reportId: 0,
  items: [{ isAbsolute: true, usages: [0xff00_0000 + usage], reportSize: 8, reportCount: reportBytes }],
});

/** The vendor-page collection of such keys: one 64-byte report each way, without a report id. */
export const longmaiCollections: readonly HIDCollectionInfo[] = [
  {
    usagePage: 0xff00,
    usage: 0x01,
    type: 1,
    children: [],
    inputReports: [vendorReport(1)],
    outputReports: [vendorReport(2)],
    featureReports: [],
  },
];

/** Cuts a message into reports: bit 7 first, bit 6 last, low six bits the payload's length; zero padded. */
export function splitIntoReports(message: Uint8Array): Uint8Array[] {
  const reports: Uint8Array[] = [];
  for (let offset = 0; offset === 0 || offset < message.length; offset += payloadBytes) {
    const payload = message.subarray(offset, offset + payloadBytes);
    const report = new Uint8Array(reportBytes);
    report[0] =
      (offset === 0 ? firstReport : 0) | (offset + payloadBytes >= message.length ? lastReport : 0) | payload.length;
    report.set(payload, 1);
    reports.push(report);
  }
  return reports;
}

/** The APDU and counter of a request `FE 01 … 12 LL LL APDU`, or undefined when it is not one. */
export function readRequest(message: Uint8Array): { counter: number; command: Uint8Array } | undefined {
  if (message.length < headerBytes + 3) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const zeros = [...message.subarray(2, 16), message[18]].every((byte) => byte === 0);
  if (view.getUint16(0) !== 0xfe01 || !zeros) return undefined;
  const bodyLength = view.getUint16(16, true);
  if (bodyLength !== message.length - headerBytes) return undefined;
  if (view.getUint8(20) !== 0x12 || view.getUint16(21) !== bodyLength - 3) return undefined;
  return { counter: view.getUint8(19), command: message.slice(23) };
}

/** `AA AA`, length of the body (little-endian, [2..3]), the request's counter ([19]), the response APDU from 20. */
export function writeReply(counter: number, response: Uint8Array): Uint8Array {
  const header = new Uint8Array(headerBytes);
  header.set([0xaa, 0xaa, response.length & 0xff, response.length >> 8]);
  header[19] = counter;
  return concatBytes(header, response);
}

/** A key that speaks in 64-byte HID reports (Longmai GM3000). What it does not understand it leaves unanswered. */
export class LongmaiDevice implements HidDeviceModel {
  readonly identity: UsbIdentity;
  readonly collections = longmaiCollections;
  readonly outputReportBytes = reportBytes;
  readonly #card: Card;
  #send: (report: Uint8Array) => void = () => undefined;
  #message: Uint8Array | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(card: Card, identity: UsbIdentity) {
    this.#card = card;
    this.identity = identity;
  }

  powerUp(send: (report: Uint8Array) => void): void {
    this.#send = send;
    this.#message = undefined;
    this.#card.powerUp();
  }

  powerDown(): void {
    this.#send = () => undefined;
    this.#card.powerDown();
  }

  async idle(): Promise<void> {
    await this.#work;
  }

  receive(report: Uint8Array): void {
    const [control = 0] = report;
    const length = control & 0x3f;
    const payload = report.subarray(1, 1 + length);
    if (control & firstReport) this.#message = payload.slice();
    else if (this.#message) this.#message = concatBytes(this.#message, payload);
    if (!(control & lastReport) || !this.#message) return;
    const request = readRequest(this.#message);
    this.#message = undefined;
    if (!request) return;
    // One after the other, as the key's only processor does.
    this.#work = this.#work.then(() => this.#answer(request.counter, request.command));
  }

  async #answer(counter: number, command: Uint8Array): Promise<void> {
    try {
      const response = await this.#card.transmit(command, () => undefined);
      for (const report of splitIntoReports(writeReply(counter, response))) this.#send(report);
    } catch (error) {
      if (!(error instanceof PowerCutError)) throw error;
    }
  }
}
