const zh = {
  title: '设备报告，供热线查看',
  note: '这是设备自己的说明。里面没有序列号，也没有证书和密码；本站不会发送它。',
  copy: '复制报告',
  download: '下载报告',
  copied: '已复制，可以粘贴给热线。',
  notCopied: '没有复制成功。请选中上面的文字复制，或者下载。',
  file: (id: string): string => `USBKEY设备报告-${id}.txt`,
};
const en: typeof zh = {
  title: 'Device report, for the hot-line',
  note: 'This is how the device describes itself. It holds no serial number, no certificate and no password, and this site does not send it.',
  copy: 'Copy the report',
  download: 'Download the report',
  copied: 'Copied; you can paste it for the hot-line.',
  notCopied: 'It could not be copied. Select the text above and copy it, or download it.',
  file: (id: string): string => `usbkey-device-report-${id}.txt`,
};
export const deviceReport = { 'zh-CN': zh, en };
