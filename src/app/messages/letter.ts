const zh = {
  title: '授权书',
  sentence: '授权书正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Letter of authorisation',
  sentence: 'The letter is being prepared. Please call the hot-line meanwhile.',
};
export const letter = { 'zh-CN': zh, en };
