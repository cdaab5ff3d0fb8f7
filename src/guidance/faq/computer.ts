import { text } from '../text.ts';
import type { FaqEntry } from './entry.ts';

export const computerFaq: readonly FaqEntry[] = [
  {
    id: 'which-browser',
    topic: 'computer',
    question: text('要用什么浏览器？', 'Which browser do I need?'),
    answer: {
      'zh-CN': [
        '请用电脑上的 Chrome 或 Edge。不需要另外安装软件。',
        '如果浏览器有“兼容模式”或“IE 模式”，请切换到正常模式（有的叫“极速模式”）。实在换不了的，可以用原来的“数字证书管理系统”，或带上 USBKEY 去任意网点。',
      ],
      en: [
        'Chrome or Edge, on a computer. Nothing else has to be installed.',
        'If your browser has a compatibility or IE mode, switch to the normal one. If you cannot, use the original program, or take the USBKEY to any centre.',
      ],
    },
    keywords: ['谷歌', '360', 'IE', '火狐', '兼容模式', '极速模式', '打不开', '不支持'],
    rules: ['R-1-4', 'R-1.3.3.2-1', 'R-1.1.3.2-1'],
    assumptions: [],
    pages: ['/check'],
  },
  {
    id: 'phone',
    topic: 'computer',
    question: text('手机或平板能办吗？', 'Can I do it on a telephone or a tablet?'),
    answer: {
      'zh-CN': ['更新和升级要把 USBKEY 插在电脑上办。手机上可以看指南、查网点、填授权书。'],
      en: [
        'Renewal and upgrade need the USBKEY in a computer. On a telephone you can read the guide, find a centre and fill in the letter.',
      ],
    },
    keywords: ['苹果', '安卓', 'iPhone', 'iPad', '移动端', '微信'],
    rules: ['R-1.3.3.1-2'],
    assumptions: [],
    pages: ['/guide', '/centres'],
  },
  {
    id: 'key-not-found',
    topic: 'computer',
    question: text('电脑认不出 USBKEY 怎么办？', 'The computer does not find the USBKEY.'),
    answer: {
      'zh-CN': [
        {
          steps: [
            '拔出来，换一个 USB 口再插，听到提示音或看到指示灯亮。',
            '第一次使用，要点“连接 USBKEY”，在弹窗里选中它。',
            '关掉原来的“数字证书管理系统”、开票软件和其他打开本站的标签页。',
            '还不行，到“系统检测”做一次检测，按提示处理。',
          ],
        },
      ],
      en: [
        {
          steps: [
            'Unplug it and use another port; there should be a sound or a light.',
            'The first time, press “连接 USBKEY” (connect) and choose it in the window.',
            'Close the original program, invoicing programs and other tabs with this site.',
            'Still nothing? Run the system check and do what it says.',
          ],
        },
      ],
    },
    keywords: ['不识别', '找不到设备', '读不到', '没反应', '驱动', '检测不到', '未检测到'],
    rules: ['R-1.3.3.1-2', 'R-1.1.3.1-4'],
    assumptions: [],
    pages: ['/check'],
  },
  {
    id: 'chooser',
    topic: 'computer',
    question: text('点“连接 USBKEY”后弹出一个窗口，怎么选？', 'A window opens when I connect. What do I choose?'),
    answer: {
      'zh-CN': [
        '这是浏览器在问您，允许本站使用哪个设备。点一下列表里的 USBKEY，再点右下角的“连接”。',
        '列表里没有的，先拔出 USBKEY 再插入，它会自己出现。以后再插同一个 USBKEY，不用再选。',
      ],
      en: [
        'The browser asks which device this site may use. Click the USBKEY in the list, then Connect at the bottom right.',
        'Not in the list? Unplug it and plug it in; it appears by itself. Next time you need not choose it again.',
      ],
    },
    keywords: ['弹窗', '授权', '权限', '允许', '空白列表', '未找到兼容设备', '配对'],
    rules: ['R-1.1.3.1-2'],
    assumptions: [],
    pages: ['/certificates'],
  },
  {
    id: 'key-busy',
    topic: 'computer',
    question: text('提示 USBKEY 被其他程序占用，怎么办？', 'It says another program is using the USBKEY.'),
    answer: {
      'zh-CN': [
        '一把 USBKEY 同一时间只能给一个程序用。请关掉原来的“数字证书管理系统”、开票软件，以及其他打开本站的标签页，然后拔出 USBKEY 再插入。',
        '还是占用的，重启电脑再试。',
      ],
      en: [
        'Only one program can use it at a time. Close the original program, invoicing programs and other tabs with this site; then unplug it and plug it in.',
        'If it is still in use, restart the computer.',
      ],
    },
    keywords: ['占用', '冲突', '正在使用', '拒绝访问', '被占'],
    rules: ['R-1.3.3.1-7'],
    assumptions: [],
    pages: ['/check'],
  },
  {
    id: 'blocked-by-browser',
    topic: 'computer',
    question: text(
      '提示浏览器不允许网页使用这种 USBKEY？',
      'It says the browser does not let pages use this kind of USBKEY.',
    ),
    answer: {
      'zh-CN': [
        '有些型号的 USBKEY，浏览器出于安全不让任何网页直接使用，不是您操作有误，证书也没有问题。',
        '请改用原来的“数字证书管理系统”，或带上 USBKEY 到任意一个服务中心。原软件可以从天津市税务局门户网站或 CA证书在线服务平台下载。',
      ],
      en: [
        'For some models the browser lets no page use them, for safety. You did nothing wrong, and the certificate is fine.',
        'Use the original program, or take the USBKEY to any service centre. The program is on the Tianjin Tax Service portal and on the online service platform.',
      ],
    },
    keywords: ['受保护', '屏蔽', '不支持', '型号'],
    rules: ['R-1.3.3.1-1', 'R-1.1.3.1-1', 'R-1.3.3.2-1', 'R-1.1.3.2-1'],
    assumptions: [],
    pages: ['/guide/renew', '/centres'],
  },
  {
    id: 'original-program',
    topic: 'computer',
    question: text('还能用原来的“数字证书管理系统”吗？', 'Can I still use the original program?'),
    answer: {
      'zh-CN': [
        '本站用浏览器办理，不用下载安装。这台电脑用不了本站时，可以用原来的软件，从这两处下载：',
        { list: ['天津市税务局门户网站', 'CA证书在线服务平台'] },
        '两个不要同时打开，USBKEY 一次只能给一个程序用。',
      ],
      en: [
        'This site works in the browser; nothing is installed. If it does not work on your computer, use the original program, from either place:',
        { list: ['Tianjin Tax Service portal', 'CA certificate online service platform'] },
        'Do not have both open: the USBKEY serves one program at a time.',
      ],
    },
    keywords: ['下载', '安装', '客户端', '软件', '驱动'],
    rules: ['R-1-4', 'R-1.1.3.1-1', 'R-1.3.3.1-1'],
    assumptions: [],
    pages: ['/guide'],
  },
  {
    id: 'not-tianjin-key',
    topic: 'computer',
    question: text('提示“不是天津税务 USBKEY”，怎么办？', 'It says this is not a Tianjin tax USBKEY.'),
    answer: {
      'zh-CN': [
        '本站只办理天津税务 USBKEY 里的证书。请看看是不是插成了网银 U盾、开票用的税盘，或其他地方的 USBKEY。',
        '确认没有拿错的，请打热线，报页面上的故障码。',
      ],
      en: [
        'This site only serves certificates on Tianjin tax USBKEYs. Please see whether this is a bank’s key, an invoicing device, or one from elsewhere.',
        'If it is the right one, call the hot-line and tell the fault code on the page.',
      ],
    },
    keywords: ['税盘', '金税盘', '税控盘', '网银', '银行', '外地', '插错'],
    rules: ['R-1.3.3.1-2', 'R-1-5'],
    assumptions: [],
    pages: ['/check'],
  },
  {
    id: 'wrong-clock',
    topic: 'computer',
    question: text('提示电脑时间不对，要紧吗？', 'It says the computer’s clock is wrong. Does it matter?'),
    answer: {
      'zh-CN': [
        '要紧。时间不对，就算不准证书还有几天到期。请在电脑的“日期和时间”设置里打开“自动设置时间”，再刷新页面。',
      ],
      en: [
        'Yes: with a wrong clock nobody can tell how many days are left. Turn on automatic time in the date and time settings, then reload the page.',
      ],
    },
    keywords: ['系统时间', '日期', '时钟', '校时', '年份'],
    rules: ['R-1.3.3.1-3'],
    assumptions: [],
    pages: ['/check'],
  },
  {
    id: 'offline',
    topic: 'computer',
    question: text('没有网络的时候能用吗？', 'Does it work without a network?'),
    answer: {
      'zh-CN': ['打开过一次以后，没有网络也能看指南、问题解答，填写和打印授权书。更新和升级需要连网，连上以后再办。'],
      en: [
        'Once opened, the guide, these answers and the letter work without a network. Renewal and upgrade need one; do them when you are back online.',
      ],
    },
    keywords: ['断网', '离线', '连不上', '网络'],
    rules: ['R-1.3.3.2-1'],
    assumptions: [],
    pages: ['/guide', '/letter'],
  },
];
