import type { Bytes } from '../../src/pki/bytes.ts';
import { assertDer, DerError } from '../../src/pki/der.ts';
import type { Random } from './random.ts';

/** How one input fared: read, or refused in the way that is meant for bad input. */
export type Outcome = 'accepted' | 'rejected';

/** A check that comes first and stops most of what is bad: the share of mutants that get past it is told. */
export interface Gate {
  readonly name: string;
  /** Asked after the input has been run. */
  readonly passes: (input: Bytes) => boolean;
}

/** For inputs that are one DER value. */
export const derGate: Gate = {
  name: 'DER',
  passes: (input) => {
    try {
      assertDer(input);
      return true;
    } catch (error) {
      if (error instanceof DerError) return false;
      throw error;
    }
  },
};

/** Something that reads bytes from outside. */
export interface Target {
  readonly name: string;
  readonly gate?: Gate;
  readonly mutate: (random: Random) => Bytes | Promise<Bytes>;
  /** Throws only what it never should. */
  readonly run: (input: Bytes) => Outcome | Promise<Outcome>;
  /** An input says something only together with how it was made: smaller ones say nothing. */
  readonly isWhole?: boolean;
  /** How an input was made and how it fared, by words of its own with a tab between; asked after it has been run. */
  readonly fate?: (input: Bytes) => string | undefined;
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
