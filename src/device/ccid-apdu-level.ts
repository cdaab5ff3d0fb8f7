import { TransportError } from '../apdu/channel.ts';
import { chainParameter, ResponseJoiner, segmentCommand } from './ccid.ts';
import type { CcidSlot } from './ccid-slot.ts';
import type { Turn } from './turns.ts';

/** Carries a command APDU to a reader that takes short ones whole (CCID 1.1 §6.1.4). */
export async function exchangeShortApdu(slot: CcidSlot, command: Uint8Array, turn: Turn): Promise<Uint8Array> {
  // bChainParameter is reserved at this level, and not every reader leaves it zero.
  return (await slot.transfer(command, chainParameter.whole, turn)).data;
}

/**
 * Carries a command APDU to a reader that takes extended ones, in as many blocks as it takes each way (CCID 1.1 §6.1.4,
 * §6.2.1).
 * @param maxBlockBytes dwMaxCCIDMessageLength − 10
 * @throws TransportError `malformed` for blocks out of place
 */
export async function exchangeExtendedApdu(
  slot: CcidSlot,
  command: Uint8Array,
  maxBlockBytes: number,
  turn: Turn,
): Promise<Uint8Array> {
  let reply;
  for (const { data, level } of segmentCommand(command, maxBlockBytes)) {
    if (reply && (reply.specific !== chainParameter.empty || reply.data.length > 0)) {
      throw new TransportError('malformed', 'the reader answers before the command is whole');
    }
    if (reply) turn.restart();
    reply = await slot.transfer(data, level, turn);
  }
  const response = new ResponseJoiner();
  for (;;) {
    const whole = reply && response.push(reply.specific, reply.data);
    if (whole) return whole;
    turn.restart();
    reply = await slot.transfer(new Uint8Array(), chainParameter.empty, turn);
  }
}
