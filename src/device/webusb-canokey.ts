import { type ApduChannel, TransportError, type TransmitOptions } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import {
  canokeyHoldMs,
  CanokeyResponse,
  canokeyResponseBytes,
  type CanokeyState,
  commandRequest,
  maxCanokeyCommandBytes,
  parseCanokeyState,
  pollPauseMs,
  responseRequest,
  stateRequest,
} from './canokey-control.ts';
import { within } from './deadline.ts';
import { pause, stopIfOver, type Turn, Turns } from './turns.ts';
import { bytesOf, interfaceSettings, noInterface, openInterface, vendorClass } from './webusb-interface.ts';

const settleTimeoutMs = 5000;
const closeTimeoutMs = 2000;
/** Between attempts while CCID has the buffer. */
const holdPauseMs = 250;
const maxHeldAttempts = Math.ceil(canokeyHoldMs / holdPauseMs) + 1;
/** A state that passes by itself, asked for so often before the key is reset: together longer than the hold. */
const maxPassingPolls = 60;
/** Responses that nobody waits for any more. There is one buffer, so one would do. */
const maxLeftovers = 4;

/** The number of the vendor-class interface without endpoints over which CanoKey speaks. */
export function findCanokeyInterface(device: USBDevice): number | undefined {
  return choose(device)?.interfaceNumber;
}

function choose(device: USBDevice) {
  return interfaceSettings(device).find(
    ({ interfaceClass, endpoints }) => interfaceClass === vendorClass && endpoints.length === 0,
  );
}

/**
 * Opens a CanoKey and waits until it has nothing more to do for whoever spoke to it before.
 * @param usb where `disconnect` events come from: `navigator.usb`
 * @throws TransportError `accessDenied`, `busy`, `disconnected`, `timeout`, or `failed` when there is no such interface
 */
export async function openCanokeyChannel(device: USBDevice, usb: EventTarget): Promise<ApduChannel> {
  const choice = choose(device);
  if (!choice) throw noInterface('vendor-class interface without endpoints');
  return openInterface(device, usb, choice, async (gone, stop) => {
    const channel = new CanokeyChannel(device, choice.interfaceNumber, gone, stop);
    await channel.settle();
    return channel;
  });
}

class CanokeyChannel implements ApduChannel {
  /** The maker: extended-length APDUs are refused with 6700, commands are chained. */
  readonly apduLevel = 'short';
  readonly maxCommandBytes = maxCanokeyCommandBytes;
  readonly gone: AbortSignal;
  readonly #device: USBDevice;
  readonly #interfaceNumber: number;
  readonly #stopWatching: () => void;
  readonly #turns: Turns;
  #closed = false;
  /** Whether the key is known to have nothing to do and nothing to say. */
  #settled = false;

  constructor(device: USBDevice, interfaceNumber: number, gone: AbortSignal, stopWatching: () => void) {
    this.#device = device;
    this.#interfaceNumber = interfaceNumber;
    this.gone = gone;
    this.#stopWatching = stopWatching;
    this.#turns = new Turns(gone);
  }

  /** Lets the key end what it was doing, throws away what it has to say, and resets it where that does not help. */
  async settle(): Promise<void> {
    await this.#turns.take({ timeoutMs: settleTimeoutMs }, (turn) => this.#settle(turn));
  }

  async transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (this.#closed) throw new TransportError('disconnected', 'the channel is closed');
    if (command.length > maxCanokeyCommandBytes) throw new TransportError('failed', 'the command is too long');
    return this.#turns.take(options, (turn) => this.#exchange(command, turn));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // What the key holds for us it gives up by itself.
    const limits = { timeoutMs: closeTimeoutMs, gone: this.gone };
    if (!this.gone.aborted) await within(this.#device.close(), limits).catch(() => undefined);
    this.#stopWatching();
  }

  async #exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array> {
    if (!this.#settled) await this.#settle(turn);
    this.#settled = false;
    await this.#send(command, turn);
    await this.#untilReady(turn);
    const response = await this.#receive(turn);
    this.#settled = true;
    return response;
  }

  async #send(command: Uint8Array, turn: Turn): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      // The browser has its own copy once the call returns; ours may hold a password.
      const bytes = command.slice();
      const sending = this.#device.controlTransferOut(commandRequest(this.#interfaceNumber), bytes);
      bytes.fill(0);
      const result = await sending;
      stopIfOver(turn);
      if (result.status === 'ok' && result.bytesWritten === bytes.length) return;
      // Refused as a whole, so it may be sent again, but only where the state proves that the key took nothing.
      const state = result.status === 'stall' ? await this.#state(turn) : undefined;
      if (state !== 'idle' && state !== 'holding') {
        throw new TransportError('stalled', `a command ended with ${result.status}`);
      }
      if (attempt >= maxHeldAttempts) {
        throw state === 'idle'
          ? new TransportError('busy', 'another program holds the key')
          : new TransportError('stalled', 'the key refuses the command');
      }
      await pause(holdPauseMs, turn);
    }
  }

  async #untilReady(turn: Turn): Promise<void> {
    // Without end here: the turn's deadline ends it.
    for (let attempt = 0; ; attempt++) {
      const state = await this.#state(turn);
      if (state === 'ready') return;
      if (state !== 'processing' && state !== 'receiving') {
        throw new TransportError('malformed', `the key has lost the command: ${state}`);
      }
      await pause(pollPauseMs(attempt), turn);
    }
  }

  async #receive(turn: Turn): Promise<Uint8Array> {
    const response = new CanokeyResponse();
    for (;;) {
      const part = await this.#read(responseRequest(this.#interfaceNumber), canokeyResponseBytes, turn);
      const more = part.length === canokeyResponseBytes && (await this.#state(turn)) === 'ready';
      const whole = response.push(part, more);
      if (whole) return whole;
    }
  }

  async #settle(turn: Turn): Promise<void> {
    let leftovers = 0;
    let passing = 0;
    let reset = false;
    for (let attempt = 0; ; attempt++) {
      const state = await this.#state(turn).catch((error: unknown) => stalledOrThrow(error));
      if (state === 'idle' || state === 'holding') break;
      if (state === 'processing') {
        await pause(pollPauseMs(attempt), turn);
      } else if (state === 'ready' && leftovers < maxLeftovers) {
        leftovers += 1;
        await this.#read(responseRequest(this.#interfaceNumber), canokeyResponseBytes, turn).catch(stalledOrThrow);
      } else if ((state === 'sent' || state === 'receiving') && passing < maxPassingPolls) {
        passing += 1;
        await pause(pollPauseMs(attempt), turn);
      } else if (!reset) {
        reset = true;
        await this.#reset(turn);
      } else {
        throw new TransportError('stalled', 'the key does not come to rest');
      }
    }
    this.#settled = true;
  }

  /** Not every operating system lets a page reset a device. */
  async #reset(turn: Turn): Promise<void> {
    await this.#device.reset().catch((error: unknown) => {
      const reason = transportErrorFrom(error, 'transfer');
      if (reason.code !== 'failed') throw reason;
      throw new TransportError('stalled', 'the key does not come to rest and cannot be reset', { cause: error });
    });
    stopIfOver(turn);
  }

  async #state(turn: Turn): Promise<CanokeyState> {
    return parseCanokeyState(await this.#read(stateRequest(this.#interfaceNumber), 1, turn));
  }

  /** One IN request. A stalled one did nothing, so it is asked once more. */
  async #read(setup: USBControlTransferParameters, length: number, turn: Turn): Promise<Uint8Array> {
    for (let stalls = 0; ; stalls++) {
      const result = await this.#device.controlTransferIn(setup, length);
      stopIfOver(turn);
      if (result.status === 'ok') return bytesOf(result.data);
      if (result.status === 'babble') throw new TransportError('malformed', 'the key sends more than it was asked for');
      if (stalls > 0) throw new TransportError('stalled', `request ${setup.request} stalls`);
    }
  }
}

function stalledOrThrow(error: unknown): 'stalled' {
  if (error instanceof TransportError && error.code === 'stalled') return 'stalled';
  throw error;
}
