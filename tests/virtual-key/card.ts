/** What stands behind a reader: it takes whole command APDUs while it has power. */
export interface Card {
  /** Longest command APDU in bytes; `short` cards know no extended-length APDUs. */
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  /** Historical bytes and protocol of the answer to reset (ISO/IEC 7816-3 §8). */
  readonly answerToReset: Uint8Array;
  /** Gives power. All volatile state is fresh. */
  powerUp(): void;
  /** Takes power away; what runs ends in a `PowerCutError`. */
  powerDown(): void;
  /**
   * Carries out one command and returns data ‖ SW1 SW2.
   * @param onSlow called when the command turns out to take longer than a host waits without a time extension
   * @throws PowerCutError
   */
  transmit(command: Uint8Array, onSlow: () => void): Promise<Uint8Array>;
}
