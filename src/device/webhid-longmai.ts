import { type ApduChannel, TransportError, type TransmitOptions } from '../apdu/channel.ts';
import { wholeResponse } from '../apdu/response.ts';
import { transportErrorFrom } from './browser-errors.ts';
import { within } from './deadline.ts';
import { watchGone } from './gone.ts';
import {
  buildRequest,
  maxLongmaiCommandBytes,
  parseLongmaiReply,
  ReportJoiner,
  reportBytes,
  segmentMessage,
} from './longmai-report.ts';
import { stopIfOver, type Turn, Turns } from './turns.ts';

const openTimeoutMs = 5000;
const reportId = 0;
/** Replies meant for another program before we say that one is in the way. */
const maxForeignReplies = 32;
/** The longest message has 1041 full reports. A key that sends more, and smaller ones, is not making progress. */
const maxReportsPerExchange = 4096;

/**
 * Opens a key that speaks Longmai's reports on a vendor usage page.
 * @param hid where `disconnect` events come from: `navigator.hid`
 * @throws TransportError `accessDenied`, `busy`, `disconnected` or `timeout`
 */
export async function openLongmaiChannel(device: HIDDevice, hid: EventTarget): Promise<ApduChannel> {
  const { gone, stop } = watchGone(hid, device);
  try {
    // A device that this page already opened says so by InvalidStateError.
    if (!device.opened) await within(device.open(), { timeoutMs: openTimeoutMs, gone });
    return new LongmaiChannel(device, gone, stop);
  } catch (error) {
    stop();
    throw transportErrorFrom(error, 'open');
  }
}

class LongmaiChannel implements ApduChannel {
  readonly apduLevel = 'extended';
  readonly maxCommandBytes = maxLongmaiCommandBytes;
  readonly gone: AbortSignal;
  readonly #device: HIDDevice;
  readonly #stopWatching: () => void;
  readonly #joiner = new ReportJoiner();
  // Begins anywhere, so that a reply to the page before a reload, or to another program, is not taken for ours.
  #counter = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;
  readonly #turns: Turns;
  /** The exchange whose reports are being kept. */
  #turn: Turn | undefined;
  #closed = false;
  #reports: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  constructor(device: HIDDevice, gone: AbortSignal, stopWatching: () => void) {
    this.#device = device;
    this.gone = gone;
    this.#stopWatching = stopWatching;
    this.#turns = new Turns(gone);
    device.addEventListener('inputreport', this.#onReport);
  }

  async transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (this.#closed) throw new TransportError('disconnected', 'the channel is closed');
    return await this.#turns.take(options, (turn) => this.#exchange(command, turn));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#turns.stop();
    this.#device.removeEventListener('inputreport', this.#onReport);
    this.#stopWatching();
    const limits = { timeoutMs: openTimeoutMs, gone: new AbortController().signal };
    await within(this.#device.close(), limits).catch(() => undefined);
  }

  async #exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array> {
    const counter = (this.#counter = (this.#counter + 1) & 0xff);
    // What lies here came before the command and cannot be its reply.
    this.#reports = [];
    this.#joiner.reset();
    this.#turn = turn;
    await this.#send(buildRequest(command, counter), turn);
    for (let received = 0, foreign = 0; received < maxReportsPerExchange; received++) {
      const message = this.#joiner.push(await this.#nextReport(turn));
      if (!message) continue;
      const reply = parseLongmaiReply(message);
      if (reply.counter === counter) return wholeResponse(reply.response);
      // On Windows a HID device is shared: the maker's own program may be talking to the key.
      if (++foreign > maxForeignReplies) throw new TransportError('busy', 'another program is talking to the key');
    }
    throw new TransportError('malformed', 'reports without end');
  }

  /** Sends one message and clears its bytes, which may hold a password. */
  async #send(message: Uint8Array, turn: Turn): Promise<void> {
    const reports = segmentMessage(message);
    message.fill(0);
    try {
      for (const report of reports) {
        await this.#device.sendReport(reportId, report);
        stopIfOver(turn);
        turn.restart();
      }
    } finally {
      for (const report of reports) report.fill(0);
    }
  }

  async #nextReport(turn: Turn): Promise<Uint8Array> {
    for (;;) {
      const report = this.#reports.shift();
      if (report) {
        turn.restart();
        return report;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
      stopIfOver(turn);
    }
  }

  readonly #onReport = (event: HIDInputReportEvent): void => {
    const { data } = event;
    // Outside an exchange nobody reads, so nothing is kept; inside, a flood is cut where the exchange would end anyway.
    if (this.#turn?.over !== false || event.reportId !== reportId || this.#reports.length > maxReportsPerExchange)
      return;
    // A copy: the browser may reuse the buffer.
    this.#reports.push(new Uint8Array(data.buffer, data.byteOffset, Math.min(data.byteLength, reportBytes)).slice());
    this.#wake?.();
  };
}
