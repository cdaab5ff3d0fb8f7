import { type ApduChannel, TransportError, type TransmitOptions } from '../apdu/channel.ts';
import { wholeResponse } from '../apdu/response.ts';
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
  readonly #requests: Readonly<Record<'command' | 'response' | 'state', USBControlTransferParameters>>;
  readonly #stopWatching: () => void;
  readonly #turns: Turns;
  #closed = false;
  /** Whether the key is known to have nothing to do and nothing to say. */
  #settled = false;

  constructor(device: USBDevice, interfaceNumber: number, gone: AbortSignal, stopWatching: () => void) {
    this.#device = device;
    this.#requests = {
      command: commandRequest(interfaceNumber),
      response: responseRequest(interfaceNumber),
      state: stateRequest(interfaceNumber),
    };
    this.gone = gone;
    this.#stopWatching = stopWatching;
    this.#turns = new Turns(gone);
  }

  /** Lets the key end what it was doing, throws away what it has to say, and resets it where that does not help. */
  async settle(): Promise<void> {
    await this.#turns.take({ timeoutMs: settleTimeoutMs }, (turn) => this.#settle(turn));
  }

  transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new TransportError('disconnected', 'the channel is closed'));
    if (command.length > maxCanokeyCommandBytes) {
      return Promise.reject(new TransportError('failed', 'the command is too long'));
    }
    return this.#turns.take(options, (turn) => this.#exchange(command, turn));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#turns.stop();
    // What the key holds for us it gives up by itself.
    const limits = { timeoutMs: closeTimeoutMs, gone: this.gone };
    if (!this.gone.aborted) await within(this.#device.close(), limits).catch(() => undefined);
    this.#stopWatching();
  }

  async #exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array> {
    if (!this.#settled) await this.#settle(turn);
    this.#settled = false;
    const { status, bytesWritten } = await this.#write(command);
    stopIfOver(turn);
    if (status !== 'ok' || bytesWritten !== command.length) await this.#sendAgain(command, status, turn);
    // Without end here: the turn's deadline ends it.
    for (let attempt = 0; ; attempt++) {
      const state = parseCanokeyState(await this.#read(this.#requests.state, 1, turn));
      if (state === 'ready') break;
      if (state !== 'processing' && state !== 'receiving') {
        throw new TransportError('malformed', `the key has lost the command: ${state}`);
      }
      const pauseMs = pollPauseMs(attempt);
      if (pauseMs > 0) await pause(pauseMs, turn);
    }
    const part = await this.#read(this.#requests.response, canokeyResponseBytes, turn);
    const response = part.length < canokeyResponseBytes ? wholeResponse(part) : await this.#collect(part, turn);
    this.#settled = true;
    return response;
  }

  #write(command: Uint8Array): Promise<USBOutTransferResult> {
    // The caller's own bytes, so that no copy of a password is left here; they are never in shared memory.
    return this.#device.controlTransferOut(this.#requests.command, command as Uint8Array<ArrayBuffer>);
  }

  /** After a refusal: it was of the whole command, but only some states prove that the key took nothing. */
  async #sendAgain(command: Uint8Array, refused: USBTransferStatus, turn: Turn): Promise<void> {
    let status = refused;
    for (let attempt = 0; ; attempt++) {
      const state = status === 'stall' ? await this.#state(turn) : undefined;
      if (state !== 'idle' && state !== 'holding') {
        throw new TransportError('stalled', `a command ended with ${status}`);
      }
      if (attempt >= maxHeldAttempts) {
        throw state === 'idle'
          ? new TransportError('busy', 'another program holds the key')
          : new TransportError('stalled', 'the key refuses the command');
      }
      await pause(holdPauseMs, turn);
      const written = await this.#write(command);
      stopIfOver(turn);
      if (written.status === 'ok' && written.bytesWritten === command.length) return;
      status = written.status;
    }
  }

  /** A response that fills its request may go on. */
  async #collect(first: Uint8Array, turn: Turn): Promise<Uint8Array> {
    const response = new CanokeyResponse();
    for (let part = first; ;) {
      const more = part.length === canokeyResponseBytes && (await this.#state(turn)) === 'ready';
      const whole = response.push(part, more);
      if (whole) return whole;
      part = await this.#read(this.#requests.response, canokeyResponseBytes, turn);
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
        await this.#read(this.#requests.response, canokeyResponseBytes, turn).catch(stalledOrThrow);
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
    return parseCanokeyState(await this.#read(this.#requests.state, 1, turn));
  }

  /** One IN request. A stalled one did nothing, so it is asked once more. */
  #read(setup: USBControlTransferParameters, length: number, turn: Turn, stalls = 0): Promise<Uint8Array> {
    return this.#device.controlTransferIn(setup, length).then(({ status, data }) => {
      stopIfOver(turn);
      if (status === 'ok') return bytesOf(data);
      if (status === 'babble') throw new TransportError('malformed', 'the key sends more than it was asked for');
      if (stalls > 0) throw new TransportError('stalled', `request ${setup.request} stalls`);
      return this.#read(setup, length, turn, stalls + 1);
    });
  }
}

function stalledOrThrow(error: unknown): 'stalled' {
  if (error instanceof TransportError && error.code === 'stalled') return 'stalled';
  throw error;
}
