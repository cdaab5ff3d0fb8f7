import { withRetry } from '../../src/renewal/retry.ts';
import { deadlineDay, fixedInterval, simulate, type Client, type DeadlineResult } from './deadline-simulation.ts';
import type { Measure, Row } from './measure.ts';

const clients: Readonly<Record<string, Client>> = {
  ours: (exchange, world) => withRetry(exchange, { ...world, signal: undefined, onWait: () => undefined }),
  'ours, where nobody sees the queue': (exchange, world) => withRetry(exchange, { ...world, signal: undefined }),
  'every 30 s': fixedInterval(30),
};

export const deadline: Measure = {
  name: 'deadline',
  title: `${deadlineDay.people} people within ${deadlineDay.arrivalSeconds} s, ${deadlineDay.capacity} answers a second, a queue of ${deadlineDay.queue}: simulated with the shipped retry code`,
  run: async () => {
    const results: [string, DeadlineResult][] = [];
    for (const [name, client] of Object.entries(clients)) results.push([name, await simulate(deadlineDay, client)]);
    const figures = (of: (result: DeadlineResult) => number): Readonly<Record<string, number>> =>
      Object.fromEntries(results.map(([name, result]) => [name, of(result)]));
    const last = figures(({ lastSuccess }) => lastSuccess);
    const ideal = deadlineDay.people / deadlineDay.capacity;
    const rows: Row[] = [
      {
        name: 'the last success',
        unit: 's',
        figures: { ideal, ...last },
        goals: [{ what: 'ours ÷ ideal', value: (last['ours'] ?? Number.NaN) / ideal, atMost: 1.2 }],
      },
      { name: 'requests in the busiest second', unit: 'times', figures: figures(({ peak }) => peak), goals: [] },
      { name: 'requests in vain', unit: 'times', figures: figures(({ wasted }) => wasted), goals: [] },
      { name: 'told to come back later', unit: 'times', figures: figures(({ gaveUp }) => gaveUp), goals: [] },
    ];
    return rows;
  },
};
