import { Clinic, type Patient } from '../unit/diagnosis/clinic.ts';
import { noLatency, realLatency, type Latency } from '../virtual-key/latency.ts';
import { wires } from './desk.ts';
import { median, type Measure, type Row } from './measure.ts';

const rounds = 15;
/** Milliseconds a person waits for all checks, at most. */
const longest = { withoutKey: 2_000, withKey: 4_000 } as const;

/** All checks on fresh computers: the first one only warms up. */
async function examined(
  desk: () => Promise<Patient>,
  times: number,
): Promise<{ readonly ms: number; readonly apdus: number; readonly requests: number }> {
  const all: number[] = [];
  let last = { apdus: 0, requests: 0 };
  for (let round = -1; round < times; round++) {
    const patient = await desk();
    const { ms, apdus, requests } = await patient.examine();
    await patient.virtual?.unplug();
    if (round >= 0) all.push(ms);
    last = { apdus: apdus.length, requests };
  }
  return { ms: median(all), ...last };
}

export const systemCheck: Measure = {
  name: 'system-check',
  title: 'every check of the system check, against the reference CA over HTTP',
  run: async () => {
    const clinic = await Clinic.open();
    const rows: Row[] = [];
    try {
      const without = await examined(() => clinic.patient(), rounds);
      rows.push(
        { name: 'without a key: exchanges', unit: 'times', figures: { requests: without.requests }, goals: [] },
        {
          name: 'without a key: time',
          unit: 'ms',
          figures: { all: without.ms },
          goals: [{ what: 'ms', value: without.ms, atMost: longest.withoutKey }],
        },
      );
      for (const { name, attachment, isPiv } of wires) {
        const kind = isPiv && { commandSet: 'piv' as const };
        const state = await clinic.ca.personalise('not-due', attachment, kind);
        const desk = (latency: Latency) => (): Promise<Patient> => clinic.patient(state, attachment, { latency });
        const instant = await examined(desk(noLatency), rounds);
        const real = await examined(desk(realLatency), 1);
        const { apdus: APDUs, requests } = instant;
        rows.push(
          { name: `${name}: exchanges`, unit: 'times', figures: { APDUs, requests }, goals: [] },
          {
            name: `${name}: time`,
            unit: 'ms',
            figures: { 'a key without latency': instant.ms, 'a modelled real one': real.ms },
            goals: [{ what: 'ms, a modelled real one', value: real.ms, atMost: longest.withKey }],
          },
        );
      }
    } finally {
      await clinic.close();
    }
    return rows;
  },
};
