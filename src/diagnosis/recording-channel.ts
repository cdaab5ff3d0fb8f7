import { type ApduChannel, TransportError, type TransportErrorCode } from '../apdu/channel.ts';

/** One command APDU on the wire and what came of it, whole: for a recorder that redacts before it keeps anything. */
export interface WireExchange {
  /** Valid during the call only: it is cleared afterwards. */
  readonly command: Uint8Array;
  /** Data and SW1 SW2; undefined where none came. */
  readonly response: Uint8Array | undefined;
  /** Why none came. */
  readonly failure: TransportErrorCode | undefined;
  /** From the call to its end, in milliseconds. */
  readonly ms: number;
}

/**
 * A channel that does what another one does and shows every exchange to a recorder, after its end and before the caller
 * hears of it.
 * @param now milliseconds of a clock that never goes back
 */
export function recordingChannel(
  channel: ApduChannel,
  record: (exchange: WireExchange) => void,
  now: () => number = () => performance.now(),
): ApduChannel {
  return {
    apduLevel: channel.apduLevel,
    maxCommandBytes: channel.maxCommandBytes,
    gone: channel.gone,
    async transmit(bytes, options) {
      // The caller may clear its own while the key works.
      const command = bytes.slice();
      const begun = now();
      try {
        const response = await channel.transmit(bytes, options);
        record({ command, response, failure: undefined, ms: now() - begun });
        return response;
      } catch (error) {
        const failure = error instanceof TransportError ? error.code : 'failed';
        record({ command, response: undefined, failure, ms: now() - begun });
        throw error;
      } finally {
        command.fill(0);
      }
    },
    close: () => channel.close(),
  };
}
