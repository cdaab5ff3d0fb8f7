import { openTrial } from './desk.ts';
import type { Profile, Trial, Verdict } from './fault.ts';
import { FaultOffice } from './office.ts';
import { defects } from './sabotage.ts';
import { VirtualTime } from './virtual-time.ts';

export type Order =
  | { readonly ask: 'profiles'; readonly situations: readonly number[] }
  | { readonly ask: 'trials'; readonly trials: readonly Trial[] };
export type Report =
  | { readonly profiles: readonly (readonly [situation: number, profile: Profile])[] }
  | { readonly verdicts: readonly Verdict[]; readonly seconds: number };

/** A worker process: one authority, one trial after the other. */
export async function work(sabotage: string | undefined): Promise<void> {
  const time = new VirtualTime();
  time.install();
  const office = await FaultOffice.open();
  const defect = sabotage === undefined ? {} : defects[sabotage]?.defect;
  if (!defect) throw new Error(`no such sabotage: ${sabotage ?? ''}`);

  const run = async (trial: Trial): Promise<Verdict> => {
    const desk = await openTrial(trial, office, time, defect);
    try {
      return await desk.run(trial);
    } catch (error) {
      const cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { trial, struck: true, ending: 'stuck', cause, lost: [], doubleIssued: [], presses: [] };
    } finally {
      await desk.close();
    }
  };
  const profile = async (situation: number): Promise<Profile> => {
    const desk = await openTrial({ situation, first: undefined }, office, time);
    try {
      return await desk.profile();
    } finally {
      await desk.close();
    }
  };
  const answer = async (order: Order): Promise<Report> => {
    if (order.ask === 'profiles') {
      const profiles: (readonly [number, Profile])[] = [];
      for (const situation of order.situations) profiles.push([situation, await profile(situation)]);
      return { profiles };
    }
    const verdicts: Verdict[] = [];
    const before = process.cpuUsage();
    for (const trial of order.trials) verdicts.push(await run(trial));
    const { user, system } = process.cpuUsage(before);
    return { verdicts, seconds: (user + system) / 1e6 };
  };
  process.on('message', (order: Order) => void answer(order).then((report) => process.send?.(report)));
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
}
