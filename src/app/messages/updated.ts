const zh = {
  updated: (date: string): string => `更新于 ${date}`,
  reviewed: (date: string): string => `更新于 ${date}（与服务指南核对过）`,
};
const en: typeof zh = {
  updated: (date: string): string => `Updated ${date}`,
  reviewed: (date: string): string => `Updated ${date} (compared with the service guide)`,
};
export const updatedWords = { 'zh-CN': zh, en };
