import { TransportError } from '../apdu/channel.ts';
import { type CcidReply, chainParameter, ResponseJoiner, segmentCommand } from './ccid.ts';
import type { CcidSlot } from './ccid-slot.ts';
import type { Turn } from './turns.ts';

/*
 * Chaining at the level of extended APDUs: what does not fit one message goes in several, each way (CCID 1.1 §6.1.4,
 * §6.2.1).
 */

/**
 * Sends a command in blocks.
 * @param maxBlockBytes dwMaxCCIDMessageLength − 10
 * @returns the first block of the answer
 * @throws TransportError `malformed` for an answer before the command is whole
 */
export async function sendChained(
  slot: CcidSlot,
  command: Uint8Array,
  maxBlockBytes: number,
  turn: Turn,
): Promise<CcidReply> {
  let reply: CcidReply | undefined;
  for (const { data, level } of segmentCommand(command, maxBlockBytes)) {
    if (reply && (reply.specific !== chainParameter.empty || reply.data.length > 0)) {
      throw new TransportError('malformed', 'the reader answers before the command is whole');
    }
    if (reply) turn.restart();
    reply = await slot.transfer(data, level, turn);
  }
  if (!reply) throw new TransportError('failed', 'an empty command');
  return reply;
}

/**
 * Collects an answer that comes in blocks.
 * @param first its first block
 * @throws TransportError `malformed` for blocks out of place
 */
export async function collectChained(slot: CcidSlot, first: CcidReply, turn: Turn): Promise<Uint8Array> {
  const response = new ResponseJoiner();
  for (let reply = first; ;) {
    const whole = response.push(reply.specific, reply.data);
    if (whole) return whole;
    turn.restart();
    reply = await slot.transfer(new Uint8Array(0), chainParameter.empty, turn);
  }
}
