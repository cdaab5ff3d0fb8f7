const zh = {
  title: '证书管理',
  sentence: '这一页正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Certificates',
  sentence: 'This page is being prepared. Please call the hot-line meanwhile.',
};
export const certificates = { 'zh-CN': zh, en };
