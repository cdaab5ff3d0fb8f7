import type { KeyTrouble } from '../state/usbkey.svelte.ts';

/** The three lines, and what the button says: what happened · the certificate now · what to do next. */
export interface TroubleWords {
  readonly happened: string;
  readonly certificate: string;
  readonly next: string;
}
type Words = Record<KeyTrouble, TroubleWords> & { readonly again: string; readonly bring: string };

const untouched = '没有变化。';
const zh: Words = {
  insecure: {
    happened: '这个网址不是安全连接，浏览器不让它使用 USBKEY。',
    certificate: untouched,
    next: '请核对网址，用 https 开头的地址重新打开本站。',
  },
  mobile: {
    happened: '手机和平板不能连接 USBKEY。',
    certificate: untouched,
    next: '请在电脑上用 Chrome 或 Edge 打开本站。没有电脑，请带上 USBKEY 去任意服务中心。',
  },
  noApi: {
    happened: '这个浏览器不能连接 USBKEY。',
    certificate: untouched,
    next: '请用电脑上的 Chrome 或 Edge 打开本站，不要用“兼容模式”。换不了浏览器，请带上 USBKEY 去任意服务中心。',
  },
  nothingChosen: {
    happened: '没有选中 USBKEY。',
    certificate: untouched,
    next: '请再点一次“连接 USBKEY”，在弹出的窗口里点选它，再点“连接”。窗口里没有它，请换一种方式。',
  },
  noGesture: {
    happened: '浏览器没有打开选择 USBKEY 的窗口。',
    certificate: untouched,
    next: '请再点一次“连接 USBKEY”。',
  },
  protectedClass: {
    happened: '这种 USBKEY，浏览器不允许网页使用。',
    certificate: untouched,
    next: '请用原软件，或带上它去服务中心。',
  },
  massStorage: {
    happened: '这种 USBKEY 像光盘或 U 盘一样接入电脑，浏览器不允许网页使用。',
    certificate: untouched,
    next: '请用原软件，或带上它去服务中心。',
  },
  fidoOnly: {
    happened: '这是用来登录网站的安全密钥，不是税务 USBKEY。',
    certificate: untouched,
    next: '请插上天津税务的 USBKEY，再连接一次。',
  },
  otherWay: {
    happened: '这个 USBKEY 要换一种方式连接。',
    certificate: untouched,
    next: '请点“换一种方式连接”，在弹出的窗口里再选一次。',
  },
  heldBack: {
    happened: '这种型号的 USBKEY，本站暂时不办理。',
    certificate: untouched,
    next: '请用原软件，或带上它去服务中心。什么时候恢复，请致电热线。',
  },
  unknownDevice: {
    happened: '没有认出这个设备，它可能不是天津税务 USBKEY。',
    certificate: untouched,
    next: '请核对插入的 USBKEY，再连接一次。确实是它，请用原软件，或带上它去服务中心。',
  },
  notAKey: {
    happened: '试着读取了这个设备，它没有像 USBKEY 那样回答。',
    certificate: untouched,
    next: '请核对插入的是不是天津税务 USBKEY，再连接一次。确实是它，请用原软件，或带上它去服务中心。',
  },
  accessDenied: {
    happened: '电脑没有让浏览器使用这个 USBKEY，多半是驱动程序占着它。',
    certificate: untouched,
    next: '请拔下 USBKEY，等几秒再插上。还是不行，请用原软件，或带上它去服务中心。',
  },
  busy: {
    happened: '别的程序正在使用这个 USBKEY。',
    certificate: untouched,
    next: '请关闭“数字证书管理系统”、开票软件等程序，再试一次。还是不行，多半是驱动程序占着它，请用原软件，或带上它去服务中心。',
  },
  otherTab: {
    happened: '另一个标签页正在使用这个 USBKEY。',
    certificate: untouched,
    next: '请回到那个标签页。它办完或者关闭以后，这里会自动接着来。',
  },
  ownTask: {
    happened: '本页正在用这个 USBKEY 办另一件事。',
    certificate: '那件事的结果，请看它自己的说明。',
    next: '请等它办完，再点一次。页面上有密码框的，请先输入密码，或点“先不办了”。',
  },
  several: {
    happened: '插着不止一个 USBKEY。',
    certificate: untouched,
    next: '请在列表里选出要办理的那一个，也可以拔下其他的。',
  },
  unplugged: {
    happened: 'USBKEY 断开了。',
    certificate: '原来的证书仍在。',
    next: '请重新插入 USBKEY，插好后会自动读取。',
  },
  unpluggedForgotten: {
    happened: 'USBKEY 断开了。',
    certificate: '原来的证书仍在。',
    next: '请重新插入 USBKEY，再点“连接 USBKEY”选中它：这种 USBKEY 每次插入都要重新选一次。',
  },
  stalled: {
    happened: 'USBKEY 中断了这次通信。',
    certificate: untouched,
    next: '请拔下 USBKEY，等几秒再插上，插好后会自动读取。也可以换一个 USB 接口。',
  },
  badAnswer: {
    happened: 'USBKEY 的回答读不懂，可能有别的程序同时在使用它。',
    certificate: untouched,
    next: '请关闭“数字证书管理系统”、开票软件等程序，拔下 USBKEY，等几秒再插上，插好后会自动读取。',
  },
  noAnswer: {
    happened: 'USBKEY 没有正常回应。',
    certificate: untouched,
    next: '请拔下 USBKEY，等几秒再插上，插好后会自动读取。也可以换一个 USB 接口。',
  },
  noConfig: {
    happened: '没有连上服务器，暂时不能核对证书。',
    certificate: untouched,
    next: '请检查网络，再试一次。',
  },
  unexpected: {
    happened: '本站出了差错，没有读出证书。',
    certificate: untouched,
    next: '请再试一次。还是不行，请致电热线。',
  },
  again: '再试一次',
  bring: '看要带什么',
};

const same = 'Nothing has changed.';
const en: Words = {
  insecure: {
    happened: 'This address is not a secure connection, so the browser does not let it use the USBKEY.',
    certificate: same,
    next: 'Check the address and open this site with https.',
  },
  mobile: {
    happened: 'Phones and tablets cannot connect to a USBKEY.',
    certificate: same,
    next: 'Open this site with Chrome or Edge on a computer, or take the USBKEY to any service centre.',
  },
  noApi: {
    happened: 'This browser cannot connect to a USBKEY.',
    certificate: same,
    next: 'Open this site with Chrome or Edge on a computer, not in a compatibility mode, or take the USBKEY to any service centre.',
  },
  nothingChosen: {
    happened: 'No USBKEY was chosen.',
    certificate: same,
    next: 'Press Connect again, choose it in the window and press Connect there. If it is not listed, try the other way.',
  },
  noGesture: {
    happened: 'The browser did not open its window for choosing a USBKEY.',
    certificate: same,
    next: 'Press Connect USBKEY once more.',
  },
  protectedClass: {
    happened: 'Browsers do not let web pages use this kind of USBKEY.',
    certificate: same,
    next: 'Use the original software, or take it to a service centre.',
  },
  massStorage: {
    happened: 'This USBKEY presents itself as a disc; browsers do not let web pages use it.',
    certificate: same,
    next: 'Use the original software, or take it to a service centre.',
  },
  fidoOnly: {
    happened: 'This is a security key for signing in to web sites, not a tax USBKEY.',
    certificate: same,
    next: 'Plug in the Tianjin tax USBKEY and connect again.',
  },
  otherWay: {
    happened: 'This USBKEY is connected in another way.',
    certificate: same,
    next: 'Press Connect in the other way and choose it once more in the window.',
  },
  heldBack: {
    happened: 'For the time being this site does not work on this model of USBKEY.',
    certificate: same,
    next: 'Use the original software, or take it to a service centre. The hot-line knows when it will be back.',
  },
  notAKey: {
    happened: 'This device was tried, and it does not answer as a USBKEY would.',
    certificate: same,
    next: 'Check that it is a Tianjin tax USBKEY and connect again. If it is, use the original software or go to a service centre.',
  },
  unknownDevice: {
    happened: 'This device was not recognised; it may not be a Tianjin tax USBKEY.',
    certificate: same,
    next: 'Check which USBKEY is plugged in and connect again. If it is the right one, use the original software or go to a service centre.',
  },
  accessDenied: {
    happened: 'The computer does not let the browser use this USBKEY; a driver probably holds it.',
    certificate: same,
    next: 'Unplug it, wait a few seconds and plug it in again. If that fails, use the original software or go to a service centre.',
  },
  busy: {
    happened: 'Another program is using this USBKEY.',
    certificate: same,
    next: 'Close other certificate and invoice programs, then try again. If that fails, a driver probably holds it: use the original software or go to a service centre.',
  },
  otherTab: {
    happened: 'Another tab of this site is using this USBKEY.',
    certificate: same,
    next: 'Go back to that tab. Once it is done or closed, this one goes on by itself.',
  },
  ownTask: {
    happened: 'This page is using the USBKEY for something else.',
    certificate: 'What comes of that is said where it was begun.',
    next: 'Wait until it is done and press again. If a password is being asked for, type it or press Not now.',
  },
  several: {
    happened: 'More than one USBKEY is plugged in.',
    certificate: same,
    next: 'Choose the one you want from the list, or unplug the others.',
  },
  unplugged: {
    happened: 'The USBKEY is disconnected.',
    certificate: 'The certificate is still on it.',
    next: 'Plug it in again; it is then read by itself.',
  },
  unpluggedForgotten: {
    happened: 'The USBKEY is disconnected.',
    certificate: 'The certificate is still on it.',
    next: 'Plug it in again, then press Connect USBKEY and choose it: a USBKEY of this kind has to be chosen every time.',
  },
  stalled: {
    happened: 'The USBKEY broke off the exchange.',
    certificate: same,
    next: 'Unplug it, wait a few seconds and plug it in again; it is then read by itself. Another USB port may help.',
  },
  badAnswer: {
    happened: 'The answers of the USBKEY make no sense; another program may be using it at the same time.',
    certificate: same,
    next: 'Close other certificate and invoice programs, unplug the USBKEY, wait a few seconds and plug it in again; it is then read by itself.',
  },
  noAnswer: {
    happened: 'The USBKEY did not answer as it should.',
    certificate: same,
    next: 'Unplug it, wait a few seconds and plug it in again; it is then read by itself. Another USB port may help.',
  },
  noConfig: {
    happened: 'The server could not be reached, so the certificate cannot be checked now.',
    certificate: same,
    next: 'Check the network and try again.',
  },
  unexpected: {
    happened: 'Something went wrong on this site; the certificate was not read.',
    certificate: same,
    next: 'Try again. If it happens again, call the hot-line.',
  },
  again: 'Try again',
  bring: 'What to bring',
};
export const keyTrouble = { 'zh-CN': zh, en };
