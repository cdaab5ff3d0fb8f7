import { taxpayerNumberProblem, type LetterProblem } from './letter.ts';

/** What the service centre takes down for the invoice of a new USBKEY (R-1.4.3-4). Empty: a line to write on. */
export interface InvoiceFields {
  /** 抬头: the name on the invoice. */
  readonly title: string;
  readonly taxNumber: string;
  /** Where the electronic invoice is sent. */
  readonly email: string;
  readonly phone: string;
}
export const invoiceFields = [
  'title',
  'taxNumber',
  'email',
  'phone',
] as const satisfies readonly (keyof InvoiceFields)[];
export const blankInvoice: InvoiceFields = { title: '', taxNumber: '', email: '', phone: '' };

export type InvoiceProblem =
  Extract<LetterProblem, 'tooLong' | 'taxpayerNumberShape' | 'taxpayerNumberCheck'> | 'email' | 'phone';

const checks: Readonly<Record<keyof InvoiceFields, (written: string) => InvoiceProblem | undefined>> = {
  title: (written) => (written.length > 80 ? 'tooLong' : undefined),
  taxNumber: taxpayerNumberProblem,
  // Whether mail arrives only mail can tell: this finds what was typed wrong.
  email: (written) =>
    written.length <= 254 && /^[^\s@，；]+@[^\s@，；.]+(\.[^\s@，；.]+)+$/.test(written) ? undefined : 'email',
  phone: (written) => (/^[+(]?\d[\d\s()-]{5,18}\d$/.test(written) ? undefined : 'phone'),
};

/** What cannot be right in what has been filled in; empty fields are never wrong. */
export function checkInvoice(fields: InvoiceFields): Readonly<Partial<Record<keyof InvoiceFields, InvoiceProblem>>> {
  const problems: Partial<Record<keyof InvoiceFields, InvoiceProblem>> = {};
  for (const field of invoiceFields) {
    const written = fields[field].trim();
    const problem = written === '' ? undefined : checks[field](written);
    if (problem) problems[field] = problem;
  }
  return problems;
}

/** The lines of the slip, in Chinese whatever the site's language: it is read at the counter. */
export const invoiceLines: readonly (readonly [field: keyof InvoiceFields, label: string])[] = [
  ['title', '发票抬头'],
  ['taxNumber', '纳税人识别号'],
  ['email', '接收电子发票的邮箱'],
  ['phone', '联系电话'],
];
export const invoiceSlipTitle = 'USBKEY介质费开票信息单';
