/**
 * Tells from outside of a thread whether the mutant it runs will not end.
 * @param limitMs how long one may run, on the wall
 * @returns to be asked now and then, with what the thread shares: the mutant's number, −1 between two, and how often one
 *   has begun; and the time in milliseconds
 */
export function stuckWatch(limitMs: number): (index: number, beats: number, now: number) => boolean {
  let seen: number | undefined;
  let since = 0;
  return (index, beats, now) => {
    if (beats !== seen) [seen, since] = [beats, now];
    return index >= 0 && now - since > limitMs;
  };
}
