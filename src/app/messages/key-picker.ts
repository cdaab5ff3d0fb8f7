const zh = {
  sentence: (n: number): string => `插着 ${n} 个 USBKEY，要办理哪一个？`,
  note: '点选要办理的那一个。其他的不用拔下，也不会改动。',
  tail: (tail: string): string => `序列号尾号 ${tail}`,
  until: (date: string): string => `有效期到 ${date}`,
  expired: (date: string): string => `${date} 已到期`,
  noCertificate: '没有读到证书',
  waiting: '等待读取…',
  reading: '正在读取…',
  unnamed: 'USBKEY',
};
const en: typeof zh = {
  sentence: (n: number): string => `${n} USBKEYs are plugged in. Which one is it about?`,
  note: 'Choose the one you want. The others can stay in; nothing on them changes.',
  tail: (tail: string): string => `serial number ends in ${tail}`,
  until: (date: string): string => `Valid until ${date}`,
  expired: (date: string): string => `Expired on ${date}`,
  noCertificate: 'No certificate could be read',
  waiting: 'Waiting to be read…',
  reading: 'Reading…',
  unnamed: 'USBKEY',
};
export const keyPicker = { 'zh-CN': zh, en };
