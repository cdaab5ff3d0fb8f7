import { sampleState } from '../virtual-key/make-state.ts';
import { hasSmartCards } from './ensure.mjs';
import { asSmartCard } from './faces.ts';
import { expect, test } from './fixtures.ts';
import { KeyOnTheBus } from './key-on-the-bus.ts';
import { readAnswers } from './opensc-output.ts';

/*
 * Another host's view of the key: pcscd with libusb and libccid, and OpenSC's tools. None of it was written with this key
 * in mind.
 */
test.beforeEach(() => test.skip(!hasSmartCards('opensc-tool'), 'no smart-card service or OpenSC'));

for (const attachment of ['ccid-extended', 'ccid-short'] as const)
  test(`${attachment}: a smart-card service powers the card and exchanges commands with it`, async ({ smartCards }) => {
    const key = new KeyOnTheBus(sampleState({ attachment, serialNumber: 'VK0000000042' }), { as: asSmartCard });
    const service = await smartCards(key);

    const list = await service.run('opensc-tool', ['--list-readers']);
    const atr = await service.run('opensc-tool', ['--atr']);
    const getDevInfo = '8004000000';
    const unknownInstruction = '80EE000000';
    const sixteenRandomBytes = '8050000010';
    const sent = [getDevInfo, unknownInstruction, sixteenRandomBytes, sixteenRandomBytes];
    const exchanged = await service.run(
      'opensc-tool',
      sent.flatMap((command) => ['--send-apdu', command]),
    );

    expect(list.output).toMatch(/Yes .*VK0000000042/);
    // T=1 and nothing else: TS, T0 with TD1, TD1, no historical bytes, TCK (ISO/IEC 7816-3 §8.2).
    expect(atr.output).toContain('3b:80:01:81');
    const [info, unknown, random, another] = readAnswers(exchanged.output);
    expect(info?.status).toBe('9000');
    expect(info?.data.includes('VK0000000042')).toBe(true);
    expect(unknown?.status).toBe('6D00');
    expect(random).toMatchObject({ status: '9000', data: { length: 16 } });
    expect(another?.data).not.toEqual(random?.data);
  });
