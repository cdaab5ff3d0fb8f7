const zh = {
  title: '业务指南',
  sentence: '业务指南正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Guide',
  sentence: 'The guide is being prepared. Please call the hot-line meanwhile.',
};
export const guides = { 'zh-CN': zh, en };
