import { concatBytes } from '../apdu/bytes.ts';
import { TransportError, type TransportErrorCode } from '../apdu/channel.ts';
import { maxResponseBytes } from '../apdu/response.ts';

/*
 * USB device class "Integrated Circuit(s) Cards Interface Devices", revision 1.1: messages as pure functions of bytes.
 * All integers are little-endian.
 */

/** Bulk-OUT message types (CCID 1.1 §6.1). */
const messageType = { iccPowerOn: 0x62, iccPowerOff: 0x63, getSlotStatus: 0x65, xfrBlock: 0x6f, abort: 0x72 } as const;
/** Bulk-IN message types (CCID 1.1 §6.2). */
export const replyType = { dataBlock: 0x80, slotStatus: 0x81 } as const;

export const ccidHeaderBytes = 10;
/** Room that every reader has, even one that announces less: dwMaxCCIDMessageLength is 261 + 10 at least (§5.1). */
const minMaxMessageBytes = 271;
const maxMaxMessageBytes = 65_544 + ccidHeaderBytes;

// --- class descriptor -------------------------------------------------------------------------------------------------

/** dwFeatures, exchange level (CCID 1.1 §5.1). */
export type ExchangeLevel = 'character' | 'tpdu' | 'shortApdu' | 'extendedApdu';

/** What the sender needs of the class descriptor (CCID 1.1 §5.1, bDescriptorType 21h). */
export interface CcidDescriptor {
  readonly level: ExchangeLevel;
  /** dwMaxCCIDMessageLength: header and data together. */
  readonly maxMessageBytes: number;
  /** bVoltageSupport: bit 0 5 V, bit 1 3 V, bit 2 1.8 V. */
  readonly voltages: number;
  readonly maxSlotIndex: number;
}

const descriptorType = { interface: 0x04, ccid: 0x21 } as const;
const ccidDescriptorBytes = 54;

/**
 * Parses a CCID class descriptor.
 * @throws TransportError `malformed` when it is no such descriptor
 */
export function parseCcidDescriptor(bytes: Uint8Array): CcidDescriptor {
  if (bytes.length !== ccidDescriptorBytes || bytes[0] !== ccidDescriptorBytes || bytes[1] !== descriptorType.ccid) {
    throw new TransportError('malformed', 'not a CCID class descriptor');
  }
  const view = viewOf(bytes);
  const features = view.getUint32(40, true) & 0x0007_0000;
  const level: ExchangeLevel =
    features & 0x0004_0000
      ? 'extendedApdu'
      : features & 0x0002_0000
        ? 'shortApdu'
        : features & 0x0001_0000
          ? 'tpdu'
          : 'character';
  const announced = view.getUint32(44, true);
  return {
    level,
    maxMessageBytes: Math.min(Math.max(announced, minMaxMessageBytes), maxMaxMessageBytes),
    voltages: view.getUint8(5),
    maxSlotIndex: view.getUint8(4),
  };
}

/**
 * Finds the class descriptor of one interface inside a whole configuration descriptor (USB 2.0 §9.6).
 * @returns undefined when that interface has none; never throws
 */
export function findCcidDescriptor(configuration: Uint8Array, interfaceNumber: number): Uint8Array | undefined {
  let current: number | undefined;
  for (let offset = 0; offset + 2 <= configuration.length;) {
    const length = configuration[offset] ?? 0;
    if (length < 2 || offset + length > configuration.length) return undefined;
    const type = configuration[offset + 1];
    if (type === descriptorType.interface) current = configuration[offset + 2];
    if (type === descriptorType.ccid && length === ccidDescriptorBytes && current === interfaceNumber) {
      return configuration.subarray(offset, offset + length);
    }
    offset += length;
  }
  return undefined;
}

// --- messages to the reader -------------------------------------------------------------------------------------------

/** wLevelParameter of XfrBlock and bChainParameter of DataBlock at the extended APDU level (CCID 1.1 §6.1.4, §6.2.1). */
export const chainParameter = { whole: 0x00, begin: 0x01, end: 0x02, middle: 0x03, empty: 0x10 } as const;

function message(type: number, slot: number, seq: number, specific: readonly number[], data = new Uint8Array()) {
  const header = new Uint8Array(ccidHeaderBytes);
  const view = viewOf(header);
  view.setUint8(0, type);
  view.setUint32(1, data.length, true);
  view.setUint8(5, slot);
  view.setUint8(6, seq);
  header.set(specific, 7);
  return concatBytes(header, data);
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
/** PC_to_RDR_XfrBlock (§6.1.4) with bBWI 0. @param level wLevelParameter */
export function xfrBlock(
  slot: number,
  seq: number,
  data: Uint8Array<ArrayBuffer>,
  level: number,
): Uint8Array<ArrayBuffer> {
  return message(messageType.xfrBlock, slot, seq, [0, level & 0xff, level >> 8], data);
}

export interface CommandBlock {
  /** wLevelParameter. */
  readonly level: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * Cuts a command APDU into the blocks that XfrBlock messages carry at the extended APDU level (§6.1.4).
 * @param maxBlockBytes dwMaxCCIDMessageLength − 10, at least 1
 */
export function segmentCommand(apdu: Uint8Array, maxBlockBytes: number): readonly CommandBlock[] {
  const blocks: CommandBlock[] = [];
  for (let offset = 0; offset === 0 || offset < apdu.length; offset += maxBlockBytes) {
    const data = apdu.slice(offset, offset + maxBlockBytes);
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
  /** bChainParameter of a DataBlock, bClockStatus of a SlotStatus. */
  readonly specific: number;
  readonly data: Uint8Array;
}

/**
 * The length of the whole message that starts here, or undefined while its dwLength has not arrived.
 * @throws TransportError `malformed` when it announces more than the reader may send
 */
export function announcedLength(received: Uint8Array, maxMessageBytes: number): number | undefined {
  if (received.length < ccidHeaderBytes) return undefined;
  const length = ccidHeaderBytes + viewOf(received).getUint32(1, true);
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
  const view = viewOf(bytes);
  const status = view.getUint8(7);
  return {
    type: view.getUint8(0),
    slot: view.getUint8(5),
    seq: view.getUint8(6),
    icc: (['active', 'inactive', 'absent', 'unknown'] as const)[status & 3] ?? 'unknown',
    command: (['done', 'failed', 'timeExtension', 'unknown'] as const)[status >> 6] ?? 'unknown',
    error: view.getUint8(8),
    specific: view.getUint8(9),
    data: bytes.slice(ccidHeaderBytes),
  };
}

/**
 * Whether a message answers the command with this slot and sequence number. A message left over from before does not,
 * even where the number happens to be the same; a refusal may always come as SlotStatus.
 */
export function answers(reply: CcidReply, slot: number, seq: number, expectedType: number): boolean {
  if (reply.slot !== slot || reply.seq !== seq) return false;
  return reply.type === expectedType || (reply.type === replyType.slotStatus && reply.command === 'failed');
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

/** What a reply with bmCommandStatus 1 means. 01h..7Fh in bError is the offset of the message byte it objects to. */
export function ccidFailure(reply: CcidReply): TransportError {
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

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
