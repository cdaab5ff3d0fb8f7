import { RenewalProcedure } from '../../src/renewal/procedure.ts';
import { Office, samplePassword, World } from '../faults/world.ts';
import { noLatency, realLatency, type Latency } from '../virtual-key/latency.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { countingCommands, opened, plugged, wires } from './desk.ts';
import { median, type Measure, type Row } from './measure.ts';

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly commands: number;
  readonly transfers: number;
  readonly messages: number;
}

async function once(office: Office, state: KeyState, latency: Latency): Promise<Cost> {
  let messages = 0;
  const world = await World.open(office, state, 'ccid-short', {
    fetch: (url, init) => {
      messages++;
      return fetch(url, init);
    },
  });
  const virtual = await plugged(state, latency);
  const cpu = process.cpuUsage();
  const begun = performance.now();
  const { commands } = await countingCommands(async () => {
    const key = await opened();
    const outcome = await new RenewalProcedure(world.ports(key)).run({
      purpose: 'renewal',
      askPassword: world.typing(samplePassword),
    });
    await key.close();
    if (outcome.kind !== 'success') throw new Error(`the renewal came to ${JSON.stringify(outcome)}`);
  });
  const wallMs = performance.now() - begun;
  const { user, system } = process.cpuUsage(cpu);
  const { transfers } = virtual;
  await virtual.unplug();
  return { wallMs, cpuMs: (user + system) / 1000, commands, transfers, messages };
}

export const renewal: Measure = {
  name: 'renewal',
  title: 'a whole renewal against the reference CA over HTTP; processor time includes the CA and the virtual key',
  run: async () => {
    const office = await Office.open();
    const rows: Row[] = [];
    try {
      for (const { name, attachment, isPiv } of wires) {
        const personalise = (): Promise<KeyState> =>
          office.ca.personalise('due-30-days', attachment, isPiv && { commandSet: 'piv' });
        const costs: Cost[] = [];
        for (let round = 0; round < 12; round++) costs.push(await once(office, await personalise(), noLatency));
        const real = await once(office, await personalise(), realLatency);
        const warm = costs.slice(2);
        rows.push(
          {
            name: `${name}: exchanges`,
            unit: 'times',
            figures: { APDUs: real.commands, 'USB transfers': real.transfers, 'messages to the CA': real.messages },
            goals: [],
          },
          {
            name: `${name}: time`,
            unit: 'ms',
            figures: {
              'processor, a key without latency': median(warm.map(({ cpuMs }) => cpuMs)),
              'wall, a key without latency': median(warm.map(({ wallMs }) => wallMs)),
              'wall, a modelled real one': real.wallMs,
            },
            goals: [],
          },
        );
      }
    } finally {
      await office.close();
    }
    return rows;
  },
};
