const zh = {
  name: 'USBKEY 的情况',
  renew: '更新证书',
  upgrade: '升级证书',
  resume: '继续办理',
  whatToBring: '看要带什么',
  look: '查看证书',
  notNow: '暂不办理',
};
const en: typeof zh = {
  name: 'Your USBKEY',
  renew: 'Renew the certificate',
  upgrade: 'Upgrade the certificate',
  resume: 'Go on',
  whatToBring: 'What to bring',
  look: 'See the certificate',
  notNow: 'Not now',
};
export const keyState = { 'zh-CN': zh, en };
export type KeyStateWords = typeof zh;
