const zh = {
  title: '系统检测',
  sentence: '一键检测还没有开放。先连接 USBKEY，能读出证书，就说明浏览器和 USBKEY 都正常。',
  connect: '连接 USBKEY',
  how: '读不出来，按这个顺序检查',
  steps: [
    '用电脑上的 Chrome 或 Edge 打开本站，不用“兼容模式”。',
    '拔下 USBKEY，等几秒再插上；换一个 USB 接口，不经过扩展坞。',
    '关闭“数字证书管理系统”、开票软件，以及其他打开本站的标签页。',
    '看看电脑的日期和时间对不对。',
    '只插要办理的那一个 USBKEY。',
    '还是不行，记下页面上的故障码，致电热线。',
  ],
  code: '查故障码',
  codeLabel: '故障码',
  codeHint: '例如 K09',
  look: '查看',
};
const en: typeof zh = {
  title: 'System check',
  sentence:
    'The automatic check is not open yet. Connect the USBKEY: if the certificate can be read, browser and USBKEY are fine.',
  connect: 'Connect USBKEY',
  how: 'If it cannot be read, check in this order',
  steps: [
    'Open this site with Chrome or Edge on a computer, not in a compatibility mode.',
    'Unplug the USBKEY, wait a few seconds, plug it in again; try another USB port, without a hub.',
    'Close other certificate and invoice programs, and other tabs of this site.',
    'See whether the computer’s date and time are right.',
    'Plug in only the USBKEY you want to work on.',
    'If nothing helps, note the fault code on the page and call the hot-line.',
  ],
  code: 'Look up a fault code',
  codeLabel: 'Fault code',
  codeHint: 'for instance K09',
  look: 'Look up',
};
export const check = { 'zh-CN': zh, en };
