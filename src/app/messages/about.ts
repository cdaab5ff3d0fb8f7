const zh = {
  title: '关于本站',
  sentence: 'CA证书在线服务平台。',
};
const en: typeof zh = {
  title: 'About this site',
  sentence: 'The CA certificate online service.',
};
export const about = { 'zh-CN': zh, en };
