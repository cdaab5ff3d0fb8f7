import fc from 'fast-check';
import { expect, test } from 'vitest';
import { creditCodeCheckCharacter, sampleTaxpayer } from '../../reference-ca/subject.ts';

test.each([
  // Published codes: the example of GB 32100-2015, and two large companies' public registrations.
  ['91350100M000100Y43'],
  ['91440300708461136T'],
  ['91110000802100433B'],
])('the check character of %s is its last', (code) => {
  expect(creditCodeCheckCharacter(code.slice(0, 17))).toBe(code.charAt(17));
});

test('a code with one wrong character has another check character', () => {
  const characters = '0123456789ABCDEFGHJKLMNPQRTUWXY'.split('');
  const character = fc.constantFrom(...characters);
  const body = fc.array(character, { minLength: 17, maxLength: 17 });
  fc.assert(
    fc.property(body, fc.nat(16), character, (code, position, other) => {
      fc.pre(code[position] !== other);
      const changed = code.with(position, other);
      expect(creditCodeCheckCharacter(changed.join(''))).not.toBe(creditCodeCheckCharacter(code.join('')));
    }),
  );
});

test.each([
  ['letters outside the alphabet', '9135010OM000100Y4'],
  ['another length', '91350100M000100Y'],
])('there is no check character for %s', (_what, body) => {
  expect(() => creditCodeCheckCharacter(body)).toThrow(RangeError);
});

test('every sample taxpayer says that it is a sample, and has a valid code', () => {
  for (let i = 0; i < 50; i++) {
    const { name, creditCode } = sampleTaxpayer();
    expect(name).toMatch(/^某某.+有限公司\(示例\)$/u);
    expect(creditCode).toMatch(/^91120100MA[0-9A-HJ-NPQRTUWXY]{8}$/u);
    expect(creditCodeCheckCharacter(creditCode.slice(0, 17))).toBe(creditCode.charAt(17));
  }
});
