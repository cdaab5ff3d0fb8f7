/** Numbers of the service guide that an operator's content pack may change. */
export interface Numbers {
  /** R-1.3.1-1: days before the end from which a certificate is renewed. */
  readonly renewalWindowDays: number;
  /** R-1.4.3-3: the price of a new USBKEY in fen (1/100 yuan). */
  readonly replacementFeeFen: number;
  /** R-1-2 */
  readonly centreCount: number;
}

/** As the guide has them. */
export const guideOwnNumbers: Numbers = { renewalWindowDays: 60, replacementFeeFen: 2600, centreCount: 23 };

let published: Partial<Numbers> = {};

/** Takes the numbers a content pack has changed; the others are the guide's own. */
export function publishNumbers(numbers: Partial<Numbers>): void {
  published = numbers;
}

/** The numbers that hold. */
export const numbers = (): Numbers => ({ ...guideOwnNumbers, ...published });

/** `26` for 2600, `26.50` for 2650: yuan without needless decimals. */
export const yuan = (fen: number): string => (fen % 100 === 0 ? String(fen / 100) : (fen / 100).toFixed(2));

/** A number that is not the guide's own any more, with the rule that has it. */
export interface ChangedNumber {
  readonly name: keyof Numbers;
  readonly rule: 'R-1.3.1-1' | 'R-1.4.3-3' | 'R-1-2';
  readonly from: number;
  readonly to: number;
}

const rules = {
  renewalWindowDays: 'R-1.3.1-1',
  replacementFeeFen: 'R-1.4.3-3',
  centreCount: 'R-1-2',
} as const satisfies Record<keyof Numbers, ChangedNumber['rule']>;
const names = ['renewalWindowDays', 'replacementFeeFen', 'centreCount'] as const;

/** What a content pack has changed. */
export function changedNumbers(): readonly ChangedNumber[] {
  const now = numbers();
  return names
    .filter((name) => now[name] !== guideOwnNumbers[name])
    .map((name) => ({ name, rule: rules[name], from: guideOwnNumbers[name], to: now[name] }));
}

/** A sentence with the numbers that hold: `{renewalWindowDays}`, `{replacementFeeYuan}` and `{centreCount}` stand for them. */
export function filled(sentence: string): string {
  if (!sentence.includes('{')) return sentence;
  const { renewalWindowDays, replacementFeeFen, centreCount } = numbers();
  return sentence
    .replaceAll('{renewalWindowDays}', String(renewalWindowDays))
    .replaceAll('{replacementFeeYuan}', yuan(replacementFeeFen))
    .replaceAll('{centreCount}', String(centreCount));
}
