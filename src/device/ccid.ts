import { concatBytes } from '../apdu/bytes.ts';
import { TransportError, type TransportErrorCode } from '../apdu/channel.ts';
import { maxResponseBytes } from '../apdu/response.ts';

/*
 * USB device class "Integrated Circuit(s) Cards Interface Devices", revision 1.1: messages as pure functions of bytes.
 * All integers are little-endian.
 */

/** Bulk-OUT message types (CCID 1.1 §6.1). */
const messageType = {
  setParameters: 0x61,
  iccPowerOn: 0x62,
  iccPowerOff: 0x63,
  getSlotStatus: 0x65,
  getParameters: 0x6c,
  xfrBlock: 0x6f,
  abort: 0x72,
} as const;
/** Bulk-IN message types (CCID 1.1 §6.2). */
export const replyType = { dataBlock: 0x80, slotStatus: 0x81, parameters: 0x82 } as const;
/** Interrupt-IN message types (CCID 1.1 §6.3). */
const notificationType = { slotChange: 0x50, hardwareError: 0x51 } as const;

export const ccidHeaderBytes = 10;
// --- messages to the reader -------------------------------------------------------------------------------------------

/** wLevelParameter of XfrBlock and bChainParameter of DataBlock at the extended APDU level (CCID 1.1 §6.1.4, §6.2.1). */
export const chainParameter = { whole: 0x00, begin: 0x01, end: 0x02, middle: 0x03, empty: 0x10 } as const;

function message(
  type: number,
  slot: number,
  seq: number,
  specific: readonly number[],
  data?: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const length = data?.length ?? 0;
  const bytes = new Uint8Array(ccidHeaderBytes + length);
  bytes[0] = type;
  bytes[1] = length;
  bytes[2] = length >> 8;
  bytes[3] = length >> 16;
  bytes[5] = slot;
  bytes[6] = seq;
  bytes.set(specific, 7);
  if (data) bytes.set(data, ccidHeaderBytes);
  return bytes;
}

/** PC_to_RDR_IccPowerOn (§6.1.1). @param powerSelect bPowerSelect: 0 automatic, 1 5 V, 2 3 V, 3 1.8 V */
export function iccPowerOn(slot: number, seq: number, powerSelect: 0 | 1 | 2 | 3 = 0): Uint8Array<ArrayBuffer> {
  return message(messageType.iccPowerOn, slot, seq, [powerSelect, 0, 0]);
}
/** PC_to_RDR_IccPowerOff (§6.1.2). */
export function iccPowerOff(slot: number, seq: number): Uint8Array<ArrayBuffer> {
  return message(messageType.iccPowerOff, slot, seq, [0, 0, 0]);
}
/** PC_to_RDR_GetSlotStatus (§6.1.3). */
export function getSlotStatus(slot: number, seq: number): Uint8Array<ArrayBuffer> {
  return message(messageType.getSlotStatus, slot, seq, [0, 0, 0]);
}
/** PC_to_RDR_Abort (§6.1.13). Its bSeq is also in the ABORT control request that goes with it (§5.3.1). */
export function abortMessage(slot: number, seq: number): Uint8Array<ArrayBuffer> {
  return message(messageType.abort, slot, seq, [0, 0, 0]);
}
/**
 * PC_to_RDR_XfrBlock (§6.1.4).
 * @param level wLevelParameter
 * @param waiting bBWI: by how much the block waiting time of T=1 is extended, for this block only
 */
export function xfrBlock(
  slot: number,
  seq: number,
  data: Uint8Array,
  level: number,
  waiting = 0,
): Uint8Array<ArrayBuffer> {
  return message(messageType.xfrBlock, slot, seq, [waiting, level & 0xff, level >> 8], data);
}
/** PC_to_RDR_GetParameters (§6.1.5). */
export function getParameters(slot: number, seq: number): Uint8Array<ArrayBuffer> {
  return message(messageType.getParameters, slot, seq, [0, 0, 0]);
}
/**
 * PC_to_RDR_SetParameters (§6.1.7).
 * @param protocol bProtocolNum: 0 T=0, 1 T=1
 * @param parameters abProtocolDataStructure: 5 bytes for T=0, 7 for T=1
 */
export function setParameters(
  slot: number,
  seq: number,
  protocol: 0 | 1,
  parameters: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return message(messageType.setParameters, slot, seq, [protocol, 0, 0], parameters);
}

export interface CommandBlock {
  /** wLevelParameter. */
  readonly level: number;
  /** A view into the command. */
  readonly data: Uint8Array;
}

/**
 * Cuts a command APDU into the blocks that XfrBlock messages carry at the extended APDU level (§6.1.4).
 * @param maxBlockBytes dwMaxCCIDMessageLength − 10, at least 1
 */
export function segmentCommand(apdu: Uint8Array, maxBlockBytes: number): readonly CommandBlock[] {
  const blocks: CommandBlock[] = [];
  for (let offset = 0; offset === 0 || offset < apdu.length; offset += maxBlockBytes) {
    const data = apdu.subarray(offset, offset + maxBlockBytes);
    const first = offset === 0;
    const last = offset + maxBlockBytes >= apdu.length;
    const level = first
      ? last
        ? chainParameter.whole
        : chainParameter.begin
      : last
        ? chainParameter.end
        : chainParameter.middle;
    blocks.push({ level, data });
  }
  return blocks;
}

// --- messages from the reader -----------------------------------------------------------------------------------------

export interface CcidReply {
  /** bMessageType. */
  readonly type: number;
  readonly slot: number;
  readonly seq: number;
  /** bmICCStatus; `unknown` for the reserved value 3. */
  readonly icc: 'active' | 'inactive' | 'absent' | 'unknown';
  /** bmCommandStatus; `unknown` for the reserved value 3. */
  readonly command: 'done' | 'failed' | 'timeExtension' | 'unknown';
  /** bError: why it failed, or the multiplier of a time extension. */
  readonly error: number;
  /** bChainParameter of a DataBlock, bClockStatus of a SlotStatus, bProtocolNum of Parameters. */
  readonly specific: number;
  /** A view into the message. */
  readonly data: Uint8Array;
}

const iccStatus = ['active', 'inactive', 'absent', 'unknown'] as const;
const commandStatus = ['done', 'failed', 'timeExtension', 'unknown'] as const;

/**
 * The length of the whole message that starts here, or undefined while its dwLength has not arrived.
 * @throws TransportError `malformed` when it announces more than the reader may send
 */
export function announcedLength(received: Uint8Array, maxMessageBytes: number): number | undefined {
  if (received.length < ccidHeaderBytes) return undefined;
  const length = ccidHeaderBytes + uint32At(received, 1);
  if (length > maxMessageBytes) throw new TransportError('malformed', `a CCID message announces ${length} bytes`);
  return length;
}

/**
 * Parses a whole bulk-IN message (CCID 1.1 §6.2).
 * @throws TransportError `malformed` when it is shorter than its header or dwLength is not what arrived
 */
export function parseReply(bytes: Uint8Array): CcidReply {
  if (announcedLength(bytes, Infinity) !== bytes.length) {
    throw new TransportError('malformed', `dwLength does not match the ${bytes.length} bytes of the CCID message`);
  }
  const status = bytes[7] ?? 0;
  return {
    type: bytes[0] ?? 0,
    slot: bytes[5] ?? 0,
    seq: bytes[6] ?? 0,
    icc: iccStatus[status & 3] ?? 'unknown',
    command: commandStatus[status >> 6] ?? 'unknown',
    error: bytes[8] ?? 0,
    specific: bytes[9] ?? 0,
    data: bytes.subarray(ccidHeaderBytes),
  };
}

/**
 * Whether a message answers the command with this slot and sequence number. A message left over from before does not,
 * even where the number happens to be the same; a refusal or a time extension may always come as SlotStatus.
 */
export function answers(reply: CcidReply, slot: number, seq: number, expectedType: number): boolean {
  if (reply.slot !== slot || reply.seq !== seq) return false;
  return reply.type === expectedType || (reply.type === replyType.slotStatus && reply.command !== 'done');
}

// bError of a failed command (CCID 1.1 §6.2.6).
const errorMeanings: ReadonlyMap<number, readonly [TransportErrorCode, string]> = new Map([
  [0xff, ['cancelled', 'command aborted']],
  [0xfe, ['timeout', 'the chip is mute']],
  [0xfd, ['failed', 'parity error between reader and chip']],
  [0xfc, ['failed', 'overrun between reader and chip']],
  [0xfb, ['failed', 'hardware error of the reader']],
  [0xf8, ['failed', 'bad ATR TS']],
  [0xf7, ['failed', 'bad ATR TCK']],
  [0xf6, ['failed', 'protocol of the chip not supported']],
  [0xf5, ['failed', 'class of the chip not supported']],
  [0xf4, ['failed', 'procedure byte conflict']],
  [0xf3, ['failed', 'deactivated protocol']],
  [0xf2, ['failed', 'busy with its automatic sequence']],
  [0xf0, ['timeout', 'password entry timed out']],
  [0xef, ['cancelled', 'password entry cancelled']],
  [0xe0, ['failed', 'slot busy']],
  [0x00, ['failed', 'command not supported']],
]);

/** The reader was busy with something else and did nothing: the same command may be sent again in a moment. */
export function isSlotBusy({ command, error }: CcidReply): boolean {
  return command === 'failed' && (error === 0xe0 || error === 0xf2);
}

/** The chip, still powered, has said nothing in time (FE), or its bytes were garbled on the way (FD). */
export function isChipSilent({ command, icc, error }: CcidReply): boolean {
  return command === 'failed' && icc === 'active' && (error === 0xfe || error === 0xfd);
}

/** What a reply with bmCommandStatus 1 means. 01h..7Fh in bError is the offset of the message byte it objects to. */
export function ccidFailure(reply: CcidReply): TransportError {
  if (reply.icc === 'absent') return new TransportError('disconnected', 'the chip is not in the reader any more');
  const [code, text] = errorMeanings.get(reply.error) ?? ['failed', reply.error < 0x80 ? 'bad parameter' : 'own error'];
  return new TransportError(code, `CCID bError ${reply.error.toString(16).padStart(2, '0')}: ${text}`);
}

/** Joins the blocks of a response APDU at the extended APDU level (CCID 1.1 §6.2.1). */
export class ResponseJoiner {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /**
   * Takes the next DataBlock's data.
   * @returns the whole response, or undefined while there is more to ask for
   * @throws TransportError `malformed` for a chain parameter out of place, an empty block or a response without end
   */
  push(chain: number, data: Uint8Array): Uint8Array | undefined {
    const first = this.#parts.length === 0;
    const last = chain === chainParameter.whole || chain === chainParameter.end;
    const inPlace = first
      ? chain === chainParameter.whole || chain === chainParameter.begin
      : chain === chainParameter.middle || chain === chainParameter.end;
    this.#length += data.length;
    if (!inPlace || (!last && data.length === 0) || this.#length > maxResponseBytes) {
      throw new TransportError('malformed', `CCID chain parameter ${chain} with ${data.length} bytes out of place`);
    }
    this.#parts.push(data);
    return last ? concatBytes(...this.#parts) : undefined;
  }
}

// --- notifications from the reader ------------------------------------------------------------------------------------

/** What the reader says of its own accord on its interrupt endpoint. */
export type CcidNotification =
  /** RDR_to_PC_NotifySlotChange (CCID 1.1 §6.3.1): which slots hold a chip now. */
  | { readonly kind: 'slotChange'; readonly present: readonly boolean[] }
  /** RDR_to_PC_HardwareError (§6.3.2). */
  | { readonly kind: 'hardwareError'; readonly slot: number; readonly seq: number; readonly error: number };

/** Parses an interrupt-IN message. @returns undefined for what is none; never throws */
export function parseNotification(bytes: Uint8Array): CcidNotification | undefined {
  const [type, slot = 0, seq = 0, error = 0] = bytes;
  if (type === notificationType.hardwareError && bytes.length === 4) return { kind: 'hardwareError', slot, seq, error };
  if (type !== notificationType.slotChange || bytes.length < 2) return undefined;
  // Two bits a slot, the first slot lowest: whether a chip is there, and whether that has changed.
  const present = Array.from(bytes.subarray(1), (byte) => [1, 4, 16, 64].map((bit) => (byte & bit) !== 0)).flat();
  return { kind: 'slotChange', present };
}

/** Little-endian. Not by shifting alone: the top bit would make it negative. */
function uint32At(bytes: Uint8Array, offset: number): number {
  const low = (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16);
  return low + (bytes[offset + 3] ?? 0) * 0x100_0000;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
