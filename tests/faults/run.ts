import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nameOf, situations, type Profile, type Trial, type Verdict } from './fault.ts';
import { pairs, seeded, shuffled, singles } from './plan.ts';
import { defects } from './sabotage.ts';
import { work, type Order, type Report } from './worker.ts';

const usage = `npm run test:faults -- [options]
  --slice N        N faults only, chosen by the seed
  --seconds S      begin no further fault after S seconds
  --seed N         decides which pairs, and which slice (default 1)
  --total N        distinct faults of the full run (default 10000)
  --only TEXT      only faults whose name contains TEXT
  --sabotage NAME  with a deliberate defect, which must show; "all" for each in turn
  --workers N      processes (default 2)`;

const { values: options } = parseArgs({
  options: {
    slice: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    total: { type: 'string', default: '10000' },
    only: { type: 'string' },
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

  async profiles(): Promise<readonly Profile[]> {
    const [child] = this.#children;
    const report = child && (await ask(child, { ask: 'profiles' }));
    if (!report || !('profiles' in report)) throw new Error('no profiles');
    return report.profiles;
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

/** What a run adds up to. */
class Totals {
  readonly seen = new Set<string>();
  singles = 0;
  pairs = 0;
  recovered = 0;
  missed = 0;
  lost = 0;
  stuck = 0;
  doubleIssued = 0;
  readonly explained = new Map<string, number>();
  readonly #examples = new Map<string, number>();

  get faults(): number {
    return this.seen.size;
  }

  get bad(): number {
    return this.lost + this.stuck + this.doubleIssued;
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
    if (lost.length > 0) this.lost += 1;
    if (doubleIssued.length > 0) this.doubleIssued += 1;
    if (ending === 'stuck') this.stuck += 1;
    else if (ending === 'recovered') this.recovered += 1;
    else this.explained.set(cause, (this.explained.get(cause) ?? 0) + 1);
    if (!isBad) return;
    const what = [...lost, ...doubleIssued, ...(ending === 'stuck' ? [`stuck: ${cause}`] : [])].join('; ');
    const before = this.#examples.get(what) ?? 0;
    this.#examples.set(what, before + 1);
    if (before < 5) console.log(`BAD ${name}\n    ${what}\n    presses: ${presses.join(', ')}`);
  };

  print(): void {
    const causes = [...this.explained].sort(([a], [b]) => a.localeCompare(b));
    const explained = causes.reduce((sum, [, count]) => sum + count, 0);
    console.log(`faults ${this.faults}, lost ${this.lost}, stuck ${this.stuck}, double-issued ${this.doubleIssued}`);
    const by = causes.length === 0 ? '' : ` (${causes.map(([cause, count]) => `${cause} ${count}`).join(', ')})`;
    console.log(`recovered ${this.recovered}, explained ${explained}${by}`);
  }
}

async function runFaults(): Promise<boolean> {
  const seed = Number(options.seed);
  const random = seeded(seed);
  const started = Date.now();
  const workers = await Workers.start(Number(options.workers));
  const profiles = await workers.profiles();
  situations.forEach(({ name }, index) => {
    const { transfer, call, write, ca, journal } = profiles[index] ?? { transfer: 0 };
    console.log(
      `${name}: ${transfer} transfers, ${call ?? 0} calls, ${write ?? 0} memory writes, ${ca ?? 0} exchanges with the authority, ${journal ?? 0} journal writes`,
    );
  });
  const wanted = ({ situation }: Trial): boolean => situations[situation]?.full === true;
  const matches = (trial: Trial): boolean => options.only === undefined || nameOf(trial).includes(options.only);
  const every = situations.flatMap((_situation, index) => {
    const profile = profiles[index];
    return profile ? singles(index, profile) : [];
  });
  // In the other situations the wire is the same again: there only what differs is tried exhaustively.
  const isWire = ({ first }: Trial): boolean => first?.place === 'transfer' || first?.place === 'call';
  const exhaustive = every.filter((trial) => (wanted(trial) || !isWire(trial)) && matches(trial));
  const inPairs = pairs(every, profiles, random);
  const totals = new Totals();
  const slice = options.slice === undefined ? undefined : Number(options.slice);
  const limit = slice ?? Math.max(Number(options.total), 0);
  // A slice is half singles, half pairs; the full run is every single fault, then pairs up to the total.
  const list =
    slice === undefined
      ? exhaustive
      : shuffled(exhaustive, random).slice(0, options.only ? slice : Math.ceil(slice / 2));
  console.log(`seed ${seed}, ${exhaustive.length} single faults`);
  let begun = 0;
  let pending = 0;
  const isLate = (): boolean => options.seconds !== undefined && Date.now() - started > Number(options.seconds) * 1000;
  const next = (): Trial | undefined => {
    if (isLate()) return undefined;
    const trial = list[begun];
    if (trial) {
      begun += 1;
      pending += 1;
      return trial;
    }
    if (options.only !== undefined && slice === undefined) return undefined;
    // What is under way may still miss; no more than is missing is begun, and a little.
    if (totals.faults + pending >= limit) return undefined;
    for (let tries = 0; tries < 100_000; tries++) {
      const { value } = inPairs.next();
      if (value && matches(value)) {
        pending += 1;
        return value;
      }
    }
    return undefined;
  };
  let said = 0;
  const take = (verdict: Verdict): void => {
    pending -= 1;
    totals.add(verdict);
    const hundreds = Math.floor(totals.faults / 500);
    if (hundreds > said) {
      said = hundreds;
      console.log(`${totals.faults} after ${Math.round((Date.now() - started) / 1000)} s, bad ${totals.bad}`);
    }
  };
  do await workers.run(next, take);
  while (!isLate() && begun >= list.length && options.only === undefined && totals.faults < limit);
  workers.stop();
  console.log(
    `seed ${seed}: ${totals.singles} single faults, ${totals.pairs} pairs; ${totals.missed} found nothing to strike; ` +
      `${Math.round((Date.now() - started) / 1000)} s, ${Math.round(workers.cpuSeconds)} s of processor`,
  );
  totals.print();
  return totals.bad === 0 && totals.faults > 0;
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
    await workers.run(() => (totals.bad > 0 ? undefined : left.shift()), totals.add);
    console.log = log;
    workers.stop();
    if (totals.bad > 0) caught += 1;
    const { faults, lost, stuck, doubleIssued } = totals;
    console.log(
      `${totals.bad > 0 ? 'caught' : 'NOT CAUGHT'} ${name} (${sabotage.says}): ` +
        `faults ${faults}, lost ${lost}, stuck ${stuck}, double-issued ${doubleIssued}`,
    );
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
