import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { identifyBrowser } from '../../../src/diagnosis/browser-identity.ts';
import { journalPort } from '../../../src/diagnosis/journal-port.ts';
import { reportText } from '../../../src/diagnosis/report.ts';
import type { KindState } from '../../../src/guidance/packs/state.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { holderName, taxpayerNumber } from '../../../src/renewal/trust.ts';
import { hexToBytes } from '../../virtual-key/bytes.ts';
import { chromeOnWindows, Clinic, type Examined } from './clinic.ts';
import { firstContainer, recordOf } from './situations.ts';

let clinic: Clinic;
beforeAll(async () => {
  clinic = await Clinic.open();
});
afterAll(() => clinic.close());

const salt = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const reportOf = (examined: Examined): Promise<string> =>
  reportText(examined, {
    ...{ build: 'b1', at: new Date('2026-03-04T05:06:07Z'), identity: identifyBrowser(chromeOnWindows) },
    ...{ code: '272074', skewMs: 1_234, trace: examined.apdus, salt },
  });

/** What must never be in a report, wherever it stands. */
const canaries = {
  password: '7KANARI9',
  label: '王小明的UKEY',
  manufacturer: '13800138000',
  idNumber: '120101199001011234',
  serialNumber: 'CANARYSERIAL4711',
};

async function examinedWithCanaries(): Promise<Examined & { readonly secrets: readonly string[] }> {
  const personalised = await clinic.ca.personalise('due-30-days', 'longmai-hid');
  const state = structuredClone(personalised);
  const { info, applications } = state;
  Object.assign(info, {
    label: canaries.label,
    manufacturer: canaries.manufacturer,
    issuer: canaries.idNumber,
    serialNumber: canaries.serialNumber,
  });
  for (const application of applications) Object.assign(application, { userPassword: canaries.password });
  const patient = await clinic.patient(state);
  await journalPort.put(recordOf(state, { newPublicKey: new TextEncoder().encode(canaries.idNumber) }));
  patient.ports = {
    ...patient.ports,
    askPassword: () => async (_question, use) => {
      await use(new TextEncoder().encode(canaries.password));
      return true;
    },
  };
  const examined = await patient.examine({
    only: ['signature', 'leftovers', 'status', 'expiry', 'journal', 'content', 'storage', 'serviceWorker'],
  });
  const certificate = parseCertificate(hexToBytes(firstContainer(state).signing?.certificate ?? ''));
  const { trust } = examined.notes;
  if (!trust) throw new Error('no configuration');
  const secrets = [
    ...Object.values(canaries),
    holderName(certificate) ?? '',
    taxpayerNumber(certificate, trust) ?? '',
    certificate.serialNumber,
    ...certificate.subject.attributes.map(({ value }) => value),
  ];
  return { ...examined, secrets };
}

describe('a report', () => {
  test('has nothing in it that tells whose key it is, nor the password', async () => {
    const examined = await examinedWithCanaries();
    expect(examined.said['signature']).toBe('ok');

    const text = await reportOf(examined);

    expect(examined.secrets.length).toBeGreaterThan(8);
    for (const secret of examined.secrets.filter(({ length }) => length > 2)) {
      expect(text).not.toContain(secret);
      expect(text.toLowerCase()).not.toContain(Buffer.from(secret).toString('hex'));
      expect(text).not.toContain(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
    }
    expect(text).toContain('serial …4711');
  });

  test('marks the holder so that somebody who knows the name can tell', async () => {
    const examined = await examinedWithCanaries();
    const { active } = examined.notes;
    const name = active && holderName(active.certificate);

    const text = await reportOf(examined);

    const mark = createHash('sha256')
      .update(salt)
      .update(name ?? '')
      .digest('hex')
      .slice(0, 16);
    expect(text).toContain(`holder ${mark}`);
    expect(text).toContain('salt 0102030405060708');
  });

  test('tells of the computer, the servers, the key, every check and every APDU', async () => {
    const patient = await clinic.patient('locked');
    const examined = await patient.examine();

    const text = await reportOf(examined);

    const lines = text.split('\n');
    expect(lines.slice(0, 6)).toEqual([
      'casupport report 1',
      'build b1',
      'time 2026-03-04T05:06:07.000Z',
      'code 272074',
      'browser chrome 131 windows',
      'clock 1 s',
    ]);
    expect(text).toMatch(/^server authority \d+ ms$/m);
    expect(text).toContain('device 055C:E618 hid Longmai mToken GM3000 known');
    expect(text).toMatch(/^key gmt0017 firmware [\d.]+ hardware [\d.]+$/m);
    expect(text).toMatch(/^password tries 0 of \d+$/m);
    expect(text).toMatch(/^password locked \d+ ms$/m);
    expect(text).toMatch(/^journal ok \d+ ms$/m);
    expect(text).toContain(`APDU ${examined.apdus.length}: INS SW`);
    expect(text.match(/\b[0-9A-F]{2} 9000\b/g)?.length).toBeGreaterThan(5);
  });

  test('tells which content is in use, and why newer was not taken', async () => {
    const patient = await clinic.patient();
    const contentState = (): Promise<readonly KindState[]> =>
      Promise.resolve([
        { kind: 'guidance', version: 3, checkedAt: new Date('2026-03-04'), refused: { reason: 'hash', version: 4 } },
        { kind: 'faq', version: 0, checkedAt: undefined, refused: { reason: 'manifest', version: undefined } },
      ]);
    patient.ports = { ...patient.ports, service: { ...patient.ports.service, contentState } };

    const text = await reportOf(await patient.examine());

    expect(text).toContain(
      '\ncontent guidance 3 checked 2026-03-04 refused 4 hash\ncontent faq 0 refused - manifest\n',
    );
    expect(text).toMatch(/^content contentTampered \d+ ms$/m);
  });

  test('is there without a key too', async () => {
    const patient = await clinic.patient();
    const text = await reportOf(await patient.examine());
    expect(text).toContain('permission notPermitted');
    expect(text).not.toContain('device');
    expect(text).toContain('APDU 0: INS SW');
  });
});
