import { formatDate } from './format.ts';
import type { StatusWords } from './messages/certificate-status.ts';
import type { KnownStatus } from './state/certificate-status.svelte.ts';

/** Why it is not known, as far as that makes a difference to a person. */
export type StatusUnknownKind = 'noAnswer' | 'notOffered' | 'notCredible' | 'notKnownThere' | 'noIssuer';

function kindOf(because: Extract<KnownStatus, { status: 'unknown' }>['because']): StatusUnknownKind {
  switch (because) {
    case 'unreachable':
    case 'unavailable':
    case 'refused':
      return 'noAnswer';
    case 'notOffered':
    case 'notKnownThere':
    case 'noIssuer':
      return because;
    default:
      // Whatever is wrong with an answer, it is not taken.
      return 'notCredible';
  }
}

/** What is known of a certificate at its authority, in a line. @param known undefined: it is being asked */
export function certificateStatusLine(known: KnownStatus | undefined, t: StatusWords): string {
  switch (known?.status) {
    case undefined:
      return t.asking;
    case 'good':
      return t.good(formatDate(known.thisUpdate));
    case 'revoked':
      return known.reason === 'certificateHold'
        ? t.onHold(formatDate(known.at))
        : t.revoked(formatDate(known.at), t.reasons[known.reason]);
    case 'unknown':
      return t.unknown[kindOf(known.because)];
  }
}
