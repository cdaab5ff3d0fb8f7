const zh = {
  connect: '连接 USBKEY',
  otherWay: '列表里没有？换一种方式',
  all: '还是没有？列出这台电脑上的全部设备',
  inOtherWay: '换一种方式连接',
  otherTabWorks: (since: string): string => `另一个标签页正在办理（${since} 开始）。`,
  otherTabDecides: '原来的证书仍在。办理的结果，请看那个标签页。',
  nothingWritten: '只读取证书，不需要密码，不会改动 USBKEY。',
  withoutKey: 'USBKEY 不在手边？回答几个问题，看要办哪一种',
};
const en: typeof zh = {
  connect: 'Connect USBKEY',
  otherWay: 'Not in the list? Try another way',
  all: 'Still not there? List every device of this computer',
  inOtherWay: 'Connect in the other way',
  otherTabWorks: (since: string): string => `Another tab is at work on this USBKEY (since ${since}).`,
  otherTabDecides: 'The old one is still there; that tab knows more.',
  nothingWritten: 'This only reads the certificate: no password is needed and nothing on the USBKEY changes.',
  withoutKey: 'No USBKEY at hand? Answer a few questions to see what to do',
};
export const connectWords = { 'zh-CN': zh, en };
