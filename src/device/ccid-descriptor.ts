import { TransportError } from '../apdu/channel.ts';
import { ccidHeaderBytes, viewOf } from './ccid.ts';

/*
 * The class descriptor of a CCID reader (CCID 1.1 §5.1), which says what it can do. Integers are little-endian.
 */

/** Room that every reader has, even one that announces less: dwMaxCCIDMessageLength is 261 + 10 at least (§5.1). */
const minMaxMessageBytes = 271;
const maxMaxMessageBytes = 65_544 + ccidHeaderBytes;

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
  /** dwMaxIFSD: the longest information field of a T=1 block that the reader can receive, bytes. */
  readonly maxIfsd: number;
  /** dwFeatures, what the reader does by itself where a host would otherwise have to. */
  readonly automatic: {
    /** Sets the protocol's parameters from the answer to reset, or by a negotiation of its own. */
    readonly parameters: boolean;
    /** Agrees on the speed with the chip (PPS). */
    readonly pps: boolean;
    /** Tells the chip its IFSD before the first T=1 block. */
    readonly ifsd: boolean;
  };
}

// Bits of dwFeatures.
const feature = {
  parametersFromAtr: 0x02,
  ownNegotiation: 0x40,
  pps: 0x80,
  ifsd: 0x400,
  tpdu: 0x1_0000,
  shortApdu: 0x2_0000,
  extendedApdu: 0x4_0000,
} as const;

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
  const features = view.getUint32(40, true);
  const has = (bit: number) => (features & bit) !== 0;
  const announced = view.getUint32(44, true);
  return {
    level: has(feature.extendedApdu)
      ? 'extendedApdu'
      : has(feature.shortApdu)
        ? 'shortApdu'
        : has(feature.tpdu)
          ? 'tpdu'
          : 'character',
    maxMessageBytes: Math.min(Math.max(announced, minMaxMessageBytes), maxMaxMessageBytes),
    voltages: view.getUint8(5),
    maxSlotIndex: view.getUint8(4),
    // ISO/IEC 7816-3 §11.4.2: 32 by default, 254 at most.
    maxIfsd: Math.min(Math.max(view.getUint32(28, true), 32), 254),
    automatic: {
      parameters: has(feature.parametersFromAtr) || has(feature.ownNegotiation),
      pps: has(feature.pps) || has(feature.ownNegotiation),
      ifsd: has(feature.ifsd),
    },
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
