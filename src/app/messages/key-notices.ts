const zh = {
  another: (before: string, now: string): string =>
    `这个 USBKEY（尾号 ${now}）不是刚才的那一个（尾号 ${before}），请核对。`,
  readOnly: '这种型号的 USBKEY，本站目前只能查看证书，不能在线办理。',
  others: (n: number): string => `还插着 ${n} 个 USBKEY。`,
  pick: '换另一个办理',
};
const en: typeof zh = {
  another: (before: string, now: string): string =>
    `This USBKEY (ends in ${now}) is not the one from before (ends in ${before}). Please check.`,
  readOnly: 'For this model of USBKEY the site can show the certificate, but cannot renew it online for now.',
  others: (n: number): string => (n === 1 ? 'Another USBKEY is plugged in too.' : `${n} more USBKEYs are plugged in.`),
  pick: 'Take another one',
};
export const keyNotices = { 'zh-CN': zh, en };
