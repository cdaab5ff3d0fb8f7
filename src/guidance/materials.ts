import type { AssumptionId, FlowSlug, RuleId } from './rule-ids.ts';
import { text, type Text } from './text.ts';

export const materialCodes = [
  'usbKey',
  'ownIdentityCard',
  'agentIdentityCard',
  'authorisation',
  'registrationOrLicence',
  'assistanceLetter',
  'invoiceDetails',
] as const;
export type MaterialCode = (typeof materialCodes)[number];

export interface Material {
  readonly code: MaterialCode;
  /** `recommended`: the guide does not ask for it; bringing it saves a second trip. */
  readonly need: 'required' | 'recommended';
  readonly label: Text;
  /** How it must be: original, sealed, signed. */
  readonly detail: Text | undefined;
  /** Exactly one of these has to be there. */
  readonly oneOf: readonly Text[];
  readonly rules: readonly RuleId[];
  readonly assumptions: readonly AssumptionId[];
}

/** Where the materials are shown: 新办 goes to two places, everything else to one. */
export type MaterialPlace = 'taxHall' | 'centre';

const usbKey = (rule: RuleId): Material => ({
  code: 'usbKey',
  need: 'required',
  label: text('USBKEY', 'The USBKEY'),
  detail: undefined,
  oneOf: [],
  rules: [rule],
  assumptions: [],
});

const usbKeyToo = (detail: Text): Material => ({
  code: 'usbKey',
  need: 'recommended',
  label: text('USBKEY', 'The USBKEY'),
  detail,
  oneOf: [],
  rules: [],
  assumptions: ['A-8'],
});

const agentIdentityCard = (rule: RuleId): Material => ({
  code: 'agentIdentityCard',
  need: 'required',
  label: text('经办人身份证原件', 'Original identity card of the person who comes'),
  detail: undefined,
  oneOf: [],
  rules: [rule],
  assumptions: [],
});

const authorisation = (rule: RuleId): Material => ({
  code: 'authorisation',
  need: 'required',
  label: text('授权书', 'Letter of authorisation'),
  detail: text('要加盖公章。可以在本站填好再打印。', 'With the company seal. You can fill it in here and print it.'),
  oneOf: [],
  rules: [rule],
  assumptions: [],
});

/** What to bring, by flow and place; the guide's list first, our advice after it. */
const table: Readonly<Record<FlowSlug, Readonly<Partial<Record<MaterialPlace, readonly Material[]>>>>> = {
  upgrade: { centre: [usbKey('R-1.1.3.2-1')] },
  renew: { centre: [usbKey('R-1.3.3.2-1')] },
  new: {
    taxHall: [
      {
        code: 'registrationOrLicence',
        need: 'required',
        label: text('企业证件（二选一）', 'Company papers (one of the two)'),
        detail: undefined,
        oneOf: [
          text('税务登记证件原件', 'Original tax registration certificate'),
          text('一照一码纳税人：营业执照', 'With a unified code: the business licence'),
        ],
        rules: ['R-1.2.3-1b'],
        assumptions: [],
      },
      {
        code: 'ownIdentityCard',
        need: 'required',
        label: text('本人身份证件', 'Your own identity document'),
        detail: undefined,
        oneOf: [],
        rules: ['R-1.2.3-1b'],
        assumptions: [],
      },
    ],
    centre: [
      {
        code: 'assistanceLetter',
        need: 'required',
        label: text('证书协办函', 'Assistance letter (证书协办函)'),
        detail: text(
          '办税服务厅开出；要加盖企业公章，并由经办人签字。',
          'From the tax service hall; with the company seal and the signature of the person who comes.',
        ),
        oneOf: [],
        rules: ['R-1.2.3-3'],
        assumptions: [],
      },
      agentIdentityCard('R-1.2.3-3'),
    ],
  },
  replace: {
    centre: [
      agentIdentityCard('R-1.4.3-1'),
      authorisation('R-1.4.3-1'),
      {
        code: 'invoiceDetails',
        need: 'recommended',
        label: text('开票信息', 'Invoice details'),
        detail: text('交费时要登记。', 'They are taken down when you pay.'),
        oneOf: [],
        rules: ['R-1.4.3-4'],
        assumptions: [],
      },
      usbKeyToo(text('坏了的也请带上，网点要看外观。', 'Bring a damaged one too: the centre looks at its outside.')),
    ],
  },
  unlock: {
    centre: [
      agentIdentityCard('R-1.5.3-1'),
      authorisation('R-1.5.3-1'),
      usbKeyToo(text('要解锁的就是它，请带上。', 'It is what will be unlocked.')),
    ],
  },
};

/** What to bring for a flow to a place; empty when nobody goes there. */
export const materialsFor = (flow: FlowSlug, place: MaterialPlace): readonly Material[] => table[flow][place] ?? [];
