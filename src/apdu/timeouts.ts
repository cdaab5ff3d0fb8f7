/**
 * Milliseconds of silence after which a command is given up, by the kind of work that it gives a key. A time extension
 * starts them anew. As long as the slowest key in use takes, and about as much again.
 */
export const commandTimeoutMs = {
  /** The last commands to a key that is being let go: nobody waits for them. */
  closing: 2000,
  /** Reading, opening, verifying a password. */
  brief: 5000,
  /** Writing to the key's memory, deleting from it. */
  write: 15_000,
  /** A signature, which may wait for a touch; a model that waits longer says so in its dialect. */
  sign: 30_000,
  /** Generating an SM2 or P-256 key pair. */
  generateEcc: 20_000,
  /** Generating an RSA-2048 key pair: the search for primes has no upper bound, and two minutes cover all but the unluckiest. */
  generateRsa: 120_000,
} as const;
