const zh = {
  title: '服务网点',
  sentence: '网点信息正在准备，请先拨打服务热线，问离您最近的 CA证书服务中心。',
};
const en: typeof zh = {
  title: 'Service centres',
  sentence: 'The list is being prepared. Please call the hot-line for the centre nearest to you.',
};
export const centres = { 'zh-CN': zh, en };
