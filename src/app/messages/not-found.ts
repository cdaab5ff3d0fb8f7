const zh = {
  title: '没有这一页',
  sentence: '网址可能输错了，或者这一页已经搬走。',
  home: '回到首页',
  search: '搜索常见问题',
};
const en: typeof zh = {
  title: 'No such page',
  sentence: 'The address may be mistyped, or the page has moved.',
  home: 'To the home page',
  search: 'Search the questions',
};
export const notFound = { 'zh-CN': zh, en };
