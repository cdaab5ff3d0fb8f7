/**
 * CRLReason by its number (RFC 5280 §5.3.1). 7 is not used; removeFromCRL (8) stands in delta lists alone, which are not
 * taken here.
 */
const reasons = {
  0: 'unspecified',
  1: 'keyCompromise',
  2: 'cACompromise',
  3: 'affiliationChanged',
  4: 'superseded',
  5: 'cessationOfOperation',
  6: 'certificateHold',
  9: 'privilegeWithdrawn',
  10: 'aACompromise',
} as const;

export type RevocationReason = (typeof reasons)[keyof typeof reasons];

const reasonsByNumber: ReadonlyMap<number, RevocationReason> = new Map(
  Object.entries(reasons).map(([number, reason]) => [Number(number), reason]),
);

/** Undefined for numbers without a meaning. */
export function revocationReason(number: number): RevocationReason | undefined {
  return reasonsByNumber.get(number);
}

export interface Revocation {
  /** When the authority took it back. */
  readonly at: Date;
  /** `unspecified` where the authority gives none. */
  readonly reason: RevocationReason;
}

/** Why an answer about a certificate says nothing. None of these is ever taken for "good". */
export type StatusDoubt =
  /** Not what the format allows. */
  | 'malformed'
  /** Beyond our bounds. */
  | 'tooLarge'
  /** Something in it that must be understood and is not: a critical extension, a delta or an indirect list. */
  | 'unsupported'
  /** About, or by, another authority. */
  | 'otherIssuer'
  /** The authority's certificate does not let it, or the delegate, sign such answers. */
  | 'notAllowed'
  /** Signed with an algorithm that is not accepted, such as SHA-1. */
  | 'unsupportedAlgorithm'
  /** The authority's key does not verify the signature. */
  | 'badSignature'
  /** Its time begins later. */
  | 'notYetValid'
  /** Its time has run out; or nothing shows that it is of now. */
  | 'stale'
  /** It is about other certificates of the same authority. */
  | 'outOfScope'
  /** An answer to another request. */
  | 'mismatch'
  /** The authority's status service, authentically or not, gave no answer (OCSPResponseStatus). */
  | 'refused'
  /** The authority's status service does not know the certificate. */
  | 'notKnownThere';

/** What an authentic answer says about a certificate. */
export type StatusVerdict =
  | { readonly status: 'good'; readonly thisUpdate: Date; readonly nextUpdate: Date | undefined }
  | {
      readonly status: 'revoked';
      readonly revocation: Revocation;
      readonly thisUpdate: Date;
      readonly nextUpdate: Date | undefined;
    }
  | { readonly status: 'unknown'; readonly because: StatusDoubt };

/** An answer may be this much ahead of our clock: milliseconds. */
const skewMs = 5 * 60_000;

/** Whether an answer's time has begun and not yet run out; `undefined` when all is well. */
export function timeDoubt(
  { thisUpdate, nextUpdate }: { readonly thisUpdate: Date; readonly nextUpdate: Date | undefined },
  now: Date,
): 'notYetValid' | 'stale' | undefined {
  if (thisUpdate.getTime() > now.getTime() + skewMs) return 'notYetValid';
  return nextUpdate && nextUpdate < now ? 'stale' : undefined;
}
