const zh = {
  title: '常见问题',
  sentence: '常见问题正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Questions',
  sentence: 'The questions are being prepared. Please call the hot-line meanwhile.',
};
export const faq = { 'zh-CN': zh, en };
