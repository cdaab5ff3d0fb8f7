import { TransportError } from '../apdu/channel.ts';
import { transportErrorFrom } from './browser-errors.ts';
import type { CcidBulk } from './ccid-bulk.ts';
import {
  abortMessage,
  answers,
  ccidFailure,
  type CcidReply,
  getParameters,
  getSlotStatus,
  iccPowerOff,
  iccPowerOn,
  isSlotBusy,
  parseReply,
  replyType,
  setParameters,
  xfrBlock,
} from './ccid.ts';
import { pause, stopIfOver, type Turn } from './turns.ts';

const abortTimeoutMs = 2000;
const maxExtendedTimeoutMs = 60_000;
// Bounds against a reader that never comes to the point.
const maxDiscarded = 32;
/** Longer than a slow chip makes an RSA key pair, and than anybody takes to press a key's button. */
const maxExtensionMs = 300_000;
const maxTimeExtensions = 512;
const maxBusyReplies = 20;
const busyPauseMs = 100;

/** The one slot of a USBKEY: asks a command, gets its reply. */
export class CcidSlot {
  readonly #device: USBDevice;
  readonly #interfaceNumber: number;
  readonly #bulk: CcidBulk;
  readonly #slot = 0;
  #seq = 0;
  /** The sequence number of a command whose reply was given up. */
  #abandoned: number | undefined;
  #powered = false;
  readonly #onAbsent: () => void;

  /** @param onAbsent called when the reader says that its chip is gone */
  constructor(device: USBDevice, interfaceNumber: number, bulk: CcidBulk, onAbsent: () => void) {
    this.#device = device;
    this.#interfaceNumber = interfaceNumber;
    this.#bulk = bulk;
    this.#onAbsent = onAbsent;
  }

  /** Whether a command's reply was given up: `abortAbandoned` comes first then. */
  get abandoned(): boolean {
    return this.#abandoned !== undefined;
  }

  /** Whether the chip has power, as far as the reader has said. */
  get powered(): boolean {
    return this.#powered;
  }

  /**
   * Finds a chip in the slot and powers it on, automatic voltage first: some keys refuse a chosen one.
   * @param voltages bVoltageSupport
   * @returns the answer to reset
   * @throws TransportError `failed` for an empty slot; what the reader refuses it with
   */
  async powerOn(voltages: number, turn: Turn): Promise<Uint8Array> {
    const status = await this.#ask((seq) => getSlotStatus(this.#slot, seq), replyType.slotStatus, turn);
    if (status.icc === 'absent') throw new TransportError('failed', 'the reader holds no chip');
    const chosen = ([1, 2, 3] as const).filter((select) => voltages & (1 << (select - 1)));
    let refusal: CcidReply | undefined;
    for (const select of [0, ...chosen] as const) {
      const reply = await this.#ask((seq) => iccPowerOn(this.#slot, seq, select), replyType.dataBlock, turn);
      if (reply.command === 'done') {
        this.#powered = true;
        return reply.data;
      }
      refusal = reply;
    }
    throw refusal ? ccidFailure(refusal) : new TransportError('failed', 'no voltage to try');
  }

  async powerOff(turn: Turn): Promise<void> {
    this.#powered = false;
    await this.#ask((seq) => iccPowerOff(this.#slot, seq), replyType.slotStatus, turn);
  }

  /**
   * @param parameters abProtocolDataStructure (CCID 1.1 §6.1.7)
   * @throws TransportError when the reader refuses them
   */
  async setParameters(protocol: 0 | 1, parameters: Uint8Array, turn: Turn): Promise<void> {
    await this.#ask((seq) => setParameters(this.#slot, seq, protocol, parameters), replyType.parameters, turn, true);
  }

  /** The protocol that the reader has chosen by itself, bProtocolNum; undefined where it does not tell. */
  async protocol(turn: Turn): Promise<number | undefined> {
    const reply = await this.#ask((seq) => getParameters(this.#slot, seq), replyType.parameters, turn);
    return reply.command === 'done' ? reply.specific : undefined;
  }

  /**
   * Hands one block to the chip, or asks for more of its answer.
   * @param level wLevelParameter
   * @throws TransportError what the reader's refusal means
   */
  transfer(data: Uint8Array, level: number, turn: Turn): Promise<CcidReply> {
    return this.#ask((seq) => xfrBlock(this.#slot, seq, data, level), replyType.dataBlock, turn, true);
  }

  /** The same, with the reader's refusal as a reply. @param waiting bBWI */
  async tryTransfer(data: Uint8Array, level: number, turn: Turn, waiting: number): Promise<CcidReply> {
    const build = (seq: number) => xfrBlock(this.#slot, seq, data, level, waiting);
    const reply = await this.#ask(build, replyType.dataBlock, turn);
    if (reply.command === 'failed') this.#noteChip(reply);
    return reply;
  }

  /**
   * Ends a command whose reply was given up (CCID 1.1 §5.3.1, §6.1.13), so that the reader takes a new one. A reader that
   * does not answer an abort is spoken to all the same: the sequence number keeps late replies apart.
   */
  async abortAbandoned(turn: Turn): Promise<void> {
    const seq = this.#abandoned;
    if (seq === undefined) return;
    this.#abandoned = undefined;
    const setup: USBControlTransferParameters = {
      requestType: 'class',
      recipient: 'interface',
      request: 0x01,
      value: this.#slot | (seq << 8),
      index: this.#interfaceNumber,
    };
    try {
      await turn.part(abortTimeoutMs, async (part) => {
        await this.#device.controlTransferOut(setup);
        stopIfOver(part);
        const message = await this.#bulk.exchange(abortMessage(this.#slot, seq), part);
        await this.#readOn(parseReply(message), seq, replyType.slotStatus, part);
      });
    } catch (error) {
      const { code } = transportErrorFrom(error, 'transfer');
      if (code === 'disconnected' || code === 'cancelled') throw error;
    }
    stopIfOver(turn);
  }

  /**
   * Sends one command and reads its reply, past leftovers, time extensions and a busy reader, all bounded.
   * @param mustSucceed whether a refusal is thrown
   */
  async #ask(
    build: (seq: number) => Uint8Array<ArrayBuffer>,
    expectedType: number,
    turn: Turn,
    mustSucceed = false,
  ): Promise<CcidReply> {
    for (let busy = 0; ; busy++) {
      const seq = this.#seq;
      this.#seq = (seq + 1) & 0xff;
      this.#abandoned = seq;
      let reply = parseReply(await this.#bulk.exchange(build(seq), turn));
      if (!this.#isFinal(reply, seq, expectedType)) reply = await this.#readOn(reply, seq, expectedType, turn);
      this.#abandoned = undefined;
      if (reply.command === 'done') return reply;
      if (reply.command === 'unknown') throw new TransportError('malformed', 'reserved bmCommandStatus');
      if (isSlotBusy(reply) && busy < maxBusyReplies) {
        await pause(busyPauseMs, turn);
        continue;
      }
      if (!mustSucceed) return reply;
      this.#noteChip(reply);
      throw ccidFailure(reply);
    }
  }

  #isFinal(reply: CcidReply, seq: number, expectedType: number): boolean {
    return reply.command !== 'timeExtension' && answers(reply, this.#slot, seq, expectedType);
  }

  /** Reads on until the command is answered. @param first what the reader has sent since the command */
  async #readOn(first: CcidReply, seq: number, expectedType: number, turn: Turn): Promise<CcidReply> {
    let reply = first;
    const begun = performance.now();
    for (let discarded = 0, extensions = 0; !this.#isFinal(reply, seq, expectedType);) {
      if (!answers(reply, this.#slot, seq, expectedType)) {
        if (++discarded > maxDiscarded) throw new TransportError('malformed', 'only replies to other commands arrive');
      } else {
        const isEndless = ++extensions > maxTimeExtensions || performance.now() - begun > maxExtensionMs;
        if (isEndless) throw new TransportError('timeout', 'time extensions without end');
        turn.restart(Math.max(turn.timeoutMs, Math.min(turn.timeoutMs * reply.error, maxExtendedTimeoutMs)));
      }
      reply = parseReply(await this.#bulk.receive(turn));
    }
    return reply;
  }

  /** What a refusal says of the chip. */
  #noteChip(refusal: CcidReply): void {
    // Without power every further block would fail; the next exchange switches it on again.
    if (refusal.icc !== 'active') this.#powered = false;
    if (refusal.icc === 'absent') this.#onAbsent();
  }
}
