import { withEnglish } from '../i18n.svelte.ts';

const zh = {
  site: 'CA证书在线服务平台',
  short: 'CA证书',
  skip: '跳到正文',
  mainMenu: '主菜单',
  menu: {
    certificates: '证书管理',
    guide: '业务指南',
    centres: '网点',
    appointments: '预约',
    check: '系统检测',
  },
  menuShort: { certificates: '证书', guide: '指南', centres: '网点', appointments: '预约', check: '检测' },
  largeType: '大字版',
  largeTypeOff: '标准字号',
  otherLanguage: 'EN',
  otherLanguageName: 'Switch to English',
  appearance: '外观',
  themes: { system: '跟随系统', light: '浅色', dark: '深色' },
  loading: '正在打开…',
  loadingLong: '网络较慢，仍在打开这一页…',
  loadFailed: {
    title: '页面没有打开',
    happened: '这一页没有打开，可能是网络断开了。',
    certificate: '没有变化。这一步没有读写 USBKEY。',
    next: '检查网络后再试一次。',
    retry: '再试一次',
  },
  hotline: '服务热线',
  bracketed: (hint: string): string => `（${hint}）`,
  nearby: '附近网点',
  faultCode: '故障码',
  certificateNow: '证书现在的状态',
  nextStep: '接下来',
  offline: '现在没有网络。业务指南和网点仍可查看；更新证书要等联网后。',
  updateReady: '网站有新版本。',
  updateNow: '现在更换',
  updateLater: '以后再说',
  running: '正在办理，请不要拔出 USBKEY，也不要关闭页面。',
  runningBack: '回到办理页',
  foot: {
    help: '需要帮助',
    disclaimer: '声明：本站信息仅供办理参考，以服务网点和热线答复为准。',
    privacy: '隐私说明',
    about: '关于本站',
    clear: '清除本机数据',
    version: (build: string): string => `版本 ${build}`,
  },
};
export type ShellWords = typeof zh;

export const shell = withEnglish(zh, () => import('./shell.en.ts'));
