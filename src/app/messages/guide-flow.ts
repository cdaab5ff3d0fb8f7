const zh = {
  title: '业务指南',
  sentence: '这项业务的指南正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Guide',
  sentence: 'This guide is being prepared. Please call the hot-line meanwhile.',
};
export const guideFlow = { 'zh-CN': zh, en };
