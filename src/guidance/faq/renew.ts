import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const renewFaq: readonly FaqEntry[] = [
  {
    id: 'when-to-renew',
    topic: 'renew',
    question: text('证书什么时候可以更新？', 'When can I renew my certificate?'),
    answer: {
      'zh-CN': [
        '到期前 {renewalWindowDays} 天起就可以更新，第 {renewalWindowDays} 天和到期当天都算。已经过期的也要更新。',
        '还有 {renewalWindowDays} 天以上的，现在不用办。到“证书管理”页面看一下，会写明从哪天起可以更新。',
      ],
      en: [
        'From {renewalWindowDays} days before it expires; that day and the day of expiry both count. An expired certificate needs renewal too.',
        'With more than {renewalWindowDays} days left there is nothing to do. The page “证书管理” (certificates) tells the first day.',
      ],
    },
    keywords: ['续期', '续费', '延期', '年检', '换证', '几天', '60天', '提前'],
    rules: ['R-1.3.1-1', 'R-1.3.3.1-4'],
    assumptions: ['A-4'],
    pages: ['/certificates', '/guide/renew'],
  },
  {
    id: 'renew-online',
    topic: 'renew',
    question: text('网上怎么更新证书？', 'How do I renew online?'),
    answer: {
      'zh-CN': [
        '用电脑上的 Chrome 或 Edge 打开本站，然后：',
        {
          steps: [
            '把天津税务 USBKEY 插入电脑，点“连接 USBKEY”。',
            '在“证书管理”页面看有效期。快到期或已过期的，点“更新证书”。',
            '输入 USBKEY 密码，耐心等到提示成功。',
          ],
        },
        '等待的时候，请不要拔出 USBKEY，也不要关闭页面。',
      ],
      en: [
        'Open this site in Chrome or Edge on a computer, then:',
        {
          steps: [
            'Plug the Tianjin tax USBKEY in and press “连接 USBKEY” (connect).',
            'See the dates on the page “证书管理” (certificates). If it is about to expire or has expired, press “更新证书” (renew).',
            'Enter the password of the USBKEY and wait until it says that it has succeeded.',
          ],
        },
        'Meanwhile, please leave the USBKEY in and the page open.',
      ],
    },
    keywords: ['续期', '延期', '自助', '在线', '步骤', '流程', '操作'],
    rules: ['R-1.3.2-1', 'R-1.3.3.1-2', 'R-1.3.3.1-4', 'R-1.3.3.1-5', 'R-1.3.3.1-6'],
    assumptions: [],
    pages: ['/certificates', '/guide/renew'],
  },
  {
    id: 'already-expired',
    topic: 'renew',
    question: text('证书已经过期了，还能更新吗？', 'My certificate has expired. Can it still be renewed?'),
    answer: {
      'zh-CN': [
        '可以。已经过期的证书也能更新，先在网上试。',
        '网上办不成的，带上 USBKEY 到任意一个 CA证书服务中心，由服务中心人员协助您更新。',
        '过期多久还能在网上更新，指南没有写期限；证书机构如果有规定，页面会告诉您。',
      ],
      en: [
        'Yes. Expired certificates are renewed as well; try online first.',
        'If that does not work, take the USBKEY to any CA certificate service centre, where the staff help you.',
        'The guide sets no limit to how long after expiry this works online; if the authority has one, the page tells you.',
      ],
    },
    keywords: ['失效', '逾期', '过了期', '晚了', '超期'],
    rules: ['R-1.3.1-1', 'R-1.3.3.2-1', 'R-1.3.3.2-2'],
    assumptions: ['A-5'],
    pages: ['/certificates', '/guide/renew'],
  },
  {
    id: 'see-expiry-date',
    topic: 'renew',
    question: text('怎么知道证书什么时候到期？', 'How do I see when my certificate expires?'),
    answer: {
      'zh-CN': [
        '插上 USBKEY，点“连接 USBKEY”，有效期会自动读出来，显示在“证书管理”页面。',
        '看有效期不需要输入密码。看完可以把到期提醒存到日历里。',
      ],
      en: [
        'Plug the USBKEY in and press “连接 USBKEY” (connect). The dates are read by themselves and shown on “证书管理” (certificates).',
        'Looking takes no password. You can save a reminder to your calendar afterwards.',
      ],
    },
    keywords: ['有效期', '查询', '截止', '日期', '提醒', '日历'],
    rules: ['R-1.3.3.1-3', 'R-1.3.3.1-4'],
    assumptions: [],
    pages: ['/certificates'],
  },
  {
    id: 'renewal-failed',
    topic: 'renew',
    question: text('更新失败了怎么办？', 'The renewal failed. What now?'),
    answer: {
      'zh-CN': [
        '拔出 USBKEY，再插入，重新操作。会从断开的地方接着办，不会重复申请。',
        '还是不行的，带上 USBKEY 到任意一个服务中心，只带 USBKEY 就可以。',
        '打热线时，请报页面上的故障码，对方更容易帮到您。',
      ],
      en: [
        'Unplug the USBKEY, plug it in and start again. It goes on from where it stopped; nothing is applied for twice.',
        'If it still fails, take the USBKEY to any service centre; nothing else is needed.',
        'When you call the hot-line, tell the fault code on the page: it helps them to help you.',
      ],
    },
    keywords: ['出错', '报错', '不成功', '故障码', '重试', '插拔'],
    rules: ['R-1.3.3.1-7', 'R-1.3.3.2-1'],
    assumptions: ['A-11'],
    pages: ['/renew', '/check', '/centres'],
  },
  {
    id: 'unplugged-in-the-middle',
    topic: 'renew',
    question: text(
      '更新到一半拔出了 USBKEY，证书会丢吗？',
      'I unplugged the USBKEY in the middle. Is the certificate lost?',
    ),
    answer: {
      'zh-CN': [
        '不用担心。新证书写好、核对过之前，原来的证书一直留在 USBKEY 里。',
        '请插回同一个 USBKEY，打开本站，按提示接着办。断电、死机、关了页面也一样。',
      ],
      en: [
        'No need to worry. Until the new certificate is written and checked, the old one stays on the USBKEY.',
        'Plug the same USBKEY in again, open this site and go on as it says. The same holds after a power cut or a closed page.',
      ],
    },
    keywords: ['断电', '死机', '关机', '中断', '停电', '关闭页面', '拔掉'],
    rules: ['R-1.3.3.1-7'],
    assumptions: ['A-11'],
    pages: ['/renew'],
  },
  {
    id: 'renew-at-centre',
    topic: 'renew',
    question: text(
      '不会在网上办，去网点更新要带什么？',
      'I would rather go to a centre. What do I bring for a renewal?',
    ),
    answer: {
      'zh-CN': [
        '带上 USBKEY 就可以，到任意一个 CA证书服务中心，服务中心人员会协助您更新。',
        '更新不要求授权书和身份证。办公时间和要不要预约，出发前请打电话问一下。',
      ],
      en: [
        'The USBKEY is all. Go to any CA certificate service centre; the staff help you with the renewal.',
        'Neither letter nor identity card is asked for. Please call before you go for the opening hours and whether to book.',
      ],
    },
    keywords: ['现场', '线下', '窗口', '材料', '服务中心', '大厅'],
    rules: ['R-1.3.2-2', 'R-1.3.3.2-1', 'R-1.3.3.2-2', 'R-2-8'],
    assumptions: ['A-18'],
    pages: ['/centres', '/guide/renew'],
  },
  {
    id: 'renewal-fee',
    topic: 'renew',
    question: text('更新证书要交钱吗？', 'Does a renewal cost anything?'),
    answer: {
      'zh-CN': [
        '指南里没有写更新要收费，只写了补办 USBKEY 要交 {replacementFeeYuan} 元介质费。现在怎样执行，请以服务网点或热线的答复为准。',
      ],
      en: [
        'The guide names no fee for a renewal; it only names {replacementFeeYuan} yuan for a replaced USBKEY. Please ask the centre or the hot-line how it is today.',
      ],
    },
    keywords: ['多少钱', '费用', '收费', '免费', '价格', '年费'],
    rules: ['R-1.4.3-3'],
    assumptions: ['A-22'],
    pages: ['/guide/renew'],
  },
  {
    id: 'new-validity',
    topic: 'renew',
    question: text('更新以后，有效期从哪天算起？', 'From which day is a renewed certificate valid?'),
    answer: {
      'zh-CN': [
        '以新证书上写的日期为准。更新成功后，页面会把新旧两张证书的日期放在一起给您看。',
        '指南没有写怎么计算，我们不猜。',
      ],
      en: [
        'The new certificate says so itself. After the renewal the page shows the dates of both, side by side.',
        'The guide does not say how it is reckoned, and we do not guess.',
      ],
    },
    keywords: ['有效期', '几年', '多久', '顺延', '起算'],
    rules: [],
    assumptions: ['A-6'],
    pages: ['/certificates'],
  },
  {
    id: 'login-after-renewal',
    topic: 'renew',
    question: text('更新以后登录不了电子税务局怎么办？', 'After the renewal I cannot log in to the e-tax office. Why?'),
    answer: {
      'zh-CN': [
        '更新或升级以后，证书的序列号会变。如果登录异常，请在电子税务局里更新证书绑定。',
        '先拔出 USBKEY 再插入，关掉浏览器重新打开，再试一次。还不行就打热线。',
      ],
      en: [
        'Renewal and upgrade change the certificate’s serial number. If logging in fails, bind the new certificate in the e-tax office.',
        'First unplug the USBKEY, plug it in, restart the browser and try again. If that does not help, call the hot-line.',
      ],
    },
    keywords: ['登录', '登陆', '电子税务局', '绑定', '序列号', '进不去', '报税'],
    rules: [],
    assumptions: ['A-20'],
    pages: ['/check'],
  },
  {
    id: 'two-certificates',
    topic: 'renew',
    question: text(
      '一把 USBKEY 里有两张证书，看哪一张？',
      'There are two certificates on my USBKEY. Which one counts?',
    ),
    answer: {
      'zh-CN': ['一把 USBKEY 里常有签名和加密两张证书。我们以签名证书为准；两张到期日不同的，按较早的提醒您。'],
      en: [
        'A USBKEY often holds one for signing and one for encryption. We go by the signing one; if their ends differ, the earlier one is what we remind you of.',
      ],
    },
    keywords: ['签名证书', '加密证书', '双证书', '两个'],
    rules: ['R-1.3.3.1-4'],
    assumptions: ['A-21'],
    pages: ['/certificates'],
  },
];
