const zh = {
  leaves: '（离开本站，新窗口）',
};
const en: typeof zh = {
  leaves: ' (leaves this site, new window)',
};
export const originalProgram = { 'zh-CN': zh, en };
