/** Why an exchange with a device did not happen or did not end. The words for a person live in `app/messages`. */
export type TransportErrorCode =
  /** The person closed the browser's chooser, or nothing was chosen. */
  | 'nothingChosen'
  /** The browser wants a click before it shows its chooser. */
  | 'noGesture'
  /** The browser has no WebUSB or WebHID, or a policy forbids it. */
  | 'unsupported'
  /** The operating system or the browser refuses access to the device. */
  | 'accessDenied'
  /** The interface is of a class that browsers keep from web pages (WebUSB, "protected interface class"). */
  | 'protectedClass'
  /** Another program or another tab holds the interface. */
  | 'busy'
  /** The device was unplugged; later calls on the same object end the same way. */
  | 'disconnected'
  /** The device did not answer in time. */
  | 'timeout'
  /** The endpoint stalled and could not be cleared. */
  | 'stalled'
  /** The device sent what its framing does not allow. */
  | 'malformed'
  /** The caller's signal was aborted. */
  | 'cancelled'
  /** Anything else the browser reports. */
  | 'failed';

/** An exchange with a device failed below the level of APDUs: nothing is known of what the key did. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;
  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface TransmitOptions {
  /** Milliseconds of silence after which the exchange is given up; a key's time extension starts it anew. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The port between APDUs and the outside world: a wire that carries one command APDU to a key and its response back.
 * One exchange at a time; `apdu/session.ts` is the guard.
 */
export interface ApduChannel {
  /** `short`: only short APDUs fit (ISO/IEC 7816-4 §5.1); `extended`: extended-length APDUs too. */
  readonly apduLevel: 'short' | 'extended';
  /** The most bytes one command APDU may have on this wire. */
  readonly maxCommandBytes: number;
  /** Aborted, with a `TransportError('disconnected')` as reason, once the device is gone. */
  readonly gone: AbortSignal;
  /**
   * Sends one whole command APDU and returns the whole response: data, then SW1 SW2 (always at least two bytes). Once it
   * settles, nothing of the command is kept, and the response is the caller's, to be cleared.
   * @throws TransportError
   */
  transmit(command: Uint8Array, options: TransmitOptions): Promise<Uint8Array>;
  /** Releases the device. Never throws: what is gone is closed. */
  close(): Promise<void>;
}
