import { parseIsoDay } from './beijing.ts';

/** What may be filled in. An empty string stays a line to write on. Days are ISO days (`2025-03-02`). */
export interface LetterFields {
  readonly company: string;
  readonly taxpayerNumber: string;
  readonly agentName: string;
  readonly agentIdentityNumber: string;
  readonly agentMobile: string;
  readonly replacement: boolean;
  readonly unlock: boolean;
  readonly from: string;
  readonly until: string;
  readonly date: string;
}

export const blankLetter: LetterFields = {
  company: '',
  taxpayerNumber: '',
  agentName: '',
  agentIdentityNumber: '',
  agentMobile: '',
  replacement: false,
  unlock: false,
  from: '',
  until: '',
  date: '',
};

/** The letter with only the business ticked that a person came for. */
export const letterFor = (business: 'replacement' | 'unlock' | undefined): LetterFields => ({
  ...blankLetter,
  replacement: business === 'replacement',
  unlock: business === 'unlock',
});

export type LetterProblem =
  | 'tooLong'
  /** Neither a unified social credit code nor an older tax number by its shape. */
  | 'taxpayerNumberShape'
  /** Eighteen characters whose check character does not fit. */
  | 'taxpayerNumberCheck'
  | 'identityNumberShape'
  | 'identityNumberDate'
  | 'identityNumberCheck'
  | 'mobileShape'
  | 'notADay'
  | 'untilBeforeFrom';

export type LetterProblems = Readonly<Partial<Record<keyof LetterFields, LetterProblem>>>;

/** GB 32100-2015: digits and capitals without I, O, S, V, Z; the value of a character is its place here. */
const creditCodeAlphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
/** 3^i mod 31 (GB 32100-2015 §4.6). */
const creditCodeWeights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/** 2^(17−i) mod 11 (GB 11643-1999, ISO 7064 MOD 11-2). */
const identityWeights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

const weightedSum = (values: readonly number[], weights: readonly number[]) =>
  weights.reduce((sum, weight, at) => sum + weight * (values[at] ?? 0), 0);

/** The 18th character of a unified social credit code, from its first 17 (GB 32100-2015). Undefined for foreign characters. */
export function creditCodeCheck(first17: string): string | undefined {
  const values = Array.from(first17, (character) => creditCodeAlphabet.indexOf(character));
  if (values.length !== 17 || values.includes(-1)) return undefined;
  return creditCodeAlphabet[(31 - (weightedSum(values, creditCodeWeights) % 31)) % 31];
}

/** The 18th character of a citizen identity number, from its first 17 digits (GB 11643-1999). */
export function identityNumberCheck(first17: string): string | undefined {
  if (!/^\d{17}$/.test(first17)) return undefined;
  return '10X98765432'[weightedSum(Array.from(first17, Number), identityWeights) % 11];
}

/** Upper case, without the blanks people group numbers with. */
export const tidyNumber = (written: string): string => written.replace(/[\s-]/g, '').toUpperCase();

/** What is wrong with a taxpayer number: a unified social credit code, or an older number of 15 to 20 characters. */
export function taxpayerNumberProblem(written: string): 'taxpayerNumberShape' | 'taxpayerNumberCheck' | undefined {
  const number = tidyNumber(written);
  if (!/^[0-9A-Z]{15,20}$/.test(number)) return 'taxpayerNumberShape';
  if (number.length !== 18) return undefined;
  if (creditCodeCheck(number.slice(0, 17)) === number.at(-1)) return undefined;
  // Sole traders' older numbers are their identity number, of the same length.
  return identityNumberProblem(number) === undefined ? undefined : 'taxpayerNumberCheck';
}

function identityNumberProblem(written: string): LetterProblem | undefined {
  const number = tidyNumber(written);
  if (!/^\d{17}[\dX]$/.test(number)) return 'identityNumberShape';
  const born = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  if (parseIsoDay(born) === undefined) return 'identityNumberDate';
  return identityNumberCheck(number.slice(0, 17)) === number.at(-1) ? undefined : 'identityNumberCheck';
}

const mobileProblem = (written: string): LetterProblem | undefined =>
  /^(\+?86)?1[3-9]\d{9}$/.test(tidyNumber(written)) ? undefined : 'mobileShape';

const dayProblem = (written: string): LetterProblem | undefined =>
  parseIsoDay(written) === undefined ? 'notADay' : undefined;

const tooLong = (limit: number) => (written: string) => (written.trim().length > limit ? 'tooLong' : undefined);

const checks = {
  company: tooLong(80),
  taxpayerNumber: taxpayerNumberProblem,
  agentName: tooLong(30),
  agentIdentityNumber: identityNumberProblem,
  agentMobile: mobileProblem,
  from: dayProblem,
  until: dayProblem,
  date: dayProblem,
} as const;
type TextField = keyof typeof checks;
export const letterTextFields = Object.keys(checks) as readonly TextField[];

/** What is wrong with what has been filled in; empty fields are never wrong. */
export function checkLetter(fields: LetterFields): LetterProblems {
  const problems: Partial<Record<keyof LetterFields, LetterProblem>> = {};
  for (const field of letterTextFields) {
    const written = fields[field];
    const problem = written.trim() === '' ? undefined : checks[field](written);
    if (problem) problems[field] = problem;
  }
  if (!problems.from && !problems.until && fields.from && fields.until && fields.from > fields.until)
    problems.until = 'untilBeforeFrom';
  return problems;
}

/** A part of the letter: words that never change, a line to write on, or a box to tick. */
export type LetterPart =
  | { readonly kind: 'words'; readonly text: string }
  | { readonly kind: 'blank'; readonly field: TextField; readonly filled: string; readonly empty: string }
  | { readonly kind: 'box'; readonly field: 'replacement' | 'unlock'; readonly ticked: boolean };

export type LetterLineRole = 'name' | 'title' | 'body' | 'business' | 'note' | 'period' | 'signature';

export interface LetterLine {
  readonly role: LetterLineRole;
  /** Blanks ahead of the line in the appendix; on paper the role says where a line stands. */
  readonly indent: number;
  readonly parts: readonly LetterPart[];
}

const words = (said: string): LetterPart => ({ kind: 'words', text: said });

/** A day's year, month and day as three blanks, as the appendix spaces them. */
function dayParts(field: 'from' | 'until' | 'date', iso: string): readonly LetterPart[] {
  const [year = '', month = '', day = ''] = parseIsoDay(iso) === undefined ? [] : iso.split('-');
  const number = (digits: string) => (digits === '' ? '' : String(Number(digits)));
  const blank = (filled: string, width: number): LetterPart => ({
    kind: 'blank',
    field,
    filled: number(filled),
    empty: ' '.repeat(width),
  });
  return [blank(year, 15), words('年'), blank(month, 9), words('月'), blank(day, 8), words('日')];
}

/**
 * The letter of authorisation, word by word as in the appendix of the guide; what is not filled in stays as long a blank as
 * it is there. The “(” after the two kinds of business in the guide's text is a garbled □.
 */
export function letterLines(fields: LetterFields): readonly LetterLine[] {
  const blank = (field: TextField, width: number): LetterPart => ({
    kind: 'blank',
    field,
    filled: fields[field].trim(),
    empty: '_'.repeat(width),
  });
  const box = (field: 'replacement' | 'unlock'): LetterPart => ({ kind: 'box', field, ticked: fields[field] });
  const written = parseIsoDay(fields.date) === undefined ? [] : dayParts('date', fields.date);
  return [
    { role: 'name', indent: 0, parts: [words('天津税务证书办理业务授权书')] },
    { role: 'title', indent: 0, parts: [words('授 权 书')] },
    {
      role: 'body',
      indent: 0,
      parts: [
        words('我公司'),
        blank('company', 49),
        words('，企业证件号码（纳税人识别号）'),
        blank('taxpayerNumber', 33),
        words('，兹授权我司员工'),
        blank('agentName', 9),
        words(',身份证号'),
        blank('agentIdentityNumber', 27),
        words('，手机号码'),
        blank('agentMobile', 15),
        words('，办理天津市税务局CA证书相关业务，请予以协助。'),
      ],
    },
    {
      role: 'business',
      indent: 0,
      parts: [words('业务类型：USBKEY补办 '), box('replacement'), words('    USBKEY解锁 '), box('unlock')],
    },
    { role: 'note', indent: 0, parts: [words('（注：请选择办理的业务类型，并在选择的业务类型 □ 处划勾）')] },
    { role: 'period', indent: 3, parts: [words('授权期限：'), ...dayParts('from', fields.from)] },
    { role: 'period', indent: 11, parts: [words('至'), ...dayParts('until', fields.until)] },
    { role: 'signature', indent: 35, parts: [words('单位名称：（公章）')] },
    { role: 'signature', indent: 0, parts: [words('日期：'), ...written] },
  ];
}

/** A part as it is printed. */
export function partText(part: LetterPart): string {
  if (part.kind === 'words') return part.text;
  if (part.kind === 'box') return part.ticked ? '☑' : '□';
  return part.filled === '' ? part.empty : part.filled;
}

/** The whole letter as plain text, one line a paragraph. */
export const letterText = (fields: LetterFields): string =>
  letterLines(fields)
    .map((line) => ' '.repeat(line.indent) + line.parts.map(partText).join(''))
    .join('\n');

/** Of the file a browser saves when it prints to PDF: the document's title. */
export const letterFileName = '天津税务证书办理业务授权书';
