const zh = {
  another: (before: string, now: string): string =>
    `这不是刚才的 USBKEY：刚才的尾号是 ${before}，现在的尾号是 ${now}。请核对是不是要办理的那一个。`,
  readOnly: '这种型号的 USBKEY，本站目前只能查看证书，不能在线办理。',
  others: (n: number): string => `还插着 ${n} 个 USBKEY。`,
  pick: '换另一个办理',
};
const en: typeof zh = {
  another: (before: string, now: string): string =>
    `This is another USBKEY than before: that one’s serial number ended in ${before}, this one’s ends in ${now}. Please check that it is the one you mean.`,
  readOnly: 'For this model of USBKEY the site can show the certificate, but cannot renew it online for now.',
  others: (n: number): string => (n === 1 ? 'Another USBKEY is plugged in too.' : `${n} more USBKEYs are plugged in.`),
  pick: 'Take another one',
};
export const keyNotices = { 'zh-CN': zh, en };
