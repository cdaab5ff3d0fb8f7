import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const newFaq: readonly FaqEntry[] = [
  {
    id: 'first-certificate',
    topic: 'new',
    question: text('第一次办证书，从哪里开始？', 'I have never had a certificate. Where do I start?'),
    answer: {
      'zh-CN': [
        '要跑两个地方：先去办税服务厅，再去服务中心。',
        {
          steps: [
            '登录天津市网上税务局，到所属地税务机关申请办理 CA 数字证书。',
            '带上企业证件和本人身份证件去办税服务厅，审核无误后领到“证书协办函”。',
            '协办函加盖公章、经办人签字，连同经办人身份证原件，带到任意一个 CA证书服务中心申领。',
          ],
        },
      ],
      en: [
        'Two places: first the tax service hall, then a service centre.',
        {
          steps: [
            'Log in to the Tianjin online tax office and apply to the tax authority of your district.',
            'Take the company’s papers and your identity document to the tax service hall; they check them and give you the assistance letter (证书协办函).',
            'Have it sealed and signed, and take it with the original identity card to any CA certificate service centre, where you get the certificate.',
          ],
        },
      ],
    },
    keywords: ['新办', '首次', '申请', '新公司', '刚注册', '开户', '领取'],
    rules: ['R-1.2.1-1', 'R-1.2.3-0', 'R-1.2.3-1a', 'R-1.2.3-2a', 'R-1.2.3-2b', 'R-1.2.3-3', 'R-1.2.3-4', 'R-1.2.3-5'],
    assumptions: ['A-16'],
    pages: ['/guide/new', '/centres'],
  },
  {
    id: 'new-online',
    topic: 'new',
    question: text('新办能全程在网上办吗？', 'Can a first certificate be had entirely online?'),
    answer: {
      'zh-CN': ['不能。证书要到 CA证书服务中心现场领取。网上能做的，是第一步在天津市网上税务局提出申请。'],
      en: [
        'No. The certificate is handed over in person at a service centre. Only the first step, the application, is online, at the Tianjin online tax office.',
      ],
    },
    keywords: ['在线', '网上申请', '首次', '现场'],
    rules: ['R-1.2.2-1', 'R-1.2.3-1a'],
    assumptions: ['A-16'],
    pages: ['/guide/new'],
  },
  {
    id: 'new-materials',
    topic: 'new',
    question: text('新办要带哪些材料？', 'What do I bring for a first certificate?'),
    answer: {
      'zh-CN': [
        '去办税服务厅带：',
        { list: ['税务登记证件原件，或营业执照（一照一码纳税人）', '本人身份证件'] },
        '去服务中心带：',
        { list: ['“证书协办函”，加盖企业公章、经办人签字', '经办人身份证原件'] },
      ],
      en: [
        'To the tax service hall:',
        {
          list: [
            'The original tax registration certificate, or the business licence (unified code)',
            'Your own identity document',
          ],
        },
        'To the service centre:',
        {
          list: [
            'The assistance letter (证书协办函), sealed by the company and signed by the person who comes',
            'That person’s original identity card',
          ],
        },
      ],
    },
    keywords: ['资料', '证件', '营业执照', '身份证', '公章', '首次'],
    rules: ['R-1.2.3-1b', 'R-1.2.3-3'],
    assumptions: [],
    pages: ['/guide/new'],
  },
  {
    id: 'assistance-letter',
    topic: 'new',
    question: text('“证书协办函”是什么？去哪里开？', 'What is the assistance letter (证书协办函), and who issues it?'),
    answer: {
      'zh-CN': [
        '它是办税服务厅开给您的一份函，证明企业信息已经审核。服务中心凭它给您办证书。',
        '到办税服务厅申请，审核无误后由受理人员开出。它和“授权书”不是一回事，新办不用授权书。',
      ],
      en: [
        'A letter from the tax service hall, issued once your company’s details have been checked. The service centre needs it to make the certificate.',
        'It is not the letter of authorisation, which a first certificate does not need.',
      ],
    },
    keywords: ['协办函', '介绍信', '开具', '授权书区别'],
    rules: ['R-1.2.3-0', 'R-1.2.3-2b', 'R-2-8'],
    assumptions: [],
    pages: ['/guide/new'],
  },
  {
    id: 'seal-and-signature',
    topic: 'new',
    question: text('协办函上要盖章、签字吗？', 'Does the assistance letter need a seal and a signature?'),
    answer: {
      'zh-CN': ['要。去服务中心之前，先加盖企业公章，并由经办人签字。经办人要带自己的身份证原件。'],
      en: [
        'Yes: the company’s seal and the signature of the person who comes, before you go to the centre. That person brings their original identity card.',
      ],
    },
    keywords: ['公章', '签名', '经办人', '盖章'],
    rules: ['R-1.2.3-3'],
    assumptions: [],
    pages: ['/guide/new'],
  },
  {
    id: 'no-tax-registration',
    topic: 'new',
    question: text('没有税务登记证怎么办？', 'We have no tax registration certificate.'),
    answer: {
      'zh-CN': ['一照一码的纳税人带营业执照就可以，不用税务登记证件。'],
      en: ['With a unified code (一照一码) the business licence takes its place.'],
    },
    keywords: ['一照一码', '三证合一', '五证合一', '营业执照', '税务登记证'],
    rules: ['R-1.2.3-1b'],
    assumptions: [],
    pages: ['/guide/new'],
  },
  {
    id: 'which-tax-hall',
    topic: 'new',
    question: text('要去哪个办税服务厅？', 'Which tax service hall do I go to?'),
    answer: {
      'zh-CN': [
        '申请要向企业所属地的税务机关提出，办税服务厅请按主管税务机关的要求去。',
        '拿到“证书协办函”以后，服务中心可以任选一个。',
      ],
      en: [
        'You apply to the tax authority of your company’s district; go to the hall it tells you.',
        'With the assistance letter in hand you may choose any service centre.',
      ],
    },
    keywords: ['主管税务机关', '税务所', '所属地', '大厅'],
    rules: ['R-1.2.3-1a', 'R-1.2.3-0'],
    assumptions: ['A-16'],
    pages: ['/guide/new', '/centres'],
  },
  {
    id: 'new-or-replacement',
    topic: 'new',
    question: text(
      '以前办过，现在没有了，算新办还是补办？',
      'We had one once and have it no more. New, or a replacement?',
    ),
    answer: {
      'zh-CN': [
        '以前申请过的，不算新办。USBKEY 丢了或坏了，办理“USBKEY补办”；USBKEY 还在、只是证书过期了，办理“证书更新”。',
        '不知道单位以前有没有申请过，请打热线问。',
      ],
      en: [
        'Who has applied before is not new. A lost or damaged USBKEY is replaced; if it is there and only the certificate has expired, it is renewed.',
        'If you do not know whether your company ever applied, ask the hot-line.',
      ],
    },
    keywords: ['区别', '重新办', '换人', '接手', '前任会计'],
    rules: ['R-1.2.1-1', 'R-1.4.1-1', 'R-1.3.1-1', 'R-1-5'],
    assumptions: [],
    pages: ['/guide/replace', '/guide/renew'],
  },
];
