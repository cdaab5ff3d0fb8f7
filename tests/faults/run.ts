import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { commandSets, type CommandSet } from '../virtual-key/state.ts';
import { commandSetOf, nameOf, oneAuthorityEach, situations, type Profile, type Trial, type Verdict } from './fault.ts';
import { pairs, seeded, shuffled, singles } from './plan.ts';
import { defects } from './sabotage.ts';
import { work, type Order, type Report } from './worker.ts';

const usage = `npm run test:faults -- [options]
  --slice N        N faults of each command set only, chosen by the seed
  --seconds S      begin no further fault after S seconds
  --seed N         decides which pairs, and which slice (default 1)
  --total N        distinct faults of the full run (default 36000)
  --only TEXT      only faults whose name contains TEXT
  --command-set S  only keys that speak S: gmt0017 or piv
  --sabotage NAME  with a deliberate defect, which must show; "all" for each in turn
  --workers N      processes (default 2)`;

const { values: options } = parseArgs({
  options: {
    slice: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    total: { type: 'string', default: '36000' },
    only: { type: 'string' },
    'command-set': { type: 'string' },
    sabotage: { type: 'string' },
    workers: { type: 'string', default: '2' },
    help: { type: 'boolean' },
    worker: { type: 'boolean' },
  },
});

const batch = 10;

/** The other processes, each with an authority of its own. */
class Workers {
  readonly #children: readonly ChildProcess[];
  cpuSeconds = 0;

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  static async start(count: number, sabotage?: string): Promise<Workers> {
    const parameters = ['--worker', ...(sabotage === undefined ? [] : ['--sabotage', sabotage])];
    const children = Array.from({ length: count }, () =>
      fork(fileURLToPath(import.meta.url), parameters, { serialization: 'advanced' }),
    );
    await Promise.all(children.map((child) => once(child, 'message')));
    return new Workers(children);
  }

  async profiles(situations: readonly number[]): Promise<ReadonlyMap<number, Profile>> {
    const all = this.#children.length;
    const reports = await Promise.all(
      this.#children.map((child, one) =>
        ask(child, { ask: 'profiles', situations: situations.filter((_index, at) => at % all === one) }),
      ),
    );
    const profiles = new Map(reports.flatMap((report) => ('profiles' in report ? report.profiles : [])));
    return new Map(situations.map((index) => [index, profiles.get(index) ?? missing(index)]));
  }

  /** Hands out trials while `next` gives any. */
  async run(next: () => Trial | undefined, take: (verdict: Verdict) => void): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        for (;;) {
          const trials: Trial[] = [];
          while (trials.length < batch) {
            const trial = next();
            if (!trial) break;
            trials.push(trial);
          }
          if (trials.length === 0) return;
          const report = await ask(child, { ask: 'trials', trials });
          if (!('verdicts' in report)) continue;
          this.cpuSeconds += report.seconds;
          report.verdicts.forEach(take);
        }
      }),
    );
  }

  stop(): void {
    for (const child of this.#children) child.disconnect();
  }
}

function missing(situation: number): never {
  throw new Error(`no profile of ${situations[situation]?.name ?? ''}`);
}

async function ask(child: ChildProcess, order: Order): Promise<Report> {
  const gone = new AbortController();
  const ended = once(child, 'exit', { signal: gone.signal }).then(() => {
    throw new Error('a worker process has ended');
  });
  child.send(order);
  try {
    const [report] = (await Promise.race([once(child, 'message'), ended])) as [Report];
    return report;
  } finally {
    gone.abort();
    ended.catch(() => undefined);
  }
}

/** What trials come to. */
class Tally {
  faults = 0;
  lost = 0;
  stuck = 0;
  doubleIssued = 0;

  add({ ending, lost, doubleIssued }: Verdict): void {
    this.faults += 1;
    if (lost.length > 0) this.lost += 1;
    if (doubleIssued.length > 0) this.doubleIssued += 1;
    if (ending === 'stuck') this.stuck += 1;
  }

  get bad(): number {
    return this.lost + this.stuck + this.doubleIssued;
  }

  toString(): string {
    return `faults ${this.faults}, lost ${this.lost}, stuck ${this.stuck}, double-issued ${this.doubleIssued}`;
  }
}

/** What a run adds up to. */
class Totals {
  readonly seen = new Set<string>();
  readonly all = new Tally();
  readonly of = new Map<CommandSet, Tally>();
  singles = 0;
  pairs = 0;
  recovered = 0;
  missed = 0;
  readonly explained = new Map<string, number>();
  readonly #examples = new Map<string, number>();

  /** Trials of a command set, or of all, so far. */
  faults(commandSet: CommandSet | undefined): number {
    return commandSet === undefined ? this.all.faults : (this.of.get(commandSet)?.faults ?? 0);
  }

  readonly add = (verdict: Verdict): void => {
    const { trial, struck, ending, cause, lost, doubleIssued, presses } = verdict;
    const isBad = lost.length > 0 || doubleIssued.length > 0 || ending === 'stuck';
    if (!struck && !isBad) {
      this.missed += 1;
      return;
    }
    const name = nameOf(trial);
    if (this.seen.has(name)) return;
    this.seen.add(name);
    if (trial.second) this.pairs += 1;
    else this.singles += 1;
    const commandSet = commandSetOf(trial);
    const tally = this.of.get(commandSet) ?? new Tally();
    this.of.set(commandSet, tally);
    for (const one of [this.all, tally]) one.add(verdict);
    if (ending === 'recovered') this.recovered += 1;
    else if (ending === 'explained') this.explained.set(cause, (this.explained.get(cause) ?? 0) + 1);
    if (!isBad) return;
    const what = [...lost, ...doubleIssued, ...(ending === 'stuck' ? [`stuck: ${cause}`] : [])].join('; ');
    const before = this.#examples.get(what) ?? 0;
    this.#examples.set(what, before + 1);
    if (before < 5) console.log(`BAD ${name}\n    ${what}\n    presses: ${presses.join(', ')}`);
  };

  print(): void {
    const causes = [...this.explained].sort(([a], [b]) => a.localeCompare(b));
    const explained = causes.reduce((sum, [, count]) => sum + count, 0);
    for (const [commandSet, tally] of this.of) console.log(`${commandSet}: ${tally.toString()}`);
    console.log(this.all.toString());
    const by = causes.length === 0 ? '' : ` (${causes.map(([cause, count]) => `${cause} ${count}`).join(', ')})`;
    console.log(`recovered ${this.recovered}, explained ${explained}${by}`);
  }
}

/** Faults to be tried one after the other: a list, and then pairs until there are enough. */
interface Part {
  readonly list: readonly Trial[];
  readonly pairs: Iterator<Trial, void> | undefined;
  readonly limit: number;
  /** Of which faults there are to be enough; all when undefined. */
  readonly commandSet: CommandSet | undefined;
}

async function runFaults(): Promise<boolean> {
  const seed = Number(options.seed);
  const random = seeded(seed);
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  const sets = commandSets.filter((set) => options['command-set'] === undefined || options['command-set'] === set);
  const workers = await Workers.start(Number(options.workers));
  const slice = options.slice === undefined ? undefined : Number(options.slice);
  // A slice takes each case at one authority; which, is the seed's choice.
  const all = slice === undefined ? [...situations.keys()] : oneAuthorityEach(seed);
  const among = all.filter((index) => sets.includes(situations[index]?.face.commandSet ?? 'gmt0017'));
  const profiles = await workers.profiles(among);
  for (const [situation, { transfer, call, write, ca, journal }] of profiles)
    console.log(
      `${situations[situation]?.name ?? ''}: ${transfer} transfers, ${call} calls, ${write} memory writes, ` +
        `${ca} exchanges with the authority, ${journal} journal writes`,
    );
  const { only } = options;
  const matches = (trial: Trial): boolean =>
    sets.includes(commandSetOf(trial)) && (only === undefined || nameOf(trial).includes(only));
  const every = [...profiles].flatMap(([situation, profile]) => singles(situation, profile));
  // In the other situations the wire is the same again: there only what differs is tried exhaustively.
  const isWire = ({ first }: Trial): boolean => first?.place === 'transfer' || first?.place === 'call';
  const isFull = ({ situation }: Trial): boolean => situations[situation]?.full === true;
  const exhaustive = every.filter((trial) => (isFull(trial) || !isWire(trial)) && matches(trial));
  console.log(`seed ${seed}, ${exhaustive.length} single faults`);

  const matching = (list: readonly Trial[], fits: (trial: Trial) => boolean): Iterator<Trial, void> =>
    filtered(pairs(list, profiles, random), fits);
  // A slice is half singles, half pairs; the full run is every single fault, then pairs up to the total.
  const parts: Part[] =
    slice === undefined
      ? [
          {
            list: exhaustive,
            pairs: only === undefined ? matching(every, matches) : undefined,
            limit: Math.max(Number(options.total), 0),
            commandSet: undefined,
          },
        ]
      : sets.map((commandSet) => {
          const isOf = (trial: Trial): boolean => commandSetOf(trial) === commandSet;
          const list = shuffled(exhaustive.filter(isOf), random);
          return {
            list: list.slice(0, only === undefined ? Math.ceil(slice / 2) : slice),
            pairs: matching(every.filter(isOf), matches),
            limit: slice,
            commandSet,
          };
        });

  const totals = new Totals();
  const isLate = (): boolean => options.seconds !== undefined && seconds() >= Number(options.seconds);
  let said = 0;
  for (const { list, pairs: more, limit, commandSet } of parts) {
    const left = [...list];
    let pending = 0;
    const next = (): Trial | undefined => {
      if (isLate()) return undefined;
      // What is under way may still miss; no more than is missing is begun, and a little.
      const isEnough = totals.faults(commandSet) + pending >= limit;
      const trial = left.shift() ?? (isEnough ? undefined : (more?.next().value ?? undefined));
      if (trial) pending += 1;
      return trial;
    };
    const take = (verdict: Verdict): void => {
      pending -= 1;
      totals.add(verdict);
      const hundreds = Math.floor(totals.all.faults / 500);
      if (hundreds <= said) return;
      said = hundreds;
      console.log(`${totals.all.faults} after ${seconds()} s, bad ${totals.all.bad}`);
    };
    let before: number;
    do {
      before = totals.faults(commandSet);
      await workers.run(next, take);
    } while (!isLate() && more && totals.faults(commandSet) < limit && totals.faults(commandSet) > before);
  }
  workers.stop();
  console.log(
    `seed ${seed}: ${totals.singles} single faults, ${totals.pairs} pairs; ${totals.missed} found nothing to strike; ` +
      `${seconds()} s, ${Math.round(workers.cpuSeconds)} s of processor`,
  );
  totals.print();
  return totals.all.bad === 0 && totals.all.faults > 0;
}

/** What fits; ends when nothing has for a long time. */
function* filtered(source: Iterator<Trial, void>, fits: (trial: Trial) => boolean): Generator<Trial, void> {
  for (let misses = 0; misses < 100_000; misses++) {
    const { value } = source.next();
    if (!value || !fits(value)) continue;
    misses = 0;
    yield value;
  }
}

async function runSabotage(names: readonly string[]): Promise<boolean> {
  let caught = 0;
  for (const name of names) {
    const sabotage = defects[name];
    if (!sabotage) throw new Error(`no such sabotage: ${name}; there are ${Object.keys(defects).join(', ')}`);
    const workers = await Workers.start(1, name);
    const totals = new Totals();
    const log = console.log;
    console.log = () => undefined;
    const left = [...sabotage.slice];
    // As soon as it has shown itself, that is enough.
    await workers.run(() => (totals.all.bad > 0 ? undefined : left.shift()), totals.add);
    console.log = log;
    workers.stop();
    if (totals.all.bad > 0) caught += 1;
    console.log(`${totals.all.bad > 0 ? 'caught' : 'NOT CAUGHT'} ${name} (${sabotage.says}): ${totals.all.toString()}`);
  }
  console.log(`sabotage caught ${caught} of ${names.length}`);
  return caught === names.length;
}

if (options.worker) {
  await work(options.sabotage);
} else if (options.help) {
  console.log(usage);
} else {
  const { sabotage } = options;
  const good =
    sabotage === undefined
      ? await runFaults()
      : await runSabotage(sabotage === 'all' ? Object.keys(defects) : [sabotage]);
  process.exitCode = good ? 0 : 1;
}
