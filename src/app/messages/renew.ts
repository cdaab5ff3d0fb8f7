const zh = {
  title: '更新证书',
  sentence: '这一页正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Renew the certificate',
  sentence: 'This page is being prepared. Please call the hot-line meanwhile.',
};
export const renew = { 'zh-CN': zh, en };
