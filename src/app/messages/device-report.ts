const zh = {
  title: '设备报告，供热线查看',
  note: '这是设备自己的说明。里面没有序列号，也没有证书和密码；本站不会发送它。',
  file: (id: string): string => `USBKEY设备报告-${id}.txt`,
};
const en: typeof zh = {
  title: 'Device report, for the hot-line',
  note: 'This is how the device describes itself. It holds no serial number, no certificate and no password, and this site does not send it.',
  file: (id: string): string => `usbkey-device-report-${id}.txt`,
};
export const deviceReport = { 'zh-CN': zh, en };
