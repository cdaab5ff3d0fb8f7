const zh = {
  label: '管理密钥',
  what: '这个 USBKEY 要先核对管理密钥，才让写入新证书。它不是 USBKEY 密码，由发放 USBKEY 的单位保管。',
  form: '32、48 或 64 个字符，只有 0–9 和 A–F。空格可有可无。本站用完就清除，不保存。',
  go: '核对管理密钥',
  checking: '正在核对…',
  cancel: '不知道，先不办了',
  wrong: '管理密钥不对。证书没有变化。',
  refusal: {
    empty: '请先输入管理密钥。',
    notHex: '管理密钥里只有数字 0–9 和字母 A–F，请核对后重新输入。',
    length: (n: number): string => `管理密钥是 32、48 或 64 个字符，刚才输入了 ${n} 个。请重新输入。`,
  },
};
const en: typeof zh = {
  label: 'Management key',
  what: 'Writing takes the management key, which is not the password.',
  form: 'Whoever handed out the USBKEY keeps it. 32, 48 or 64 characters, 0–9 and A–F only; spaces do not matter. It is cleared after use and never stored.',
  go: 'Check the management key',
  checking: 'Checking…',
  cancel: 'I do not know it; not now',
  wrong: 'That management key is not right. The certificate has not changed.',
  refusal: {
    empty: 'Type the management key first.',
    notHex: 'A management key has only the digits 0–9 and the letters A–F. Check it and type it again.',
    length: (n: number): string => `It has 32, 48 or 64 characters, and ${n} ${n === 1 ? 'was' : 'were'} typed.`,
  },
};
export const managementKey = { 'zh-CN': zh, en };
