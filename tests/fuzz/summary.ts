import type { Finding, SliceResult } from './slice.ts';

/** What became of all mutants of one target. */
export interface TargetSummary {
  readonly mutants: number;
  readonly accepted: number;
  readonly rejected: number;
  /** How many got past the target's first check, and which that is. */
  readonly passed: { readonly gate: string; readonly mutants: number; readonly share: number } | undefined;
  /** Seconds of all threads together. */
  readonly seconds: number;
  readonly mutantsPerSecond: number;
  /** What the slowest took, without waiting for a processor. */
  readonly longestMs: number;
  /** The most that was in use after a slice of it, bytes. */
  readonly heapBytes: number;
  readonly findings: number;
  /** By how a mutant was made: how many came to what. */
  readonly fates: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
}

export interface Summary {
  readonly seed: number;
  readonly node: string;
  readonly threads: number;
  /** On the wall. */
  readonly seconds: number;
  readonly mutants: number;
  readonly targets: Readonly<Record<string, TargetSummary>>;
  readonly findings: readonly Finding[];
}

const sum = (list: readonly SliceResult[], of: (result: SliceResult) => number): number =>
  list.reduce((value, result) => value + of(result), 0);
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

type Fates = Record<string, Record<string, number>>;

function fatesOf(slices: readonly SliceResult[]): Fates | undefined {
  const fates = new Map<string, Map<string, number>>();
  for (const { tally } of slices) {
    for (const [key, count] of tally) {
      const [made = '', came = ''] = key.split('\t');
      const own = fates.get(made) ?? new Map<string, number>();
      fates.set(made, own.set(came, (own.get(came) ?? 0) + count));
    }
  }
  if (fates.size === 0) return undefined;
  const byCount = (own: ReadonlyMap<string, number>): [string, number][] => [...own].sort(([, a], [, b]) => b - a);
  const sorted = [...fates].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([made, own]) => [made, Object.fromEntries(byCount(own))]));
}

/**
 * Adds up what the slices of one target came to.
 * @param gate name of the target's first check, where it has one
 */
export function summarise(
  slices: readonly SliceResult[],
  gate: string | undefined,
  findings: readonly Finding[],
): TargetSummary {
  const mutants = sum(slices, ({ count }) => count);
  const seconds = sum(slices, ({ ms }) => ms) / 1000;
  const passed = sum(slices, (slice) => slice.passed);
  return {
    mutants,
    accepted: sum(slices, ({ accepted }) => accepted),
    rejected: sum(slices, ({ rejected }) => rejected),
    passed:
      gate === undefined ? undefined : { gate, mutants: passed, share: rounded(passed / Math.max(1, mutants), 4) },
    seconds: rounded(seconds, 1),
    mutantsPerSecond: Math.round(mutants / Math.max(0.001, seconds)),
    longestMs: rounded(Math.max(0, ...slices.map(({ longestMs }) => longestMs)), 1),
    heapBytes: Math.max(0, ...slices.map(({ heapBytes }) => heapBytes)),
    findings: findings.length,
    fates: fatesOf(slices),
  };
}

const share = (part: number, whole: number): string => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
const total = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((value, count) => value + count, 0);

/** How the mutants of a target were made and what became of them, then how many came to what. */
function fateLines(name: string, fates: Readonly<Record<string, Readonly<Record<string, number>>>>): string[] {
  const lines = [`\n${name}, by how they were made`];
  const came = new Map<string, number>();
  for (const [made, outcomes] of Object.entries(fates)) {
    const most = Object.entries(outcomes).slice(0, 6);
    const said = most.map(([outcome, count]) => `${outcome} ${count}`).join(' · ');
    lines.push(`  ${made.padEnd(34)} ${String(total(outcomes)).padStart(7)}  ${said}`);
    for (const [outcome, count] of Object.entries(outcomes)) {
      for (const check of outcome.split('+')) came.set(check, (came.get(check) ?? 0) + count);
    }
  }
  const all = Object.values(fates).reduce((value, outcomes) => value + total(outcomes), 0);
  lines.push(`${name}, by what they came to`);
  for (const [check, count] of [...came].sort(([, a], [, b]) => b - a)) {
    lines.push(`  ${check.padEnd(34)} ${String(count).padStart(7)}  ${share(count, all)}`);
  }
  return lines;
}

const columns = ['mutants', 'accepted', 'rejected', 'past the first check', 'a second', 'longest, ms', 'findings'];

/** The summary as a table, what mutants came to, and every finding with what makes it again. */
export function summaryText({ seed, threads, seconds, mutants, targets, findings }: Summary): string {
  const names = Object.keys(targets);
  const rows = Object.values(targets).map((own) => [
    String(own.mutants),
    String(own.accepted),
    String(own.rejected),
    own.passed ? `${own.passed.gate} ${share(own.passed.mutants, own.mutants)}` : '',
    String(own.mutantsPerSecond),
    own.longestMs.toFixed(1),
    String(own.findings),
  ]);
  const widths = columns.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const first = Math.max(...names.map(({ length }) => length), 0);
  const line = (name: string, cells: readonly string[]): string =>
    [name.padEnd(first), ...cells.map((cell, column) => cell.padStart(widths[column] ?? 0))].join('  ').trimEnd();
  return [
    line('', columns),
    ...rows.map((cells, row) => line(names[row] ?? '', cells)),
    ...Object.entries(targets).flatMap(([name, { fates }]) => (fates ? fateLines(name, fates) : [])),
    `\nseed ${seed}: ${mutants} mutants in ${seconds.toFixed(1)} s on ${threads} threads, ${findings.length} findings`,
    ...findings.map(
      ({ target, index, what, input }) => `\n${target}, seed ${seed}, mutant ${index}: ${what}\n${input}`,
    ),
  ].join('\n');
}
