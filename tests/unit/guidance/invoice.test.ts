import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blankInvoice, checkInvoice, invoiceFields } from '../../../src/guidance/invoice.ts';

test.each([
  ['title', '天津示例商贸有限公司', undefined],
  ['title', '长'.repeat(81), 'tooLong'],
  ['taxNumber', '91350100M000100Y43', undefined],
  ['taxNumber', '91350100M000100Y44', 'taxpayerNumberCheck'],
  ['taxNumber', '12345', 'taxpayerNumberShape'],
  ['email', 'kuaiji@example.com.cn', undefined],
  ['email', 'kuaiji@example', 'email'],
  ['email', 'kuaiji example@a.cn', 'email'],
  ['email', 'a@b@c.cn', 'email'],
  ['phone', '13800138000', undefined],
  ['phone', '022-23456789', undefined],
  ['phone', '(022) 2345 6789', undefined],
  ['phone', '1234', 'phone'],
  ['phone', 'call me', 'phone'],
] as const)('%s “%s”: %s', (field, written, problem) => {
  expect(checkInvoice({ ...blankInvoice, [field]: written })[field]).toBe(problem);
});

test('a blank slip is printed to be written on: nothing in it is wrong', () => {
  expect(checkInvoice(blankInvoice)).toEqual({});
  expect(checkInvoice({ title: ' ', taxNumber: ' ', email: ' ', phone: ' ' })).toEqual({});
});

test('property: whatever is typed, a judgement is given of each field alone', () => {
  fc.assert(
    fc.property(fc.constantFrom(...invoiceFields), fc.string({ maxLength: 300 }), (field, written) => {
      const found = checkInvoice({ ...blankInvoice, [field]: written });
      expect(Object.keys(found).every((one) => one === field)).toBe(true);
    }),
  );
});
