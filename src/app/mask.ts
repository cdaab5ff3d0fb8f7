/** A number that is recognised but not read off a screen: the first and last four characters stay. */
export function mask(number: string): string {
  const hidden = number.length - 8;
  return hidden < 4 ? '*'.repeat(number.length) : number.slice(0, 4) + '*'.repeat(hidden) + number.slice(-4);
}
