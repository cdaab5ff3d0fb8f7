const zh = {
  title: '故障码',
  sentence: '故障码说明正在准备，请先拨打服务热线并报故障码。',
};
const en: typeof zh = {
  title: 'Fault code',
  sentence: 'Please call the hot-line and read out the code.',
};
export const code = { 'zh-CN': zh, en };
