import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const upgradeFaq: readonly FaqEntry[] = [
  {
    id: 'who-needs-upgrade',
    topic: 'upgrade',
    question: text('谁需要升级证书？', 'Who needs the upgrade?'),
    answer: {
      'zh-CN': [
        '2018年9月18日前领取证书的纳税人。那以后领的，不用升级。',
        '记不清的话，插上 USBKEY 点“连接 USBKEY”，我们帮您看。',
      ],
      en: [
        'Taxpayers who collected their certificate before 18 September 2018. Later ones need none.',
        'Not sure? Plug the USBKEY in and press “连接 USBKEY” (connect): we will look.',
      ],
    },
    keywords: ['要不要升级', '是否', '旧证书', '老证书', '2018'],
    rules: ['R-1.1-1', 'R-1.1.1-1', 'R-1.1.3.1-2'],
    assumptions: ['A-2'],
    pages: ['/certificates', '/guide/upgrade'],
  },
  {
    id: 'what-is-upgrade',
    topic: 'upgrade',
    question: text('证书升级是什么意思？', 'What does the upgrade do?'),
    answer: {
      'zh-CN': [
        '天津市税务局从 2018年9月18日起，为全市纳税人升级 CA 数字证书，目的是更好地提供网上办税服务。',
        '具体更换什么，由证书机构决定，指南没有写。您要做的只有：插上 USBKEY，确认，输入密码，等它完成。',
      ],
      en: [
        'From 18 September 2018 the Tianjin Tax Service has the certificates of all taxpayers in the city upgraded, to serve them better online.',
        'What exactly is changed is up to the authority; the guide does not say. All you do is plug the USBKEY in, confirm, enter the password and wait.',
      ],
    },
    keywords: ['为什么升级', '含义', '区别', '干什么'],
    rules: ['R-1.1-1', 'R-1.1.3.1-3'],
    assumptions: ['A-3'],
    pages: ['/guide/upgrade'],
  },
  {
    id: 'upgrade-online',
    topic: 'upgrade',
    question: text('网上怎么升级证书？', 'How do I upgrade online?'),
    answer: {
      'zh-CN': [
        {
          steps: [
            '用电脑上的 Chrome 或 Edge 打开本站，插入 USBKEY，点“连接 USBKEY”。',
            '需要升级的，页面会告诉您。看清楚后确认。',
            '输入 USBKEY 密码，等待完成，其间不要拔出。',
            '升级成功后，做一次系统检测。',
          ],
        },
      ],
      en: [
        {
          steps: [
            'Open this site in Chrome or Edge on a computer, plug the USBKEY in and press “连接 USBKEY” (connect).',
            'The page tells you if an upgrade is due. Read it and confirm.',
            'Enter the password of the USBKEY and wait; leave it in until it is done.',
            'After the upgrade, run the system check once.',
          ],
        },
      ],
    },
    keywords: ['自助', '在线', '步骤', '流程'],
    rules: ['R-1.1-2', 'R-1.1.2-1', 'R-1.1.3.1-2', 'R-1.1.3.1-3', 'R-1.1.3.1-4'],
    assumptions: [],
    pages: ['/certificates', '/guide/upgrade'],
  },
  {
    id: 'collected-on-the-day',
    topic: 'upgrade',
    question: text(
      '2018年9月18日当天领的证书，要升级吗？',
      'Mine was collected on 18 September 2018 itself. Does it need the upgrade?',
    ),
    answer: {
      'zh-CN': ['指南写的是“9月18日前”。我们理解为不含当天，按北京时间算。拿不准的，请打热线核对。'],
      en: [
        'The guide says “before 18 September”. We read it as not including that day, by Beijing time. If in doubt, please ask the hot-line.',
      ],
    },
    keywords: ['9月18日', '当天', '当日', '日期'],
    rules: ['R-1.1-1', 'R-1.1-2'],
    assumptions: ['A-1'],
    pages: ['/guide/upgrade'],
  },
  {
    id: 'upgraded-before',
    topic: 'upgrade',
    question: text('不记得升级过没有，怎么办？', 'I do not remember whether it has been upgraded.'),
    answer: {
      'zh-CN': [
        '插上 USBKEY，我们会看证书的颁发机构、算法和起始日期，直接告诉您要不要升级。',
        '如果这几样对不上，页面会请您打热线核对，不会让您白跑一趟。',
      ],
      en: [
        'Plug the USBKEY in. We look at issuer, algorithm and start date, and tell you whether an upgrade is due.',
        'If these tell different stories, the page asks you to check with the hot-line before you do anything.',
      ],
    },
    keywords: ['忘了', '是否升级', '升过级', '核对'],
    rules: ['R-1.1.3.1-2', 'R-1-5'],
    assumptions: ['A-2'],
    pages: ['/certificates'],
  },
  {
    id: 'upgrade-or-renew-first',
    topic: 'upgrade',
    question: text('又要升级又快到期，先办哪个？', 'Upgrade and renewal are both due. Which first?'),
    answer: {
      'zh-CN': ['先升级。升级好以后，我们会再看一次新证书的有效期，还需要更新的话，页面会接着告诉您。'],
      en: [
        'The upgrade. Afterwards we look at the new certificate’s dates again, and the page tells you if a renewal is still due.',
      ],
    },
    keywords: ['升级和更新', '区别', '不同', '顺序', '同时'],
    rules: ['R-1.1.1-1', 'R-1.3.1-1'],
    assumptions: ['A-7'],
    pages: ['/certificates'],
  },
  {
    id: 'upgrade-at-centre',
    topic: 'upgrade',
    question: text('去网点升级要带什么？', 'What do I bring to have it upgraded at a centre?'),
    answer: {
      'zh-CN': [
        '带上 USBKEY，到任意一个 CA证书服务中心，不限在哪个区。服务中心人员会协助您升级。',
        '指南没有要求带授权书和身份证。',
      ],
      en: [
        'The USBKEY, to any CA certificate service centre, in whatever district. The staff help you with the upgrade.',
        'The guide asks for neither a letter nor an identity card.',
      ],
    },
    keywords: ['现场', '线下', '材料', '服务中心'],
    rules: ['R-1.1-3', 'R-1.1.2-2', 'R-1.1.3.2-1', 'R-1.1.3.2-2', 'R-2-8'],
    assumptions: [],
    pages: ['/centres', '/guide/upgrade'],
  },
];
