import { numbers } from './numbers.ts';

/** What became of the USBKEY, as far as the person knows; undefined stands for “not sure”. */
export type ReplacementCause =
  | { readonly what: 'lost' }
  | {
      readonly what: 'damaged';
      readonly manMade: boolean | undefined;
      /** The outside shows no damage. */
      readonly looksIntact: boolean | undefined;
    };

export interface FeeEstimate {
  /** In fen (1/100 yuan); undefined when it cannot be said. */
  readonly fen: number | undefined;
  /** `charge`: the fee applies; `free`: exchanged free of charge; `unclear`: between the two. */
  readonly outcome: 'charge' | 'free' | 'unclear';
  /** Only the service centre judges damage: everything but a loss is an estimate. */
  readonly decidedByCentre: boolean;
}

/** R-1.4.3-3 and R-1.4.3-5: the price of a new USBKEY, or free when the damage is not man-made and the outside is intact. */
export function estimateReplacementFee(cause: ReplacementCause): FeeEstimate {
  const { replacementFeeFen } = numbers();
  if (cause.what === 'lost') return { fen: replacementFeeFen, outcome: 'charge', decidedByCentre: false };
  if (cause.manMade === true || cause.looksIntact === false)
    return { fen: replacementFeeFen, outcome: 'charge', decidedByCentre: true };
  if (cause.manMade === undefined || cause.looksIntact === undefined)
    return { fen: undefined, outcome: 'unclear', decidedByCentre: true };
  return { fen: 0, outcome: 'free', decidedByCentre: true };
}
