const zh = {
  basis: '依据',
  source: (id: string, source: string, reviewed: string): string => `（${id}，${source}，核对于 ${reviewed}）`,
  assumption: '以服务网点或热线答复为准。',
};
const en: typeof zh = {
  basis: 'Why we say so',
  source: (id: string, source: string, reviewed: string): string => ` (${id}, ${source}, reviewed ${reviewed})`,
  assumption: ' What service centres and the hot-line say prevails.',
};
export const basisWords = { 'zh-CN': zh, en };
