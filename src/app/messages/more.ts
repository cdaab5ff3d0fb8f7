const zh = { more: (count: number): string => `再显示 ${count} 条` };
const en: typeof zh = { more: (count) => `Show ${count} more` };
export const more = { 'zh-CN': zh, en };
