import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { causeWords, type CauseWords } from '../../../src/app/messages/causes.ts';
import { keyTrouble, type TroubleWords } from '../../../src/app/messages/key-trouble.ts';
import { causes, type Cause } from '../../../src/diagnosis/causes.ts';
import type { CheckGroup, CheckId } from '../../../src/diagnosis/check.ts';
import { causeCode, causeIn, decodeFault } from '../../../src/diagnosis/fault-code.ts';
import { allChecks } from '../../../src/diagnosis/run-checks.ts';
import { Clinic } from './clinic.ts';
import { situations } from './situations.ts';
import { examineInFastTime } from './troubled-desk.ts';

/** What the page says was found. */
function wordsOf(cause: Cause): string {
  const own: Partial<Record<Cause, CauseWords>> = causeWords['zh-CN'];
  const elsewhere: Partial<Record<Cause, TroubleWords | string>> = keyTrouble['zh-CN'];
  const found = own[cause]?.found;
  if (typeof found === 'function') return found({ days: 1, ms: 1, minutes: 1, count: 1, tail: '0001' });
  const words = elsewhere[cause];
  return found ?? (typeof words === 'object' ? words.happened : '');
}
const groupOf = (id: CheckId): CheckGroup => allChecks.find((check) => check.id === id)?.group ?? 'browser';

/** VerifyPIN of GM/T 0017; a PIV key's counter is read with VERIFY too, and is compared by what is on the key. */
const isPassword = (ins: number): boolean => ins === 0x18;

let clinic: Clinic;
beforeAll(async () => {
  clinic = await Clinic.open();
});
afterAll(() => clinic.close());

describe('a broken situation', () => {
  test.each(situations)('$name: $check says $cause', async ({ check, cause, key, ...situation }) => {
    const { attachment, broken, mended, others = {}, silent = false } = situation;
    const state = typeof key === 'function' ? await key(clinic) : key;
    const patient = await clinic.patient(state, attachment);
    await broken?.(patient);
    const before = patient.virtual?.state();

    const examined = silent ? await examineInFastTime(patient) : await patient.examine();

    expect(examined.said[check], JSON.stringify(examined.said)).toBe(cause);
    expect(examined.said).toMatchObject(others);
    expect(examined.apdus.filter(({ ins }) => isPassword(ins))).toEqual([]);
    expect(wordsOf(cause).length).toBeGreaterThan(3);
    const code = decodeFault(causeCode(groupOf(check), cause, undefined));
    expect(code && causeIn(code)).toBe(cause);
    expect(patient.virtual?.state()).toEqual(before);
    expect(patient.virtual?.writes ?? 0).toBe(0);
    if (!mended) return;
    await mended(patient);
    const again = await patient.examine();
    expect(again.said[check]).toBe('ok');
  });
});

test('of every cause that a page can mend there is a situation that ends well', () => {
  const mended = new Set(situations.filter((one) => one.mended).map(({ cause }) => cause));
  const repairable = situations.filter(({ cause }) => 'repair' in causes[cause]).map(({ cause }) => cause);
  expect(repairable.filter((cause) => !mended.has(cause))).toEqual([]);
});
