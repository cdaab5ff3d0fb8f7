import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Clinic } from './clinic.ts';
import { situations } from './situations.ts';

let clinic: Clinic;
beforeAll(async () => {
  clinic = await Clinic.open();
});
afterAll(() => clinic.close());

describe('a broken situation', () => {
  test.each(situations)('$name: $check says $cause', async ({ check, cause, key, attachment, broken, mended }) => {
    const state = typeof key === 'function' ? await key(clinic) : key;
    const patient = await clinic.patient(state, attachment);
    await broken?.(patient);
    const before = patient.virtual?.state();

    const examined = await patient.examine();

    expect(examined.said[check], JSON.stringify(examined.said)).toBe(cause);
    expect(patient.virtual?.state()).toEqual(before);
    expect(patient.virtual?.writes ?? 0).toBe(0);
    if (!mended) return;
    await mended(patient);
    const again = await patient.examine();
    expect(again.said[check]).toBe('ok');
  });
});
