import { expect, test } from 'vitest';
import fc from 'fast-check';
import * as v from 'valibot';
import { bookingRequestSchema } from '../../../src/service/appointments.ts';
import { checkVisitor, tidyVisitor } from '../../../src/appointments/visitor.ts';

test.each([
  ['张', '13800138000', {}],
  [' 欧阳 ', '138 0013 8000', {}],
  ['买买提·阿', '＋86－138－0013－8000', {}],
  ["O'Neil", '0086 13800138000', {}],
  ['１２', '13800138000', { surname: 'surnameShape' }],
  ['=SUM', '13800138000', { surname: 'surnameShape' }],
  ['<b>', '13800138000', { surname: 'surnameShape' }],
  ['张'.repeat(21), '13800138000', { surname: 'surnameShape' }],
  ['  ', '', { surname: 'noSurname', phone: 'noPhone' }],
  ['张', '12800138000', { phone: 'phoneShape' }],
  ['张', '1380013800', { phone: 'phoneShape' }],
  ['张', '022-23456789', { phone: 'phoneShape' }],
  ['张', '1380013800x', { phone: 'phoneShape' }],
] as const)('%o and %o: %o', (surname, phone, problems) => {
  expect(checkVisitor({ surname, phone })).toEqual(problems);
});

test('what has no problem is what the service takes', () => {
  const digits = fc.stringMatching(/^1[3-9][0-9]{9}$/);
  const surnames = fc.stringMatching(/^[ A-Za-zé张王欧阳·.'-]{1,24}$/);
  const pieces = fc.constantFrom('', ' ', '-');
  fc.assert(
    fc.property(surnames, digits, pieces, (surname, phone, gap) => {
      const visitor = { surname, phone: `+86${gap}${phone.slice(0, 3)}${gap}${phone.slice(3)}` };
      fc.pre(Object.keys(checkVisitor(visitor)).length === 0);
      const request = { business: 'renew', centre: 'a', slot: 'b', ...tidyVisitor(visitor) };
      expect(v.parse(bookingRequestSchema, request)).toEqual(request);
    }),
  );
  expect(tidyVisitor({ surname: ' 欧 阳 ', phone: '(+86) 138 0013 8000' }).surname).toBe('欧 阳');
});
