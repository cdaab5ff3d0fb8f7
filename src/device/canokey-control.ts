import { concatBytes } from '../apdu/bytes.ts';
import { TransportError } from '../apdu/channel.ts';
import { maxResponseBytes, wholeResponse } from '../apdu/response.ts';

/*
 * CanoKey's way of carrying APDUs in control transfers: vendor requests to a class-FF interface without endpoints, as its
 * maker documents them. The command goes out in one request, its state is asked for until it is ready, the response comes
 * back in another. A request in the wrong state stalls and does nothing.
 */

/** bRequest. */
const request = { command: 0x00, response: 0x01, state: 0x02 } as const;

/** The key's APDU buffer: the most bytes of one command APDU. */
export const maxCanokeyCommandBytes = 1340;
/** wLength of a response request: no response is longer. */
export const canokeyResponseBytes = 1500;
/** How long the key keeps its buffer for whoever used it last, CCID or this way, milliseconds. */
export const canokeyHoldMs = 2000;

function setup(bRequest: number, interfaceNumber: number): USBControlTransferParameters {
  return { requestType: 'vendor', recipient: 'interface', request: bRequest, value: 0, index: interfaceNumber };
}
/** OUT: the command APDU. */
export function commandRequest(interfaceNumber: number): USBControlTransferParameters {
  return setup(request.command, interfaceNumber);
}
/** IN, at most `canokeyResponseBytes`: the response APDU, once the state is `ready`. */
export function responseRequest(interfaceNumber: number): USBControlTransferParameters {
  return setup(request.response, interfaceNumber);
}
/** IN, one byte: the state. */
export function stateRequest(interfaceNumber: number): USBControlTransferParameters {
  return setup(request.state, interfaceNumber);
}

export type CanokeyState =
  /** A response waits to be read. */
  | 'ready'
  /** A command is being carried out. */
  | 'processing'
  /** The response is on its way to the host. */
  | 'sent'
  /** A command is on its way to the key. */
  | 'receiving'
  /** Nothing to do; the buffer is kept for this way. */
  | 'holding'
  /** Nothing to do; the buffer is free, or CCID has it. */
  | 'idle';

const states: ReadonlyMap<number, CanokeyState> = new Map([
  [0x00, 'ready'],
  [0x01, 'processing'],
  [0x02, 'sent'],
  [0x03, 'receiving'],
  [0x04, 'holding'],
  [0xff, 'idle'],
]);

/**
 * Parses the answer to a state request.
 * @throws TransportError `malformed` when it is not one byte, or no state
 */
export function parseCanokeyState(answer: Uint8Array): CanokeyState {
  const state = answer.length === 1 ? states.get(answer[0] ?? -1) : undefined;
  if (!state) throw new TransportError('malformed', `a state of ${answer.length} bytes that is none`);
  return state;
}

/** A key is done with the simplest commands by the time it is asked a second or third time. */
const pollsWithoutPause = 3;

/**
 * How long to wait before asking for the state again, milliseconds: not at all at first, for asking takes time too, then
 * ever longer, so that asking is no load.
 * @param attempt 0 after the first answer
 */
export function pollPauseMs(attempt: number): number {
  if (attempt < pollsWithoutPause) return 0;
  return Math.min(50, 1.5 ** Math.min(attempt - pollsWithoutPause, 10));
}

/** Joins the parts of a response APDU: a part that fills its request may have more behind it. */
export class CanokeyResponse {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /**
   * Takes what one response request brought.
   * @param more whether the key says that it has more
   * @returns the whole response APDU, or undefined while there is more to ask for
   * @throws TransportError `malformed` for a response shorter than a status word or without end
   */
  push(part: Uint8Array, more: boolean): Uint8Array | undefined {
    this.#length += part.length;
    if (this.#length > maxResponseBytes || (more && part.length === 0)) {
      throw new TransportError('malformed', 'a response without end');
    }
    this.#parts.push(part);
    if (more) return undefined;
    return wholeResponse(concatBytes(...this.#parts));
  }
}
