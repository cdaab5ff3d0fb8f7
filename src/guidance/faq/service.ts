import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const serviceFaq: readonly FaqEntry[] = [
  {
    id: 'which-centre',
    topic: 'service',
    question: text('可以去任意一个服务中心吗？', 'May I go to any service centre?'),
    answer: {
      'zh-CN': ['可以。天津市一共有 {centreCount} 个 CA证书服务中心，五种业务都可以任选一个办理，不限企业在哪个区。'],
      en: [
        'Yes. There are {centreCount} CA certificate service centres in Tianjin; for all five kinds of business you may choose any, wherever your company is.',
      ],
    },
    keywords: ['网点', '附近', '地址', '在哪里', '跨区', '哪个区', '23个'],
    rules: ['R-1-2', 'R-1.1-3', 'R-1.2.3-0', 'R-1.3.3.2-1', 'R-1.4.3-1', 'R-1.5.3-1'],
    assumptions: [],
    pages: ['/centres'],
  },
  {
    id: 'opening-hours',
    topic: 'service',
    question: text('网点几点上班？要预约吗？', 'When are the centres open? Do I have to book?'),
    answer: {
      'zh-CN': [
        '指南没有写办公时间，也没有要求预约。出发前请打网点电话或服务热线确认。',
        '本站的预约只是登记您的意向，以网点确认为准。',
      ],
      en: [
        'The guide names neither hours nor a duty to book. Please call the centre or the hot-line before you go.',
        'A booking on this site only tells the centre your wish; it holds once they confirm.',
      ],
    },
    keywords: ['上班时间', '营业时间', '周末', '休息', '节假日', '排队', '下班'],
    rules: ['R-1-5'],
    assumptions: ['A-18'],
    pages: ['/centres', '/appointments'],
  },
  {
    id: 'hotline',
    topic: 'service',
    question: text('服务热线是多少？', 'What are the hot-line’s numbers?'),
    answer: {
      'zh-CN': [
        { list: ['400-880-9888', '95105345-2（接通后按 2）'] },
        '页面上有故障码的，请一起报给对方。不要在电话里说出 USBKEY 密码。',
      ],
      en: [
        { list: ['400-880-9888', '95105345-2 (press 2 once connected)'] },
        'If the page shows a fault code, tell it. Never say the password of the USBKEY on the telephone.',
      ],
    },
    keywords: ['电话', '客服', '人工', '咨询', '联系', '95105345', '4008809888'],
    rules: ['R-1-5'],
    assumptions: ['A-15'],
    pages: ['/about'],
  },
  {
    id: 'letter-how-to',
    topic: 'service',
    question: text('授权书怎么填？', 'How do I fill in the letter of authorisation?'),
    answer: {
      'zh-CN': [
        '在“授权书”页面填好、打印，再盖公章。要填：',
        {
          list: [
            '公司名称、纳税人识别号',
            '经办员工的姓名、身份证号、手机号码',
            '业务类型：补办或解锁，在 □ 里划勾',
            '授权期限，从哪天到哪天',
          ],
        },
        '不想在网上填的，可以空着打印出来手写。填的内容只在您的电脑上，不会上传。',
      ],
      en: [
        'Fill it in on the page “授权书” (letter), print it, then put the seal on it. It takes:',
        {
          list: [
            'The company’s name and taxpayer number',
            'Name, identity number and mobile phone of the person who comes',
            'The business: replacement or unlocking, a tick in the box',
            'From which day to which day it holds',
          ],
        },
        'You can also print it blank and write by hand. What you type stays on your computer.',
      ],
    },
    keywords: ['模板', '下载', '打印', '填写', '样本', '委托书'],
    rules: ['R-2-1', 'R-2-2', 'R-2-3', 'R-2-4', 'R-2-5', 'R-2-6', 'R-2-7'],
    assumptions: [],
    pages: ['/letter'],
  },
  {
    id: 'letter-for-what',
    topic: 'service',
    question: text('哪些业务要授权书？', 'What is the letter of authorisation needed for?'),
    answer: {
      'zh-CN': ['只有两种：USBKEY补办和USBKEY解锁。升级和更新，指南没有要求授权书；新办用的是“证书协办函”。'],
      en: [
        'Two things only: replacement and unlocking. Upgrade and renewal do not ask for it; a first certificate takes the assistance letter (证书协办函).',
      ],
    },
    keywords: ['授权委托书', '需要', '更新要授权书吗', '升级要授权书吗'],
    rules: ['R-2-4', 'R-2-8'],
    assumptions: [],
    pages: ['/letter'],
  },
  {
    id: 'letter-both',
    topic: 'service',
    question: text('一张授权书能同时办补办和解锁吗？', 'Can one letter serve both replacement and unlocking?'),
    answer: {
      'zh-CN': ['指南没有说不可以，所以本站允许两个都勾选，平时只替您勾要办的那一种。拿不准的，请先打热线问。'],
      en: [
        'The guide does not forbid it, so both boxes can be ticked here; by default only yours is. If in doubt, ask the hot-line.',
      ],
    },
    keywords: ['两种', '同时', '勾选'],
    rules: ['R-2-4', 'R-2-5'],
    assumptions: ['A-13'],
    pages: ['/letter'],
  },
  {
    id: 'seal',
    topic: 'service',
    question: text('授权书可以盖电子章吗？', 'Can the letter carry an electronic seal?'),
    answer: {
      'zh-CN': ['指南要求加盖公章。请打印出来盖实物公章。本站不会生成公章图，也请不要把章的图片贴上去。'],
      en: [
        'The guide asks for the company’s seal. Print the letter and stamp it. This site makes no picture of a seal, and please do not paste one in.',
      ],
    },
    keywords: ['电子公章', '公章', '盖章', '扫描件', '复印件'],
    rules: ['R-2-7', 'R-1.4.3-1', 'R-1.5.3-1'],
    assumptions: [],
    pages: ['/letter'],
  },
  {
    id: 'legal-representative',
    topic: 'service',
    question: text('法定代表人自己去办，还要授权书吗？', 'Does the legal representative need the letter too?'),
    answer: {
      'zh-CN': ['指南写的是“授权经办人”，没有另外说明法定代表人。稳妥起见，请带上加盖公章的授权书，或先打热线问。'],
      en: [
        'The guide speaks of an authorised person and says nothing of the legal representative. To be safe, bring the sealed letter, or ask the hot-line first.',
      ],
    },
    keywords: ['法人', '老板', '本人', '经办人'],
    rules: ['R-1.4.3-1', 'R-1.5.3-1'],
    assumptions: ['A-12'],
    pages: ['/letter'],
  },
  {
    id: 'password-safety',
    topic: 'service',
    question: text('在网页上输密码安全吗？', 'Is it safe to type the password here?'),
    answer: {
      'zh-CN': [
        '密码只交给您插着的 USBKEY 核对，不保存，不上传，用完就清掉。',
        '请先看清地址栏是 https://www.casupport.cn 再输入。不管谁向您要密码，都请不要说。',
      ],
      en: [
        'The password only goes to the USBKEY in your computer. It is not stored, not sent anywhere, and cleared after use.',
        'First see that the address is https://www.casupport.cn. Whoever asks for your password, do not tell it.',
      ],
    },
    keywords: ['泄露', '隐私', '保存密码', '上传', '口令', 'PIN'],
    rules: ['R-1-3'],
    assumptions: [],
    pages: ['/privacy'],
  },
  {
    id: 'real-site',
    topic: 'service',
    question: text('怎么确认没有打开假网站？', 'How do I know this is the real site?'),
    answer: {
      'zh-CN': [
        '看浏览器地址栏：应当是 https://www.casupport.cn，前面有一把小锁。一个字母都不能差。',
        '是别人发来的链接，请不要点，自己输入地址。不放心就打热线问。',
      ],
      en: [
        'Look at the address bar: https://www.casupport.cn, letter by letter, with a small lock.',
        'Do not follow links somebody sent you; type the address. If in doubt, call the hot-line.',
      ],
    },
    keywords: ['钓鱼', '诈骗', '假冒', '网址', '官网', '短信链接'],
    rules: ['R-1-3', 'R-1-5'],
    assumptions: [],
    pages: ['/about'],
  },
  {
    id: 'who-runs-it',
    topic: 'service',
    question: text('证书是谁发的？CFCA 是什么？', 'Who issues the certificates? What is CFCA?'),
    answer: {
      'zh-CN': ['CFCA 是中金金融认证中心有限公司，在天津市设立 CA证书服务中心，为纳税人办理 CA 数字证书。'],
      en: [
        'CFCA is China Financial Certification Authority. It runs the service centres in Tianjin and serves taxpayers’ certificates.',
      ],
    },
    keywords: ['中金金融认证中心', '机构', '公司', '官方'],
    rules: ['R-1-1', 'R-1-2'],
    assumptions: [],
    pages: ['/about'],
  },
  {
    id: 'still-current',
    topic: 'service',
    question: text('这些规定现在还算数吗？', 'Are these rules still current?'),
    answer: {
      'zh-CN': ['业务指南是 2018 年的口径。每一条都写了来源和核对日期；现在怎样执行，以服务网点和热线的答复为准。'],
      en: [
        'The guide dates from 2018. Every rule names its source and the day it was last checked; how it is applied today is for the centres and the hot-line to say.',
      ],
    },
    keywords: ['最新', '政策', '变化', '有效', '2018', '依据'],
    rules: ['R-1.1-1', 'R-1-5'],
    assumptions: ['A-22'],
    pages: ['/about'],
  },
];
