import type { FailInfo } from '../../src/ca/authority.ts';

/** A message the authority does not act upon, and what it says about it (RFC 9810 §5.2.3). */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly failInfo: FailInfo;
  constructor(failInfo: FailInfo, text: string, options?: ErrorOptions) {
    super(text, options);
    this.failInfo = failInfo;
  }
}
