import type { Visitor } from './model.ts';

export type VisitorField = keyof Visitor;
export type VisitorProblem = 'noSurname' | 'surnameShape' | 'noPhone' | 'phoneShape';

/** Numbers as people write them: blanks, hyphens, brackets, full-width digits and the country code are no part of it. */
const bare = (phone: string): string =>
  phone
    .normalize('NFKC')
    .replace(/[\s\-‐-―()]/g, '')
    .replace(/^(\+|00)86/, '');

/** What is sent: without what a keyboard adds. */
export const tidyVisitor = ({ surname, phone }: Visitor): Visitor => ({
  surname: surname.normalize('NFKC').trim().replace(/\s+/g, ' '),
  phone: bare(phone),
});

/** What is wrong with each field; empty when it can be sent. */
export function checkVisitor(visitor: Visitor): Readonly<Partial<Record<VisitorField, VisitorProblem>>> {
  const { surname, phone } = tidyVisitor(visitor);
  return {
    ...(surname === ''
      ? { surname: 'noSurname' as const }
      : /^\p{L}[\p{L}\p{M}·.' -]{0,19}$/u.test(surname)
        ? {}
        : { surname: 'surnameShape' as const }),
    ...(phone === ''
      ? { phone: 'noPhone' as const }
      : /^1[3-9]\d{9}$/.test(phone)
        ? {}
        : { phone: 'phoneShape' as const }),
  };
}
