import { TransportError } from '../apdu/channel.ts';
import { collectChained, sendChained } from './ccid-apdu-level.ts';
import type { CcidDescriptor } from './ccid-descriptor.ts';
import type { CcidSlot } from './ccid-slot.ts';
import { ccidFailure, ccidHeaderBytes, chainParameter, isChipSilent } from './ccid.ts';
import { type AnswerToReset, parseAtr, protocolParameters, takesExtendedLength } from './tpdu-atr.ts';
import { exchangeT0 } from './tpdu-t0.ts';
import { T1Link } from './tpdu-t1.ts';
import type { Turn } from './turns.ts';

/** What carries APDUs to a chip that has power. */
export interface Link {
  readonly apduLevel: 'short' | 'extended';
  readonly maxCommandBytes: number;
  /** Whether only a reset of the chip helps. */
  readonly broken: boolean;
  exchange(command: Uint8Array, turn: Turn): Promise<Uint8Array>;
}

/** The longest APDUs: 4 + 1 + 255 + 1 and 4 + 3 + 65535 + 2 bytes. */
const maxCommandBytes = { short: 261, extended: 65_544 } as const;

/**
 * Powers the chip on and agrees with it on how to speak, as far as the reader leaves that to the host.
 * @throws TransportError `failed` for a slot without a chip, a reader at character level, or a chip whose protocol is
 *   neither T=0 nor T=1 with LRC; `malformed` for an answer to reset that is none
 */
export async function powerOnLink(slot: CcidSlot, descriptor: CcidDescriptor, turn: Turn): Promise<Link> {
  if (descriptor.level === 'character') throw new TransportError('failed', 'the reader works at character level');
  const answer = await slot.powerOn(descriptor.voltages, turn);
  // At the levels of APDUs all else is the reader's: CCID 1.1 §5.1 has it set the parameters from the answer to reset.
  if (descriptor.level !== 'tpdu') return apduLink(slot, descriptor);
  const atr = parseAtr(answer);
  const protocol = descriptor.automatic.parameters
    ? ((await slot.protocol(turn)) ?? protocolOf(atr))
    : await setProtocol(slot, atr, turn);
  if (protocol === 0) return t0Link(slot);
  if (protocol === 1 && atr.check === 'lrc') return t1Link(slot, descriptor, atr);
  throw new TransportError('failed', `a chip that speaks T=${protocol}, ${atr.check}`);
}

function protocolOf(atr: AnswerToReset): number {
  return atr.specific ?? atr.protocols[0] ?? 0;
}

async function setProtocol(slot: CcidSlot, atr: AnswerToReset, turn: Turn): Promise<number> {
  const protocol = protocolOf(atr);
  if (protocol !== 0 && protocol !== 1) return protocol;
  await slot.setParameters(protocol, protocolParameters(atr, protocol), turn);
  return protocol;
}

function apduLink(slot: CcidSlot, { level, maxMessageBytes }: CcidDescriptor): Link {
  const apduLevel = level === 'extendedApdu' ? 'extended' : 'short';
  const maxBlockBytes = maxMessageBytes - ccidHeaderBytes;
  return {
    apduLevel,
    maxCommandBytes: maxCommandBytes[apduLevel],
    broken: false,
    async exchange(command, turn) {
      // What fits goes whole; only readers of short APDUs never chain, and what they say of it is reserved.
      const reply =
        command.length <= maxBlockBytes
          ? await slot.transfer(command, chainParameter.whole, turn)
          : await sendChained(slot, command, maxBlockBytes, turn);
      const isWhole = apduLevel === 'short' || reply.specific === chainParameter.whole;
      return isWhole ? reply.data : await collectChained(slot, reply, turn);
    },
  };
}

function t0Link(slot: CcidSlot): Link {
  const transfer = async (tpdu: Uint8Array, turn: Turn) => (await slot.transfer(tpdu, chainParameter.whole, turn)).data;
  return {
    apduLevel: 'short',
    maxCommandBytes: maxCommandBytes.short,
    broken: false,
    exchange: (command, turn) => exchangeT0(command, transfer, turn),
  };
}

function t1Link(slot: CcidSlot, { maxIfsd, automatic }: CcidDescriptor, atr: AnswerToReset): Link {
  const transfer = async (block: Uint8Array, waiting: number, turn: Turn) => {
    const reply = await slot.tryTransfer(block, chainParameter.whole, turn, waiting);
    if (reply.command === 'done') return reply.data;
    // T=1 has its own way out of silence and parity errors.
    if (isChipSilent(reply)) return undefined;
    throw ccidFailure(reply);
  };
  const t1 = new T1Link(transfer, atr.ifsc, maxIfsd, automatic.ifsd);
  const apduLevel = takesExtendedLength(atr) ? 'extended' : 'short';
  return {
    apduLevel,
    maxCommandBytes: maxCommandBytes[apduLevel],
    get broken() {
      return t1.broken;
    },
    exchange: (command, turn) => t1.exchange(command, turn),
  };
}
