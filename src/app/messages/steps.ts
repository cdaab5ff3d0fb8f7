const zh = {
  steps: '步骤',
  of: (n: number, all: number): string => `第 ${n} 步，共 ${all} 步`,
  done: '（已完成）',
  allDone: '全部完成',
};
const en: typeof zh = {
  steps: 'Steps',
  of: (n: number, all: number): string => `Step ${n} of ${all}`,
  done: ' (done)',
  allDone: 'All done',
};
export const stepWords = { 'zh-CN': zh, en };
