const zh = {
  caption: '点按钮后，浏览器会弹出这样一个窗口：',
  badge: '示意图',
  description: '示意图：浏览器的窗口里列出了 USBKEY。先点选那一行，再点“连接”。',
  title: '本网站想要连接设备',
  row: 'USBKEY 的名称',
  first: '点选这一行',
  second: '点“连接”',
  connect: '连接',
  cancel: '取消',
};
const en: typeof zh = {
  caption: 'After the button the browser opens a window like this:',
  badge: 'Illustration',
  description: 'Illustration: the browser’s window lists the USBKEY. Choose that row, then press Connect.',
  title: 'This site wants to connect to a device',
  row: 'Your USBKEY',
  first: 'choose this row',
  second: 'press Connect',
  connect: 'Connect',
  cancel: 'Cancel',
};
export const chooser = { 'zh-CN': zh, en };
