/** From values to places along an axis, and where the axis is marked. */
export interface Scale {
  readonly place: (value: number) => number;
  /** From the least to the greatest; all of them within the axis. */
  readonly ticks: readonly number[];
}

/**
 * An axis in powers of ten, from the one at or below the least value to the one at or above the greatest.
 * @param from where the axis begins @param to where it ends; less than `from` for one that goes up the page
 * @throws RangeError for no values, or one that is not above zero
 */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  if (values.length === 0 || values.some((value) => !(value > 0) || value === Infinity)) {
    throw new RangeError('a logarithmic axis needs values above zero');
  }
  // What a logarithm of 1000 lacks at the end of its digits must not cost a decade.
  const exponent = (value: number): number => Number(Math.log10(value).toFixed(9));
  const least = Math.floor(exponent(Math.min(...values)));
  const greatest = Math.max(least + 1, Math.ceil(exponent(Math.max(...values))));
  const place = (value: number): number => from + ((Math.log10(value) - least) / (greatest - least)) * (to - from);
  const ticks = Array.from({ length: greatest - least + 1 }, (_, index) => 10 ** (least + index));
  return { place, ticks };
}

/** Steps that people count in. */
const steps = [1, 2, 2.5, 5, 10];
const mostTicks = 8;

/**
 * An axis from zero to a round number at or above the greatest value.
 * @throws RangeError for no values, or one below zero
 */
export function linearScale(values: readonly number[], from: number, to: number): Scale {
  const greatest = Math.max(...values);
  if (!Number.isFinite(greatest) || values.some((value) => !(value >= 0))) throw new RangeError('values from zero on');
  const decade = 10 ** Math.floor(Math.log10((greatest || 1) / mostTicks));
  const step = decade * (steps.find((one) => (greatest || 1) / (decade * one) <= mostTicks) ?? 10);
  const count = Math.max(1, Math.ceil(Number(((greatest || 1) / step).toFixed(9))));
  const end = count * step;
  return {
    place: (value) => from + (value / end) * (to - from),
    ticks: Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}
