const zh = {
  label: 'USBKEY 密码',
  show: '显示',
  hide: '隐藏',
  go: '验证密码',
  checking: '正在验证…',
  cancel: '先不办了',
  forgotten: '忘记密码',
  tries: (n: number): string => `还可以试 ${n} 次。输错次数过多，USBKEY 会锁死。`,
  triesUnknown: '次数有限，不确定请先停下。',
  wrong: (n: number): string => `密码不对，还可以试 ${n} 次。证书没有变化。`,
  wrongUncounted: '密码不对。证书没有变化。次数有限，不确定请先停下。',
  locked: 'USBKEY 已锁死，网上不能解锁。证书没有变化，请到任意服务中心解锁。',
  whatToBring: '看要带什么',
  lastTry: '只剩最后 1 次机会，再输错就会锁死，只能到服务中心解锁。不确定密码，请不要再试。',
  unlockInstead: '不确定，看怎样解锁',
  sure: '我确定密码，再试一次',
  capsLock: '大写锁定开着，请留意大小写。',
  reason: {
    loggedOut: 'USBKEY 要求再验证一次密码。其他程序可能也在使用它，请先关闭。',
    request: '这个 USBKEY 每次签名都要输密码。请再输一次，用原来的证书签署申请。',
    poll: '这个 USBKEY 每次签名都要输密码。请再输一次，用原来的证书向证书机构查询结果。',
    confirmation: '这个 USBKEY 每次签名都要输密码。请再输一次，用原来的证书答复证书机构。',
  },
  refusal: {
    empty: '请先输入密码。',
    notAscii: '密码里只有英文字母、数字和符号。请切换到英文输入法再输入。',
    triedBefore: '这个密码刚才试过，不对。这次没有再试，没有减少次数。',
  },
};
const en: typeof zh = {
  label: 'Password of the USBKEY',
  show: 'Show',
  hide: 'Hide',
  go: 'Check the password',
  checking: 'Checking…',
  cancel: 'Not now',
  forgotten: 'Password forgotten',
  tries: (n: number): string =>
    `${n} ${n === 1 ? 'try' : 'tries'} left. The USBKEY locks itself after too many wrong ones.`,
  triesUnknown: 'The number of tries is limited. If you are not sure, stop here.',
  wrong: (n: number): string =>
    `That password is not right; ${n} ${n === 1 ? 'try' : 'tries'} left. The certificate has not changed.`,
  wrongUncounted:
    'That password is not right. The certificate has not changed. Tries are limited: if you are not sure, stop here.',
  locked:
    'The USBKEY is locked and cannot be unlocked online. The certificate has not changed; any service centre can unlock it.',
  whatToBring: 'What to bring',
  lastTry:
    'Only one try is left. One more wrong password locks the USBKEY, and only a service centre can unlock it. If you are not sure, do not try.',
  unlockInstead: 'Not sure: how to unlock',
  sure: 'I am sure of it, try once more',
  capsLock: 'Caps Lock is on; mind capital letters.',
  reason: {
    loggedOut: 'The USBKEY wants the password once more. Other programs may be using it; please close them first.',
    request:
      'This USBKEY wants the password for every signature. Type it once more: the old certificate signs the request.',
    poll: 'This USBKEY wants the password for every signature. Type it once more: the old certificate signs the question how far the authority is.',
    confirmation:
      'This USBKEY wants the password for every signature. Type it once more: the old certificate signs the reply to the authority.',
  },
  refusal: {
    empty: 'Type the password first.',
    notAscii: 'The password has only English letters, digits and signs. Switch the input method to English.',
    triedBefore: 'This password was wrong a moment ago. It was not tried again, and no try was spent.',
  },
};
export const password = { 'zh-CN': zh, en };
