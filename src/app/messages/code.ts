const zh = {
  title: (code: string): string => `故障码 ${code}`,
  unknown: '没有这个故障码。请核对一遍，或致电热线。',
  sentence: '致电热线时，报这个码，对方就知道出了什么事。',
  happened: '出了什么事',
  step: '在哪一步',
  next: '怎么办',
  page: '一页没有打开，可能是网络断开了，或者网站刚刚更新。',
  pageNext: '检查网络，重新打开这一页。',
  toCertificates: '再试一次',
  other: '查别的故障码',
};
const en: typeof zh = {
  title: (code: string): string => `Fault code ${code}`,
  unknown: 'There is no such code. Check it, or call the hot-line.',
  sentence: 'Read this code out on the hot-line and they know what happened.',
  happened: 'What happened',
  step: 'At which step',
  next: 'What to do',
  page: 'A page did not open: the network may have been down, or the site has just been updated.',
  pageNext: 'Check the network and open the page again.',
  toCertificates: 'Try again',
  other: 'Look up another code',
};
export const code = { 'zh-CN': zh, en };
