const zh = {
  title: '关于本站',
  sentence: '不用下载软件，在浏览器里查看、升级和更新 USBKEY 上的证书。',
  service: '谁在提供服务',
  domain: (host: string): string =>
    `您现在打开的网址是 ${host}。请核对它是不是服务方公布的地址，不要在别的网址输入密码。`,
  works: '能用在哪里',
  browser: '连接 USBKEY 要用电脑上的 Chrome 109 以上或 Edge 109 以上。其他页面用现在的浏览器都可以看，没有网络也可以。',
  oldProgram: '浏览器用不了时，还可以用原来的软件“数字证书管理系统”，或到任意服务中心办理。',
  operator: '运营人员',
  newModels: '新型号的 USBKEY 开放办理之前，先做一次验收。',
  acceptance: 'USBKEY 验收',
  software: '软件',
  version: '版本',
  record: '备案号',
  licence: '本软件以 Apache License 2.0 发布，用到了这些开源软件：',
};
const en: typeof zh = {
  title: 'About this site',
  sentence: 'See, upgrade and renew the certificate on your USBKEY in the browser, without installing a program.',
  service: 'Who provides the service',
  domain: (host: string): string =>
    `The address you have open is ${host}. Check that it is the one the service has published, and type your password nowhere else.`,
  works: 'Where it works',
  browser:
    'Connecting to a USBKEY takes Chrome 109 or Edge 109 or later on a computer. All other pages work in any current browser, also without a network.',
  oldProgram:
    'Where the browser cannot be used, the original program “数字证书管理系统” and every service centre still can.',
  operator: 'For the operator',
  newModels: 'A new model of USBKEY is tried out before renewals are opened for it.',
  acceptance: 'Key acceptance',
  software: 'Software',
  version: 'Version',
  record: 'Record number',
  licence: 'This software is published under the Apache License 2.0. It uses:',
};
export const about = { 'zh-CN': zh, en };
