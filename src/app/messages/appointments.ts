const zh = {
  title: '预约',
  sentence: '网上预约正在准备，请先拨打服务热线。',
};
const en: typeof zh = {
  title: 'Booking',
  sentence: 'Booking is being prepared. Please call the hot-line meanwhile.',
};
export const appointments = { 'zh-CN': zh, en };
