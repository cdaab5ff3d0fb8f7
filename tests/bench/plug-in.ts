import { readKeyContents } from '../../src/renewal/key-contents.ts';
import { Office } from '../faults/world.ts';
import { noLatency, realLatency, type Latency } from '../virtual-key/latency.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { countingCommands, opened, plugged, wires } from './desk.ts';
import { median, type Measure, type Row } from './measure.ts';

async function once(
  office: Office,
  state: KeyState,
  latency: Latency,
): Promise<{ readonly ms: number; readonly commands: number; readonly transfers: number }> {
  const virtual = await plugged(state, latency);
  const begun = performance.now();
  const { commands } = await countingCommands(async () => {
    const key = await opened();
    const { active } = await readKeyContents(key, office.trust, new Date());
    if (!active) throw new Error('no certificate was read');
    await key.close();
  });
  const ms = performance.now() - begun;
  const { transfers } = virtual;
  await virtual.unplug();
  return { ms, commands, transfers };
}

export const plugIn: Measure = {
  name: 'plug-in',
  title: 'from a key that is plugged in to its certificate, read and checked against the pinned anchors',
  run: async () => {
    const office = await Office.open();
    const rows: Row[] = [];
    try {
      for (const { name, attachment, isPiv } of wires) {
        const state = await office.ca.personalise('due-30-days', attachment, isPiv && { commandSet: 'piv' });
        const instant: number[] = [];
        for (let round = 0; round < 60; round++) instant.push((await once(office, state, noLatency)).ms);
        const { ms, commands, transfers } = await once(office, state, realLatency);
        rows.push(
          {
            name: `${name}: exchanges`,
            unit: 'times',
            figures: { APDUs: commands, 'USB transfers': transfers },
            goals: [],
          },
          {
            name: `${name}: time`,
            unit: 'ms',
            figures: { 'a key without latency': median(instant.slice(20)), 'a modelled real one': ms },
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
