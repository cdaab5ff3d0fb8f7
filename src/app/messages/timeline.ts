const zh = {
  left: (days: number): string => (days === 0 ? '今天到期' : `还有 ${days} 天到期`),
  expired: (days: number): string => (days === 0 ? '今天已经到期' : `已过期 ${days} 天`),
  today: '今天',
  opens: '可以更新',
  ends: '到期',
  description: (today: string, opens: string, ends: string): string =>
    `时间轴：今天 ${today}；${opens} 起可以更新；${ends} 到期。`,
};
const en: typeof zh = {
  left: (days: number): string => (days === 0 ? 'Expires today' : `${days} ${days === 1 ? 'day' : 'days'} left`),
  expired: (days: number): string =>
    days === 0 ? 'Expired today' : `Expired ${days} ${days === 1 ? 'day' : 'days'} ago`,
  today: 'Today',
  opens: 'Renewable from',
  ends: 'Expires',
  description: (today: string, opens: string, ends: string): string =>
    `Timeline: today is ${today}; renewable from ${opens}; expires on ${ends}.`,
};
export const timelineWords = { 'zh-CN': zh, en };
