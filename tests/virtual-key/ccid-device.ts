import { concatBytes } from './bytes.ts';
import type { Card } from './card.ts';
import type { PacketSink, UsbDeviceModel, UsbIdentity, UsbInterfaceModel } from './device-models.ts';
import { PowerCutError } from './faults.ts';

/** Message types (CCID 1.1 §6). */
const out = {
  setParameters: 0x61,
  powerOn: 0x62,
  powerOff: 0x63,
  getSlotStatus: 0x65,
  secure: 0x69,
  escape: 0x6b,
  getParameters: 0x6c,
  resetParameters: 0x6d,
  transfer: 0x6f,
  abort: 0x72,
} as const;
/** What cannot be done while the card answers somebody else. */
const needsCard: ReadonlySet<number> = new Set([out.powerOn, out.powerOff, out.transfer]);
const inbound = { dataBlock: 0x80, slotStatus: 0x81, parameters: 0x82, escape: 0x83 } as const;

/** bError (CCID 1.1 table 6.2-2); 1…127 are the offset of the field that is wrong. */
const slotErrors = { unsupported: 0x00, slotBusy: 0xe0, mute: 0xfe, aborted: 0xff } as const;
const fieldOffsets = { length: 1, slot: 5, powerSelect: 7, levelParameter: 8 } as const;

const headerBytes = 10;
const bulkPacket = 64;
const endpoints = { bulkOut: 1, bulkIn: 1, interruptIn: 2 } as const;
/** dwMaxCCIDMessageLength: header and one short command. Longer extended ones come in chained blocks. */
const maxMessageBytes = 271;
const maxBlockBytes = maxMessageBytes - headerBytes;
/** Protocol T=1: Fi/Di, LRC, no guard time, waiting integers, no clock stop, IFSC 254, NAD 0 (CCID 1.1 §6.1.7). */
const parametersT1 = Uint8Array.of(0x11, 0x10, 0x00, 0x15, 0x00, 0xfe, 0x00);

/** wLevelParameter and bChainParameter (CCID 1.1 §6.1.4, §6.2.1). */
const chain = { whole: 0, begin: 1, end: 2, middle: 3, empty: 0x10 } as const;

/** Class descriptor (CCID 1.1 §5.1), 54 bytes: one slot, T=1, the card's APDU level, automatic voltage and parameters. */
export function ccidDescriptor(apduLevel: Card['apduLevel']): Uint8Array {
  const descriptor = new Uint8Array(54);
  const view = new DataView(descriptor.buffer);
  descriptor.set([54, 0x21]);
  view.setUint16(2, 0x0110, true);
  descriptor[4] = 0; // bMaxSlotIndex
  descriptor[5] = 7; // bVoltageSupport
  view.setUint32(6, 2, true); // dwProtocols: T=1
  view.setUint32(10, 4000, true);
  view.setUint32(14, 4000, true);
  view.setUint32(19, 9600, true);
  view.setUint32(23, 9600, true);
  view.setUint32(28, 254, true); // dwMaxIFSD
  view.setUint32(40, (apduLevel === 'short' ? 0x0002_0000 : 0x0004_0000) | 0x04fe, true); // dwFeatures
  view.setUint32(44, maxMessageBytes, true);
  descriptor.set([0xff, 0xff], 48); // bClassGetResponse, bClassEnvelope: echo
  descriptor[53] = 1; // bMaxCCIDBusySlots
  return descriptor;
}

interface Message {
  readonly type: number;
  readonly slot: number;
  readonly sequence: number;
  readonly specific: readonly [number, number, number];
  readonly data: Uint8Array;
}

export interface CcidFace {
  /** Vendor-specific, which pages may claim, or the smart-card class, which they may not. */
  readonly interfaceClass?: 0xff | 0x0b;
  readonly interfaceNumber?: number;
  /** False while the card answers somebody else on the same key: the slot is busy. */
  readonly isFree?: () => boolean;
}

/** A CCID reader with its card built in: the inside of a USBKEY. */
export class CcidDevice implements UsbDeviceModel {
  readonly identity: UsbIdentity;
  readonly interfaces: readonly UsbInterfaceModel[];
  readonly #card: Card;
  readonly #isFree: () => boolean;
  #send: PacketSink = () => undefined;
  #received: Uint8Array = new Uint8Array(0);
  #active = false;
  #work: Promise<void> = Promise.resolve();
  /** The command being carried out: one at a time. */
  #current: Message | undefined;
  /** The command that comes in chained blocks so far. */
  #incoming: Uint8Array | undefined;
  /** The rest of an answer that goes out in chained blocks. */
  #outgoing: Uint8Array | undefined;
  /** bSeq of an ABORT control request whose bulk message has not come yet. */
  #aborting: number | undefined;

  constructor(card: Card, identity: UsbIdentity, face: CcidFace = {}) {
    this.#card = card;
    this.#isFree = face.isFree ?? ((): boolean => true);
    this.identity = identity;
    this.interfaces = [
      {
        interfaceNumber: face.interfaceNumber ?? 0,
        interfaceClass: face.interfaceClass ?? 0xff,
        interfaceSubclass: 0,
        interfaceProtocol: 0,
        classDescriptor: ccidDescriptor(card.apduLevel),
        endpoints: [
          { endpointNumber: endpoints.bulkOut, direction: 'out', type: 'bulk', packetSize: bulkPacket },
          { endpointNumber: endpoints.bulkIn, direction: 'in', type: 'bulk', packetSize: bulkPacket },
          { endpointNumber: endpoints.interruptIn, direction: 'in', type: 'interrupt', packetSize: 8 },
        ],
      },
    ];
  }

  powerUp(send: PacketSink): void {
    this.#send = send;
    this.#start();
    this.#send(endpoints.interruptIn, Uint8Array.of(0x50, 0x03)); // NotifySlotChange: a card is there, and is new
  }

  powerDown(): void {
    this.#send = () => undefined;
    this.#deactivate();
  }

  reset(): void {
    this.#deactivate();
    this.#start();
  }

  #start(): void {
    this.#received = new Uint8Array(0);
    this.#current = undefined;
    this.#aborting = undefined;
    this.#forgetChains();
  }

  #deactivate(): void {
    this.#active = false;
    this.#card.powerDown();
    this.#forgetChains();
  }

  #forgetChains(): void {
    this.#incoming = undefined;
    this.#outgoing = undefined;
  }

  async idle(): Promise<void> {
    await this.#work;
  }

  controlIn(): Uint8Array | undefined {
    return undefined; // one fixed clock and data rate: there is nothing to list (CCID 1.1 §5.3.2, §5.3.3)
  }

  controlOut(setup: USBControlTransferParameters): boolean {
    if (setup.requestType !== 'class' || setup.recipient !== 'interface' || setup.request !== 0x01) return false;
    this.#aborting = setup.value >> 8;
    return true;
  }

  receive(endpointNumber: number, data: Uint8Array): boolean {
    if (endpointNumber !== endpoints.bulkOut) return false;
    this.#received = concatBytes(this.#received, data);
    for (;;) {
      if (this.#received.length < headerBytes) return true;
      const view = new DataView(this.#received.buffer, this.#received.byteOffset);
      const length = view.getUint32(1, true);
      const [type = 0, , , , , slot = 0, sequence = 0, a = 0, b = 0, c = 0] = this.#received;
      if (length > maxBlockBytes) {
        // No buffer for it: say so and take up again with the next transfer.
        this.#received = new Uint8Array(0);
        const message = { type, slot, sequence, specific: [a, b, c] as const, data: this.#received };
        this.#fail(message, fieldOffsets.length);
        return true;
      }
      if (this.#received.length < headerBytes + length) return true;
      const message = {
        type,
        slot,
        sequence,
        specific: [a, b, c] as const,
        data: this.#received.slice(headerBytes, headerBytes + length),
      };
      this.#received = this.#received.slice(headerBytes + length);
      this.#take(message);
    }
  }

  #take(message: Message): void {
    if (message.slot !== 0) {
      this.#reply(message, answerType(message.type), { icc: 2, error: fieldOffsets.slot });
      return;
    }
    if (message.type === out.abort) {
      this.#abort(message);
      return;
    }
    if (this.#aborting !== undefined) {
      this.#fail(message, slotErrors.aborted);
      return;
    }
    if (this.#current || (needsCard.has(message.type) && !this.#isFree())) {
      this.#fail(message, slotErrors.slotBusy);
      return;
    }
    this.#current = message;
    this.#work = this.#handle(message).finally(() => {
      if (this.#current === message) this.#current = undefined;
    });
  }

  #abort(message: Message): void {
    if (this.#aborting !== undefined && this.#aborting !== message.sequence) {
      this.#fail(message, slotErrors.aborted);
      return;
    }
    if (this.#aborting === undefined) {
      this.#fail(message, slotErrors.unsupported);
      return;
    }
    this.#aborting = undefined;
    this.#forgetChains();
    this.#reply(message, inbound.slotStatus);
  }

  async #handle(message: Message): Promise<void> {
    switch (message.type) {
      case out.powerOn: {
        this.#powerOn(message);
        return;
      }
      case out.powerOff:
        this.#deactivate();
        {
          this.#reply(message, inbound.slotStatus);
          return;
        }
      case out.getSlotStatus: {
        this.#reply(message, inbound.slotStatus);
        return;
      }
      case out.getParameters:
      case out.resetParameters:
        if (!this.#active) {
          this.#fail(message, slotErrors.mute);
          return;
        }
        {
          this.#reply(message, inbound.parameters, { data: parametersT1, parameter: 1 });
          return;
        }
      case out.setParameters:
        if (!this.#active) {
          this.#fail(message, slotErrors.mute);
          return;
        }
        if (message.specific[0] !== 1) {
          this.#fail(message, 7);
          return;
        }
        if (message.data.length !== parametersT1.length) {
          this.#fail(message, fieldOffsets.length);
          return;
        }
        {
          this.#reply(message, inbound.parameters, { data: parametersT1, parameter: 1 });
          return;
        }
      case out.transfer:
        return this.#transfer(message);
      default: {
        this.#fail(message, slotErrors.unsupported);
        return;
      }
    }
  }

  #powerOn(message: Message): void {
    // Only automatic voltage: some keys refuse a chosen one.
    if (message.specific[0] !== 0) {
      this.#fail(message, fieldOffsets.powerSelect);
      return;
    }
    this.#forgetChains();
    this.#card.powerUp();
    this.#active = true;
    this.#reply(message, inbound.dataBlock, { data: this.#card.answerToReset });
  }

  async #transfer(message: Message): Promise<void> {
    if (!this.#active) {
      this.#fail(message, slotErrors.mute);
      return;
    }
    const level = message.specific[1] | (message.specific[2] << 8);
    if (this.#outgoing) {
      if (level !== chain.empty || message.data.length > 0) {
        this.#fail(message, fieldOffsets.levelParameter);
        return;
      }
      this.#sendBlock(message, this.#outgoing, false);
      return;
    }
    if (this.#card.apduLevel === 'short' && level !== chain.whole) {
      this.#fail(message, fieldOffsets.levelParameter);
      return;
    }
    const begun = this.#incoming;
    this.#incoming = undefined;
    const continues = level === chain.middle || level === chain.end;
    const starts = level === chain.whole || level === chain.begin;
    if (continues ? begun === undefined : !starts || begun !== undefined) {
      this.#fail(message, fieldOffsets.levelParameter);
      return;
    }
    const command = begun ? concatBytes(begun, message.data) : message.data;
    if (level === chain.begin || level === chain.middle) {
      if (command.length > this.#card.maxCommandBytes) {
        this.#fail(message, fieldOffsets.length);
        return;
      }
      this.#incoming = command;
      this.#reply(message, inbound.dataBlock, { parameter: chain.empty });
      return;
    }
    try {
      const answer = await this.#card.transmit(command, () => this.#extendTime(message));
      this.#sendBlock(message, answer, true);
    } catch (error) {
      if (!(error instanceof PowerCutError)) throw error;
    }
  }

  #sendBlock(message: Message, answer: Uint8Array, first: boolean): void {
    const rest = answer.slice(maxBlockBytes);
    this.#outgoing = rest.length > 0 ? rest : undefined;
    const parameter = rest.length > 0 ? (first ? chain.begin : chain.middle) : first ? chain.whole : chain.end;
    this.#reply(message, inbound.dataBlock, { data: answer.slice(0, maxBlockBytes), parameter });
  }

  /** "Still working": bmCommandStatus 2, and in bError the factor for the waiting time. */
  #extendTime(message: Message): void {
    this.#reply(message, inbound.dataBlock, { status: 2, error: 4 });
  }

  #fail(message: Message, error: number): void {
    this.#reply(message, answerType(message.type), { status: 1, error });
  }

  #reply(
    message: Message,
    type: number,
    fields: { data?: Uint8Array; icc?: number; status?: number; error?: number; parameter?: number } = {},
  ): void {
    const { data = new Uint8Array(0), icc = this.#active ? 0 : 1, error = 0, parameter = 0 } = fields;
    const status = fields.status ?? (icc === 2 ? 1 : 0);
    const header = new Uint8Array(headerBytes);
    header[0] = type;
    new DataView(header.buffer).setUint32(1, data.length, true);
    header.set([message.slot, message.sequence, (status << 6) | icc, error, parameter], 5);
    const whole = concatBytes(header, data);
    for (let offset = 0; offset < whole.length; offset += bulkPacket)
      this.#send(endpoints.bulkIn, whole.slice(offset, offset + bulkPacket));
    // A transfer ends with a short packet, be it an empty one (USB 2.0 §5.8.3).
    if (whole.length % bulkPacket === 0) this.#send(endpoints.bulkIn, new Uint8Array(0));
  }
}

/** Which message answers which (CCID 1.1 table 6.1-1). */
function answerType(type: number): number {
  if (type === out.powerOn || type === out.transfer || type === out.secure) return inbound.dataBlock;
  if (type === out.getParameters || type === out.resetParameters || type === out.setParameters)
    return inbound.parameters;
  return type === out.escape ? inbound.escape : inbound.slotStatus;
}
