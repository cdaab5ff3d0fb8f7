import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const replaceFaq: readonly FaqEntry[] = [
  {
    id: 'lost-key',
    topic: 'replace',
    question: text('USBKEY 丢了怎么办？', 'I have lost the USBKEY.'),
    answer: {
      'zh-CN': [
        '到任意一个 CA证书服务中心补办，只能现场办理。',
        { list: ['带上经办人身份证原件', '带上加盖公章的授权书（勾选“USBKEY补办”）', '备好开票信息'] },
        '核验通过后，现场交 {replacementFeeYuan} 元介质费。另外，请尽快打热线，问是否需要挂失。',
      ],
      en: [
        'Have it replaced at any CA certificate service centre; this is only done in person.',
        {
          list: [
            'Bring the original identity card of the person who comes',
            'Bring the sealed letter of authorisation (tick USBKEY补办)',
            'Have your invoice details ready',
          ],
        },
        'Once verified, {replacementFeeYuan} yuan are paid there. And please call the hot-line soon: ask whether the loss should be reported.',
      ],
    },
    keywords: ['丢失', '遗失', '不见了', '找不到', '被偷', 'U盾', '挂失'],
    rules: ['R-1.4.1-1', 'R-1.4.2-1', 'R-1.4.3-1', 'R-1.4.3-3', 'R-1.4.3-4'],
    assumptions: ['A-14'],
    pages: ['/guide/replace', '/letter', '/centres'],
  },
  {
    id: 'report-loss',
    topic: 'replace',
    question: text('USBKEY 丢了要挂失吗？', 'Should the loss be reported?'),
    answer: {
      'zh-CN': [
        '指南没有写挂失的办法。为了稳妥，请尽快拨打服务热线，问是否需要挂失。本站不提供网上挂失。',
        'USBKEY 有密码保护，别人不知道密码就不能用它签名，您不必太着急。',
      ],
      en: [
        'The guide does not say how. To be safe, call the hot-line soon and ask. This site cannot report it for you.',
        'The USBKEY is protected by its password: who does not know it cannot sign with it.',
      ],
    },
    keywords: ['冻结', '吊销', '注销', '盗用', '安全'],
    rules: ['R-1-5'],
    assumptions: ['A-14'],
    pages: ['/guide/replace'],
  },
  {
    id: 'key-broken',
    topic: 'replace',
    question: text('插上 USBKEY 没反应，是坏了吗？', 'Nothing happens when I plug it in. Is it broken?'),
    answer: {
      'zh-CN': [
        '不一定。请先试这几样：',
        {
          steps: [
            '拔出来，换一个 USB 口再插，尽量直接插在电脑上。',
            '用了延长线或分线器的，先去掉。',
            '换一台电脑试试。',
            '到“系统检测”做一次检测。',
          ],
        },
        '都不行的，带上它去服务中心，请网点检测。确实坏了再补办。',
      ],
      en: [
        'Not necessarily. First try this:',
        {
          steps: [
            'Unplug it and use another USB port, best one on the computer itself.',
            'Leave out extension cables and hubs.',
            'Try another computer.',
            'Run the system check.',
          ],
        },
        'If nothing helps, take it to a service centre and have it looked at; replace it only if it is really broken.',
      ],
    },
    keywords: ['坏了', '损坏', '不亮', '不识别', '烧了', '没有反应', '读不出来', '认不出'],
    rules: ['R-1.4.1-1'],
    assumptions: [],
    pages: ['/check', '/guide/replace'],
  },
  {
    id: 'replacement-fee',
    topic: 'replace',
    question: text('补办 USBKEY 要多少钱？', 'What does a replacement cost?'),
    answer: {
      'zh-CN': [
        '{replacementFeeYuan} 元，是 USBKEY 的介质费，核验通过后现场交。',
        '不是人为损坏、外观完好的，可以免费更换，由服务中心判断。',
      ],
      en: [
        '{replacementFeeYuan} yuan for the new USBKEY, paid at the centre once your details are verified.',
        'If the damage is not man-made and the outside is intact, it is exchanged free of charge; the centre decides.',
      ],
    },
    keywords: ['费用', '收费', '价格', '工本费', '介质费', '26元', '现金'],
    rules: ['R-1.4.3-3', 'R-1.4.3-5'],
    assumptions: ['A-19'],
    pages: ['/guide/replace'],
  },
  {
    id: 'free-exchange',
    topic: 'replace',
    question: text('什么情况可以免费更换 USBKEY？', 'When is the exchange free?'),
    answer: {
      'zh-CN': [
        '两个条件都要满足：不是人为损坏，外观完好。丢失的不能免费。',
        '是不是人为损坏，由服务中心人员看过以后判断，所以请把坏的 USBKEY 带去。',
      ],
      en: [
        'Both must hold: the damage is not man-made, and the outside is intact. A lost one is not free.',
        'The staff of the centre judge by looking at it, so please bring the damaged one.',
      ],
    },
    keywords: ['人为损坏', '外观完好', '保修', '质量问题', '不花钱'],
    rules: ['R-1.4.3-5', 'R-1.4.3-3'],
    assumptions: ['A-19', 'A-8'],
    pages: ['/guide/replace'],
  },
  {
    id: 'invoice',
    topic: 'replace',
    question: text(
      '交的 {replacementFeeYuan} 元怎么开发票？',
      'How do I get an invoice for the {replacementFeeYuan} yuan?',
    ),
    answer: {
      'zh-CN': ['交费时登记发票信息，以后由 CFCA 统一开具电子发票，不是当场出票。请提前备好开票信息。'],
      en: [
        'Your details are taken down when you pay; CFCA issues an electronic invoice later, not on the spot. Have the details ready.',
      ],
    },
    keywords: ['电子发票', '开票', '报销', '抬头', '收据'],
    rules: ['R-1.4.3-4'],
    assumptions: [],
    pages: ['/guide/replace'],
  },
  {
    id: 'replacement-materials',
    topic: 'replace',
    question: text('补办要带哪些材料？', 'What do I bring for a replacement?'),
    answer: {
      'zh-CN': [
        { list: ['经办人身份证原件', '授权书，加盖公章'] },
        '另外建议：备好开票信息；USBKEY 坏了的，把它也带上。任意一个服务中心都可以办。',
      ],
      en: [
        {
          list: [
            'The original identity card of the person who comes',
            'The letter of authorisation, with the company seal',
          ],
        },
        'Better also have your invoice details and, if it is damaged, the USBKEY. Any service centre will do.',
      ],
    },
    keywords: ['资料', '证件', '身份证', '授权书', '公章'],
    rules: ['R-1.4.3-1', 'R-1.4.3-4'],
    assumptions: ['A-8'],
    pages: ['/letter', '/centres', '/guide/replace'],
  },
  {
    id: 'replacement-online',
    topic: 'replace',
    question: text('补办能在网上办、寄到家吗？', 'Can a replacement be ordered online and posted?'),
    answer: {
      'zh-CN': ['不能。USBKEY 补办只能到服务中心现场办理。您可以在本站填好授权书、打印出来，再去网点，少跑一趟。'],
      en: [
        'No. It is only done in person, at a service centre. What you can do here is fill in and print the letter before you go.',
      ],
    },
    keywords: ['邮寄', '快递', '在线', '代办'],
    rules: ['R-1.4.2-1'],
    assumptions: [],
    pages: ['/letter', '/centres'],
  },
  {
    id: 'validity-after-replacement',
    topic: 'replace',
    question: text(
      '补办以后，原来的证书和有效期怎么算？',
      'What becomes of the old certificate and its dates after a replacement?',
    ),
    answer: {
      'zh-CN': [
        '指南没有写补办后的有效期，也没有写旧证书怎么处理。请在办理时问服务中心。拿到以后，可以插上电脑在“证书管理”看新的有效期。',
      ],
      en: [
        'The guide does not say. Please ask at the centre. Once you have the new one, “证书管理” (certificates) shows its dates.',
      ],
    },
    keywords: ['旧证书', '重新计算', '作废', '顺延'],
    rules: ['R-1.4.3-6'],
    assumptions: ['A-17'],
    pages: ['/certificates'],
  },
];
