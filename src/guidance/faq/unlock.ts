import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const unlockFaq: readonly FaqEntry[] = [
  {
    id: 'locked',
    topic: 'unlock',
    question: text('密码锁了怎么办？', 'The password is locked. What now?'),
    answer: {
      'zh-CN': [
        'USBKEY 锁死以后，网上不能解锁，要到任意一个 CA证书服务中心现场办理。锁死不会改动里面的证书。',
        { list: ['带上经办人身份证原件', '带上加盖公章的授权书（勾选“USBKEY解锁”）', '建议带上 USBKEY'] },
        '服务中心人员审核无误后，就会办理解锁。',
      ],
      en: [
        'A locked USBKEY cannot be unlocked online; any CA certificate service centre does it in person. Locking does not change the certificate.',
        {
          list: [
            'Bring the original identity card of the person who comes',
            'Bring the sealed letter of authorisation (tick USBKEY解锁)',
            'Better bring the USBKEY too',
          ],
        },
        'Once the details are checked, the staff unlock it.',
      ],
    },
    keywords: ['锁死', '锁定', '被锁', '锁住', '解锁', '口令', 'PIN', '输错', '次数过多'],
    rules: ['R-1.5.1-2', 'R-1.5.2-1', 'R-1.5.3-1', 'R-1.5.3-2', 'R-1.5.3-3'],
    assumptions: ['A-8'],
    pages: ['/guide/unlock', '/letter', '/centres'],
  },
  {
    id: 'forgot-password',
    topic: 'unlock',
    question: text('忘记 USBKEY 密码怎么办？', 'I have forgotten the password of the USBKEY.'),
    answer: {
      'zh-CN': [
        '请先停下，不要再试。输错次数过多，USBKEY 会锁死。',
        '忘记密码和锁死一样，到任意一个服务中心办理“USBKEY解锁”：带身份证原件、加盖公章的授权书，建议带上 USBKEY。',
      ],
      en: [
        'Please stop here and do not guess. Too many wrong passwords lock the USBKEY.',
        'A forgotten password is handled like a locked one: any service centre, with the original identity card and the sealed letter; better bring the USBKEY too.',
      ],
    },
    keywords: ['忘了', '想不起来', '不记得', '口令', 'PIN', '找回', '重置', '改密码'],
    rules: ['R-1.5.1-1', 'R-1.5.2-1', 'R-1.5.3-1'],
    assumptions: ['A-8'],
    pages: ['/guide/unlock', '/letter', '/centres'],
  },
  {
    id: 'unlock-online',
    topic: 'unlock',
    question: text('能在网上解锁吗？', 'Can it be unlocked online?'),
    answer: {
      'zh-CN': [
        '不能。USBKEY 解锁只能到服务中心现场办理。',
        '如果有网站或电话说能替您在网上解锁，或向您要密码、要管理员口令，请不要相信，先打热线核实。',
      ],
      en: [
        'No. A USBKEY is only unlocked in person, at a service centre.',
        'If a site or a caller offers to unlock it online, or asks for a password or an administrator’s code, do not trust them; ask the hot-line first.',
      ],
    },
    keywords: ['远程', '在线', '自己', '管理员', 'PUK', '骗子', '诈骗'],
    rules: ['R-1.5.2-1', 'R-1-5'],
    assumptions: [],
    pages: ['/guide/unlock'],
  },
  {
    id: 'how-many-tries',
    topic: 'unlock',
    question: text('密码可以试几次？', 'How many tries do I have?'),
    answer: {
      'zh-CN': [
        '不同的 USBKEY 不一样，指南没有写。USBKEY 能报出剩余次数的，页面会照实告诉您；报不出的，只能说次数有限。',
        '不确定密码时，请先停下，不要试错。',
      ],
      en: [
        'It differs between USBKEYs, and the guide does not say. If yours tells how many are left, the page passes it on; if not, all we know is that they are limited.',
        'If you are not sure of the password, please stop rather than guess.',
      ],
    },
    keywords: ['机会', '次数', '输错', '剩余'],
    rules: ['R-1.5.1-2'],
    assumptions: ['A-9'],
    pages: ['/guide/unlock'],
  },
  {
    id: 'last-try',
    topic: 'unlock',
    question: text('提示只剩一次机会，还能试吗？', 'Only one try is left. Should I use it?'),
    answer: {
      'zh-CN': [
        '除非您完全确定密码，否则请不要试。再错一次，USBKEY 就会锁死。',
        '稳妥的办法是去服务中心：可以解锁，也可以请网点代您更新或升级。',
      ],
      en: [
        'Only if you are entirely sure. One more wrong password locks the USBKEY.',
        'The safe way is a service centre: they can unlock it, and do the renewal or the upgrade with you.',
      ],
    },
    keywords: ['最后一次', '剩1次', '锁死'],
    rules: ['R-1.5.1-2', 'R-1.3.3.2-1', 'R-1.1.3.2-1'],
    assumptions: ['A-9'],
    pages: ['/guide/unlock', '/centres'],
  },
  {
    id: 'initial-password',
    topic: 'unlock',
    question: text('USBKEY 的初始密码是多少？', 'What is the initial password of the USBKEY?'),
    answer: {
      'zh-CN': [
        '指南没有写，本站也不知道。请不要照网上流传的号码去试，输错次数过多会锁死。',
        '可以先问问单位里领取 USBKEY 的同事，或打热线咨询；想不起来的，到服务中心办理解锁。',
      ],
      en: [
        'The guide does not say, and this site does not know. Please do not try numbers found on the web: too many wrong ones lock it.',
        'Ask the colleague who collected it, or the hot-line; if nobody knows, have it unlocked at a service centre.',
      ],
    },
    keywords: ['默认密码', '原始密码', '出厂密码', '口令', 'PIN', '123456', '111111'],
    rules: ['R-1.5.1-1', 'R-1-5'],
    assumptions: ['A-9'],
    pages: ['/guide/unlock'],
  },
  {
    id: 'unlock-fee',
    topic: 'unlock',
    question: text('解锁要交钱吗？', 'Does unlocking cost anything?'),
    answer: {
      'zh-CN': ['指南里没有写解锁的费用。现在怎样执行，请以服务网点或热线的答复为准。'],
      en: ['The guide names no fee for unlocking. Please ask the centre or the hot-line how it is today.'],
    },
    keywords: ['多少钱', '费用', '收费', '免费'],
    rules: ['R-1.5.3-3'],
    assumptions: ['A-22'],
    pages: ['/guide/unlock'],
  },
  {
    id: 'locked-and-expiring',
    topic: 'unlock',
    question: text('被锁了，证书又快到期，要跑两趟吗？', 'It is locked and about to expire. Two visits?'),
    answer: {
      'zh-CN': [
        '不用。解锁的时候，可以请网点一并办理更新或升级。',
        '要带的东西按解锁准备：身份证原件、加盖公章的授权书，建议带上 USBKEY。如果是网上办到一半锁死的，解锁后也可以回来接着办。',
      ],
      en: [
        'No. When you have it unlocked, ask the centre to renew or upgrade it as well.',
        'Bring what unlocking takes: the original identity card, the sealed letter, and better the USBKEY. If it locked in the middle of something online, you can also go on here afterwards.',
      ],
    },
    keywords: ['一起办', '同时', '过期', '续期', '两趟'],
    rules: ['R-1.5.3-1', 'R-1.3.3.2-2', 'R-1.1.3.2-2'],
    assumptions: ['A-8', 'A-10'],
    pages: ['/guide/unlock', '/letter'],
  },
];
