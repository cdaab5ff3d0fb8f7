import type { Scenario } from '../state.ts';

export const scenarioNames: Readonly<Record<Scenario, string>> = {
  'due-30-days': '证书还有 30 天到期',
  'not-due': '证书有效期还很长',
  expired: '证书已过期 12 天',
  'old-issuer': '老证书，需要升级',
  'last-try': '密码只剩最后 1 次',
  locked: '密码已锁死',
  empty: '空的 USBKEY，没有证书',
  foreign: '别的机构签发的证书',
  'ca-refuses': '证书机构不同意更新',
  'ca-waits': '证书机构要等一会儿才签发',
};
