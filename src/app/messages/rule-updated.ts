const zh = {
  updated: '规则已更新',
  was: {
    renewalWindowDays: (from: string, to: string): string => `到期前多少天可以更新：原来 ${from} 天，现在 ${to} 天。`,
    replacementFeeFen: (from: string, to: string): string => `USBKEY 介质费：原来 ${from} 元，现在 ${to} 元。`,
    centreCount: (from: string, to: string): string => `服务中心：原来 ${from} 个，现在 ${to} 个。`,
  },
};
const en: typeof zh = {
  updated: 'The rules have changed',
  was: {
    renewalWindowDays: (from, to) => `Renewal opens ${to} days before the end; it used to be ${from}.`,
    replacementFeeFen: (from, to) => `A new USBKEY costs ${to} yuan; it used to be ${from}.`,
    centreCount: (from, to) => `There are ${to} service centres; there used to be ${from}.`,
  },
};
export const ruleUpdated = { 'zh-CN': zh, en };
