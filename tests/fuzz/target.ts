import type { Bytes } from '../../src/pki/bytes.ts';
import type { Random } from './random.ts';

/** How one input fared: read, or refused in the way that is meant for bad input. */
export type Outcome = 'accepted' | 'rejected';

/** Something that reads bytes from outside. */
export interface Target {
  readonly name: string;
  /** Its input is one DER value: the share that passes the decoder is told. */
  readonly isDer: boolean;
  readonly mutate: (random: Random) => Bytes | Promise<Bytes>;
  /** Throws only what it never should. */
  readonly run: (input: Bytes) => Outcome | Promise<Outcome>;
  /** An input says something only together with how it was made: smaller ones say nothing. */
  readonly isWhole?: boolean;
  /** How many inputs fared how, by words of its own, since it was last asked. */
  readonly takeTally?: () => ReadonlyMap<string, number>;
}

/** A class of errors that bad input is refused with. */
export type ErrorClass = abstract new (...parameters: never[]) => Error;

/**
 * Runs every reader on the same input: accepted as soon as one takes it.
 * @param lenient readers that take anything, and only say that they know nothing
 * @throws what is none of `refusals`
 */
export function readersOf(
  refusals: readonly ErrorClass[],
  readers: readonly ((input: Bytes) => unknown)[],
  lenient: readonly ((input: Bytes) => unknown)[] = [],
): (input: Bytes) => Promise<Outcome> {
  return async (input) => {
    let outcome: Outcome = 'rejected';
    for (const read of lenient) read(input);
    for (const read of readers) {
      try {
        const result = read(input);
        // Most are not asynchronous, and waiting costs more than they do.
        if (result instanceof Promise) await result;
        outcome = 'accepted';
      } catch (error) {
        if (!refusals.some((refusal) => error instanceof refusal)) throw error;
      }
    }
    return outcome;
  };
}
