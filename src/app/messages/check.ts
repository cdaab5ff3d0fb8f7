const zh = {
  title: '系统检测',
  sentence: '系统检测正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'System check',
  sentence: 'The check is being prepared. Please call the hot-line meanwhile.',
};
export const check = { 'zh-CN': zh, en };
