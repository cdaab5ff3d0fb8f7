const zh = {
  title: '常见问题',
  sentence: '这个问题的回答正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Questions',
  sentence: 'The answer is being prepared. Please call the hot-line meanwhile.',
};
export const faqEntry = { 'zh-CN': zh, en };
