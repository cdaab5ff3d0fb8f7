const zh = {
  title: '隐私说明',
  sentence: '证书和密码都留在您的电脑和 USBKEY 里。',
};
const en: typeof zh = {
  title: 'Privacy',
  sentence: 'Certificate and password stay on your computer and your USBKEY.',
};
export const privacy = { 'zh-CN': zh, en };
