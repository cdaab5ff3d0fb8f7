const zh = {
  title: '业务指南',
  sentence: '选一项，看要带什么、去哪里、怎么办。',
  online: '网上可办，也可去网点',
  onSite: '只能现场办理',
  unsure: '不确定该办哪一项？',
  unsureText: '插上 USBKEY，我们帮您看证书还能用多久、要不要升级。',
  checkCertificate: '检查我的证书',
  questions: '常见问题',
  letter: '填写授权书',
  service: '关于这项服务',
  program: '原来的软件从这两处下载：',
};
const en: typeof zh = {
  title: 'Guide',
  sentence: 'Choose one to see what to bring, where to go and how it is done.',
  online: 'Online, or at a centre',
  onSite: 'In person only',
  unsure: 'Not sure which?',
  unsureText: 'Plug in your USBKEY and we will see how long the certificate is good for, and whether to upgrade it.',
  checkCertificate: 'Check my certificate',
  questions: 'Questions',
  letter: 'Letter of authorisation',
  service: 'About this service',
  program: 'The original program is on:',
};
export const guides = { 'zh-CN': zh, en };
