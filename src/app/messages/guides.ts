const zh = {
  title: '业务指南',
  sentence: '选一项，看要带什么、去哪里、怎么办。',
  online: '网上可办，也可去网点',
  onSite: '只能现场办理',
  unsure: '不确定要办哪一种？',
  unsureText: '回答几个问题，不用插 USBKEY。',
  questions: '常见问题',
  letter: '填写授权书',
  centres: '找服务网点',
  service: '关于这项服务',
  program: '原来的软件从这两处下载：',
};
const en: typeof zh = {
  title: 'Guide',
  sentence: 'Choose one to see what to bring, where to go and how it is done.',
  online: 'Online, or at a centre',
  onSite: 'In person only',
  unsure: 'Not sure which?',
  unsureText: 'Answer a few questions, no USBKEY needed.',
  questions: 'Questions',
  letter: 'Letter of authorisation',
  centres: 'Service centres',
  service: 'About this service',
  program: 'The original program is on:',
};
export const guides = { 'zh-CN': zh, en };
