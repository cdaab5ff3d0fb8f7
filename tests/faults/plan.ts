import { tearCount } from './desk.ts';
import { kinds, situations, type Fault, type Kind, type Place, type Profile, type Trial } from './fault.ts';

/** A generator of uniform numbers in [0, 1) from a seed (mulberry32): the same seed gives the same run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const placeNames = Object.keys(kinds) as Place[];
/** How many of a hundred second faults strike where. */
const shares: Readonly<Record<Place, number>> = {
  transfer: 50,
  call: 13,
  write: 5,
  torn: 1,
  ca: 10,
  wait: 2,
  rules: 1,
  journal: 9,
  counter: 4,
  between: 5,
};

function points(place: Place, situation: number, profile: Profile): number {
  const described = situations[situation];
  if (place === 'torn') return described ? tearCount(described) : 0;
  return place === 'between' ? 0 : profile[place];
}

/** Every single fault of a situation. Pressing while another tab works needs a key that two tabs can share. */
export function singles(situation: number, profile: Profile): Trial[] {
  const isHid = situations[situation]?.face.attachment === 'longmai-hid';
  return placeNames.flatMap((place) =>
    kinds[place].flatMap((kind: Kind) => {
      if (kind === 'otherTab' && !isHid) return [];
      const count = points(place, situation, profile);
      return Array.from({ length: count }, (_unused, index) => ({
        situation,
        first: { place, n: index + 1, kind },
      }));
    }),
  );
}

/** A second fault, to strike in the first recovery. A recovery passes by less than a whole press. */
export function secondFault(situation: number, profile: Profile, random: () => number): Fault {
  let share = random() * 100;
  const place = placeNames.find((name) => (share -= shares[name]) < 0) ?? 'transfer';
  const possible: readonly Kind[] = kinds[place].filter((kind) => kind !== 'otherTab');
  const kind = possible[Math.floor(random() * possible.length)] ?? 'before';
  const count = place === 'between' ? 1 : Math.max(1, points(place, situation, profile));
  return { place, n: 1 + Math.floor(random() * count), kind };
}

/** Puts a list into an order that the seed decides. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const mixed = [...list];
  for (let index = mixed.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1));
    const [a, b] = [mixed[index], mixed[other]];
    if (a === undefined || b === undefined) continue;
    mixed[index] = b;
    mixed[other] = a;
  }
  return mixed;
}

/** Distinct pairs without end, each a single fault of the list and a second one. */
export function* pairs(
  list: readonly Trial[],
  profiles: ReadonlyMap<number, Profile>,
  random: () => number,
): Generator<Trial, void> {
  for (;;) {
    const one = list[Math.floor(random() * list.length)];
    const profile = one && profiles.get(one.situation);
    if (profile) yield { ...one, second: secondFault(one.situation, profile, random) };
  }
}
