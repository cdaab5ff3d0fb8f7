import { withEnglish } from '../i18n.svelte.ts';

const zh = {
  title: '您要办什么？',
  noKey: '插上 USBKEY，我们帮您看看证书还能用多久。',
  connect: '连接 USBKEY',
  present: 'USBKEY 已插入，检查我的证书',
  last: (date: string, end: string): string => `上次（${date}）查看时，证书有效期到 ${end}。`,
  lastLink: '查看上次结果',
  flows: '五项业务',
  flow: {
    renew: ['证书快到期了', '更新证书'],
    upgrade: ['很久没升级', '升级证书'],
    unlock: ['忘记密码或锁死', '解锁 USBKEY'],
    replace: ['丢了或坏了', '补办 USBKEY'],
    new: ['第一次办理', '新办证书'],
  },
  search: '搜索常见问题',
  searchHint: '输入问题，如“密码锁了怎么办”',
  searchButton: '搜索',
};
export type HomeWords = typeof zh;

export const home = withEnglish(zh, () => import('./home.en.ts'));
