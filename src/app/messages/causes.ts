import type { Cause } from '../../diagnosis/causes.ts';
import type { Details } from '../../diagnosis/check.ts';
import type { KeyTrouble } from '../state/key-trouble.ts';

/** What was found, what it means, and what to do, in at most three steps. */
export interface CauseWords {
  readonly found: string | ((details: Details) => string);
  readonly means: string;
  readonly todo: readonly string[];
}

/** Those that are said elsewhere too have their words there: `key-trouble.ts`. */
export type OwnCause = Exclude<Cause, KeyTrouble>;

const untouched = '证书没有变化。';
const zh: Record<OwnCause, CauseWords> = {
  oldBrowser: {
    found: ({ name }) => (name === undefined ? '浏览器版本太旧。' : `浏览器内核是 ${name} 版，太旧了。`),
    means: '有的功能可能打不开。',
    todo: ['打开浏览器的“关于”页面，更新到最新版。', '更新不了，请换一台电脑，或带上 USBKEY 去服务中心。'],
  },
  apiForbidden: {
    found: '浏览器禁止本页使用 USBKEY。',
    means: '多半是单位的管理策略，或者本站被嵌在别的网页里。' + untouched,
    todo: ['在新标签页里直接打开本站。', '还是不行，请电脑管理员允许本站使用 USB 和 HID 设备。', '或者换一台电脑。'],
  },
  oneWayForbidden: {
    found: '浏览器的两种连接方式，有一种被禁止。',
    means: '有的 USBKEY 可能连接不上，其他的不受影响。',
    todo: ['USBKEY 能连上，就不用管。', '连不上，请电脑管理员允许本站使用 USB 和 HID 设备。'],
  },
  noStorage: {
    found: '浏览器不让本站保存数据。',
    means: '不能办理更新：断电以后就没法接着办。查看证书不受影响。',
    todo: ['不要用无痕窗口。', '在浏览器设置里允许本站保存数据。', '刷新页面，再检测一次。'],
  },
  storageFull: {
    found: '电脑的磁盘快满了，本站没有地方保存办理进度。',
    means: '不能办理更新。查看证书不受影响。',
    todo: ['清理磁盘，腾出一些空间。', '也可以先清掉本站的离线副本。', '再检测一次。'],
  },
  storageFailed: {
    found: '本站保存的数据读不出来。',
    means: '不能办理更新。查看证书不受影响。',
    todo: ['关闭打开本站的其他标签页，再检测一次。', '还是不行，重启浏览器。'],
  },
  privateMode: {
    found: '这看起来是无痕窗口。',
    means: '窗口一关，办到一半的进度就没有了。',
    todo: ['关闭这个窗口。', '用普通窗口打开本站。'],
  },
  noServiceWorker: {
    found: '这个浏览器不能保存离线副本。',
    means: '没有网络时打不开本站。其他功能不受影响。',
    todo: ['不用处理。'],
  },
  notKeptOffline: {
    found: '这台电脑上还没有本站的离线副本。',
    means: '没有网络时打不开本站。其他功能不受影响。',
    todo: ['点“重新下载离线副本”，或者不用处理。'],
  },
  updateWaiting: {
    found: '本站有新版本，已经下载好。',
    means: '现在用的是旧版本。',
    todo: ['点“更新到新版本”，页面会重新打开。'],
  },
  oldContent: {
    found: ({ days = 0 }) => `本站保存的内容是 ${days} 天前的。`,
    means: '网点、规则可能已经变了。',
    todo: ['连上网络，点“更新内容”。'],
  },
  contentRefused: {
    found: ({ name }) => `运营方发布的新内容${name === undefined ? '' : `（第 ${name} 版）`}不能用，没有采用。`,
    means: '现在用的还是原来的内容，办理不受影响。',
    todo: ['不用处理。', '也可以点“更新内容”，再取一次。'],
  },
  contentTampered: {
    found: ({ name }) => `取到的新内容${name === undefined ? '' : `（第 ${name} 版）`}核对不上，没有采用。`,
    means: '可能在半路被改过，也可能是没发布好。现在用的还是原来的内容。' + untouched,
    todo: ['点“更新内容”，再取一次。', '还是不行，换一个网络再试。', '或者致电热线，报上故障码。'],
  },
  contentOlder: {
    found: ({ name }) => `运营方给的内容${name === undefined ? '' : `（第 ${name} 版）`}比正在用的旧，没有采用。`,
    means: '现在用的是更新的内容，办理不受影响。',
    todo: ['不用处理。'],
  },
  brokenCache: {
    found: '本站的离线副本读不出来。',
    means: '没有网络时可能打不开本站。办理记录不受影响。',
    todo: ['点“重新下载离线副本”。'],
  },
  offline: {
    found: '这台电脑没有连上网络。',
    means: '看指引、查证书可以，更新证书要等联网。' + untouched,
    todo: ['看看网线，或者 Wi-Fi 有没有连上。', '打开别的网站试试。', '连上以后再检测一次。'],
  },
  serverUnreachable: {
    found: '连不上本站的服务器。',
    means: '暂时不能核对和更新证书。' + untouched,
    todo: ['打开别的网站试试，看网络通不通。', '单位的网络有限制的，请管理员放行本站网址。', '过几分钟再检测一次。'],
  },
  serverError: {
    found: '本站的服务器出了故障。',
    means: '暂时不能核对和更新证书。' + untouched,
    todo: ['过几分钟再检测一次。', '还是这样，请致电热线。'],
  },
  badConfig: {
    found: '服务器发来的设置不对。',
    means: '可能是网络中间有东西改动了它，也可能是服务器正在维护。' + untouched,
    todo: ['点“更新内容”重新下载。', '换一个网络试试，例如手机热点。', '还是这样，请致电热线。'],
  },
  apiUnreachable: {
    found: '连不上办理服务。',
    means: '证书能看，暂时不能更新。' + untouched,
    todo: ['过几分钟再检测一次。', '换一个网络试试。'],
  },
  apiError: {
    found: '办理服务正在维护，或者出了故障。',
    means: '证书能看，暂时不能更新。' + untouched,
    todo: ['过几分钟再检测一次。', '还是这样，请致电热线。'],
  },
  badPolicy: {
    found: '办理服务发来的规则不对。',
    means: '证书能看，暂时不能更新。' + untouched,
    todo: ['点“更新内容”重新下载。', '换一个网络试试。', '还是这样，请致电热线。'],
  },
  caUnreachable: {
    found: '连不上证书机构。',
    means: '证书能看，暂时不能更新。' + untouched,
    todo: ['过几分钟再检测一次。', '换一个网络试试。'],
  },
  caBusy: {
    found: '证书机构正忙。',
    means: '证书能看，更新要等一等。' + untouched,
    todo: ['过几分钟再检测一次。'],
  },
  caUntrusted: {
    found: '收到的答复不能确认来自证书机构。',
    means: '网络中间可能有东西改动了它，本站不会据此办理。' + untouched,
    todo: ['关闭代理或安全软件的“网页扫描”，再检测一次。', '换一个网络试试，例如手机热点。', '还是这样，请致电热线。'],
  },
  caClosed: {
    found: '在线办理现在没有开放。',
    means: '证书能看，网上暂时不能更新。',
    todo: ['过些时候再来。', '着急的话，带上 USBKEY 到任意服务中心。'],
  },
  slow: {
    found: ({ ms = 0 }) => `网络比较慢，答复用了 ${Math.round(ms / 100) / 10} 秒。`,
    means: '能办理，只是要多等一会儿。',
    todo: ['不用处理。'],
  },
  clockWrong: {
    found: ({ minutes = 0 }) =>
      `电脑的时间不对，${minutes > 0 ? '快' : '慢'}了 ${Math.round(Math.abs(minutes) / 1440)} 天左右。`,
    means: '时间不对，就没法判断证书有没有到期，这次没有判断。',
    todo: ['右击任务栏上的时间，点“调整日期/时间”。', '打开“自动设置时间”，点“立即同步”。', '再检测一次。'],
  },
  clockOff: {
    found: ({ minutes = 0 }) => `电脑的时间${minutes > 0 ? '快' : '慢'}了 ${Math.abs(minutes)} 分钟。`,
    means: '本站以服务器的时间为准，不影响办理。其他软件可能会受影响。',
    todo: ['打开电脑设置里的“自动设置时间”。'],
  },
  clockUnknown: {
    found: '没有取到服务器的时间。',
    means: '到期日是按这台电脑的时间算的，请看看电脑的时间对不对。',
    todo: ['联网以后再检测一次。'],
  },
  notPermitted: {
    found: '还没有允许本站使用的 USBKEY。',
    means: 'USBKEY 没有插，或者还没有在浏览器的窗口里选过。',
    todo: ['插上 USBKEY，等它的灯亮。', '点“连接 USBKEY”。', '在弹出的窗口里点选它，再点“连接”。'],
  },
  notPluggedIn: {
    found: '没有看到以前用过的 USBKEY。',
    means: '它没有插好，或者这次插的是另一个。',
    todo: [
      '拔下来，等几秒再插上，换一个 USB 接口，不经过扩展坞。',
      '插的是另一个，点“连接 USBKEY”选中它。',
      '换一台电脑也认不到，可能坏了，请到服务中心检测。',
    ],
  },
  noApplication: {
    found: 'USBKEY 里没有证书应用。',
    means: '它可能是空的，或者不是天津税务的 USBKEY。',
    todo: ['核对插入的是不是要办理的那一个。', '是它，请致电热线，报故障码。'],
  },
  locked: {
    found: 'USBKEY 的密码已锁死。',
    means: '网上不能解锁。' + untouched,
    todo: ['不用再试密码。', '准备授权书和经办人身份证原件。', '带上 USBKEY 到任意服务中心解锁。'],
  },
  lastTry: {
    found: '密码只剩最后 1 次。',
    means: '再错一次就会锁死。' + untouched,
    todo: ['不确定密码，就不要再试。', '忘记了，到任意服务中心解锁。'],
  },
  triesUnknown: {
    found: 'USBKEY 不告诉还能试几次密码。',
    means: '次数有限，不影响办理。',
    todo: ['不确定密码，请先停下。'],
  },
  noCertificate: {
    found: 'USBKEY 里没有证书。',
    means: '它可能是空的，或者上次写入没有完成。',
    todo: ['核对插入的是不是要办理的那一个。', '是它，请致电热线，报故障码。'],
  },
  tornCertificate: {
    found: 'USBKEY 里有一张证书只剩下一部分。',
    means: '多半是写入的时候断开了。密钥还在。',
    todo: ['如果有没办完的业务，先接着办完。', '没有，请致电热线，报故障码。'],
  },
  tornEncryption: {
    found: '加密证书读不出来。',
    means: '登录和签名不受影响，解密可能受影响。',
    todo: ['请致电热线，报故障码。'],
  },
  otherKeyPair: {
    found: '证书和 USBKEY 里的密钥不是一对。',
    means: '这张证书不能用来登录和签名。',
    todo: ['请致电热线，报故障码。', '或带上 USBKEY 到任意服务中心。'],
  },
  foreign: {
    found: 'USBKEY 里没有天津税务的证书。',
    means: '里面是别的机构发的证书，本站不能办理。',
    todo: ['核对插入的是不是天津税务的 USBKEY。', '是它，请致电热线，报故障码。'],
  },
  brokenChain: {
    found: '证书核对不到证书机构的根证书。',
    means: '证书可能损坏，或者上级证书已经失效。',
    todo: ['请致电热线，报故障码。'],
  },
  badSignature: {
    found: 'USBKEY 试签的结果与证书不符。',
    means: '里面的密钥可能坏了，证书不能使用。',
    todo: ['拔下 USBKEY 再插上，重新试签一次。', '还是这样，请到服务中心检测。'],
  },
  noTestSignature: {
    found: '没有试签。',
    means: '没有输入密码。其他项目不受影响。',
    todo: ['想试签，再点一次“用密码试签”。'],
  },
  expired: {
    found: ({ days = 0 }) => (days > 0 ? `证书已过期 ${days} 天。` : '证书今天过期。'),
    means: '证书仍在 USBKEY 里，不能再用来登录和签名。',
    todo: ['到证书管理，看能不能在线更新。', '不能，带上 USBKEY 到任意服务中心。'],
  },
  due: {
    found: ({ days = 0 }) => (days > 0 ? `证书还有 ${days} 天到期。` : '证书今天到期。'),
    means: '现在还能用，已经可以更新。',
    todo: ['到证书管理，点“更新证书”。'],
  },
  notYetValid: {
    found: '证书还没有到生效的时间。',
    means: '现在不能用，或者电脑的时间不对。',
    todo: ['看看电脑的日期和时间。', '时间是对的，请致电热线，报故障码。'],
  },
  upgradeDue: {
    found: '这张证书需要升级。',
    means: '它是旧的证书机构发的。',
    todo: ['到证书管理，点“升级证书”。'],
  },
  revoked: {
    found: '证书已被证书机构吊销。',
    means: '不能再用，也不能在线更新。',
    todo: ['请致电热线，报故障码。', '或带上 USBKEY 到任意服务中心。'],
  },
  statusUnknown: {
    found: '没有查到证书有没有被吊销。',
    means: '证书机构现在没有可信的答复，不代表有问题。',
    todo: ['过些时候再检测一次。'],
  },
  pending: {
    found: ({ tail }) => `有一笔没办完的业务${tail === undefined ? '' : `，USBKEY 尾号 ${tail}`}。`,
    means: '原来的证书仍在，可以接着办。',
    todo: ['点“接着办”，从中断的地方继续。'],
  },
  pendingOther: {
    found: ({ tail }) => `另一个 USBKEY 有一笔没办完的业务${tail === undefined ? '' : `，尾号 ${tail}`}。`,
    means: '那个 USBKEY 原来的证书仍在，30 天内可以接着办。',
    todo: ['插上那一个 USBKEY，再检测一次。'],
  },
  brokenJournal: {
    found: ({ count = 1 }) => `有 ${count} 条办理记录读不出来。`,
    means: '不影响办理：USBKEY 自己也记着，办理前会先向证书机构查询。',
    todo: ['不用处理。'],
  },
  lostCertificate: {
    found: 'USBKEY 里有一张证书不见了，或者不完整，可以写回去。',
    means: '密钥还在。证书是公开的，从办理记录或证书机构取回，写回去就能用。',
    todo: ['点“写回证书”，输入一次密码。'],
  },
  leftover: {
    found: ({ count = 1 }) => `USBKEY 里有 ${count} 个以前没办成留下的空位。`,
    means: '里面没有证书，占着地方，不影响使用。',
    todo: ['点“清理空位”，输入一次密码。', '也可以不管它。'],
  },
  readOnlyModel: {
    found: '这种型号的 USBKEY，本站目前只能查看证书。',
    means: '查看不受影响，网上不能更新。',
    todo: ['要更新，带上 USBKEY 到任意服务中心。'],
  },
  page: {
    found: '一页没有打开。',
    means: '可能是网络断开了，或者网站刚刚更新。' + untouched,
    todo: ['检查网络，重新打开这一页。'],
  },
  timedOut: {
    found: '这一项等了很久没有结果，已经停下。',
    means: '没有改动任何东西。',
    todo: ['再检测一次。', '还是这样，请致电热线，报故障码。'],
  },
  failed: {
    found: '本站在检测这一项时出了差错。',
    means: '没有改动任何东西。',
    todo: ['刷新页面，再检测一次。', '还是这样，请致电热线，报故障码。'],
  },
};

const same = 'The certificate is as it was.';
const en: typeof zh = {
  oldBrowser: {
    found: ({ name }) => (name === undefined ? 'The browser is too old.' : `The browser is too old: version ${name}.`),
    means: 'Some things may not work.',
    todo: [
      'Open the browser’s About page and update it.',
      'If that is not possible, use another computer or go to a service centre.',
    ],
  },
  apiForbidden: {
    found: 'The browser forbids this page to use a USBKEY.',
    means: `Mostly a rule of your organisation, or this site is shown inside another page. ${same}`,
    todo: [
      'Open this site in a tab of its own.',
      'If that fails, ask for this site to be allowed USB and HID devices.',
      'Or use another computer.',
    ],
  },
  oneWayForbidden: {
    found: 'One of the browser’s two ways to a USBKEY is forbidden.',
    means: 'Some USBKEYs may not connect; others are not affected.',
    todo: [
      'If the USBKEY connects, there is nothing to do.',
      'If not, ask for this site to be allowed USB and HID devices.',
    ],
  },
  noStorage: {
    found: 'The browser does not let this site keep data.',
    means: 'A renewal cannot begin: after a power cut it could not go on. Looking at certificates works.',
    todo: [
      'Do not use a private window.',
      'Allow this site to keep data in the browser’s settings.',
      'Reload the page and check again.',
    ],
  },
  storageFull: {
    found: 'The disk is nearly full; there is no room for the progress of a renewal.',
    means: 'A renewal cannot begin. Looking at certificates works.',
    todo: ['Free some disk space.', 'This site’s offline copies can be removed first.', 'Check again.'],
  },
  storageFailed: {
    found: 'What this site has kept cannot be read.',
    means: 'A renewal cannot begin. Looking at certificates works.',
    todo: ['Close other tabs of this site and check again.', 'If that fails, restart the browser.'],
  },
  privateMode: {
    found: 'This looks like a private window.',
    means: 'Once it is closed, the progress of a renewal is gone.',
    todo: ['Close this window.', 'Open this site in an ordinary one.'],
  },
  noServiceWorker: {
    found: 'This browser keeps no offline copies.',
    means: 'Without a network this site does not open. Nothing else is affected.',
    todo: ['Nothing to do.'],
  },
  notKeptOffline: {
    found: 'There is no offline copy of this site on this computer yet.',
    means: 'Without a network this site does not open. Nothing else is affected.',
    todo: ['Press “Fetch the offline copy anew”, or leave it.'],
  },
  updateWaiting: {
    found: 'A new version of this site has been fetched.',
    means: 'The old one is in use.',
    todo: ['Press “Take the new version”; the page opens anew.'],
  },
  oldContent: {
    found: ({ days = 0 }) => `What this site keeps is ${days} days old.`,
    means: 'Centres and rules may have changed.',
    todo: ['Go online and press “Update the content”.'],
  },
  contentRefused: {
    found: ({ name }) =>
      `The operator’s new content${name === undefined ? '' : ` (version ${name})`} is of no use here.`,
    means: 'It was not taken. What was in use before still is; renewing is not affected.',
    todo: ['Nothing to do.', 'Or press “Update the content” to fetch it once more.'],
  },
  contentTampered: {
    found: ({ name }) => `New content${name === undefined ? '' : ` (version ${name})`} is not what was signed.`,
    means: `It was not taken: it may have been changed on its way. What was in use before still is. ${same}`,
    todo: [
      'Press “Update the content” to fetch it once more.',
      'If it stays so, try another network.',
      'Or call the hot-line and read out the fault code.',
    ],
  },
  contentOlder: {
    found: ({ name }) =>
      `The operator offers older content${name === undefined ? '' : ` (version ${name})`} than is in use.`,
    means: 'It was not taken: the newer one stays in use.',
    todo: ['Nothing to do.'],
  },
  brokenCache: {
    found: 'This site’s offline copies cannot be read.',
    means: 'Without a network it may not open. Records of renewals are not affected.',
    todo: ['Press “Fetch the offline copy anew”.'],
  },
  offline: {
    found: 'This computer has no network.',
    means: `Guidance and certificates can be read; renewing has to wait. ${same}`,
    todo: ['Look at the cable, or the Wi-Fi.', 'Try another web site.', 'Check again once connected.'],
  },
  serverUnreachable: {
    found: 'This site’s server cannot be reached.',
    means: `Certificates cannot be checked or renewed for now. ${same}`,
    todo: [
      'Try another web site.',
      'Where the network is restricted, ask for this site to be let through.',
      'Check again in a few minutes.',
    ],
  },
  serverError: {
    found: 'This site’s server has a fault.',
    means: `Certificates cannot be checked or renewed for now. ${same}`,
    todo: ['Check again in a few minutes.', 'If it stays so, call the hot-line.'],
  },
  badConfig: {
    found: 'The settings that the server sent are not right.',
    means: `Something on the way may have changed them, or the server is being serviced. ${same}`,
    todo: ['Press “Update the content”.', 'Try another network.', 'If it stays so, call the hot-line.'],
  },
  apiUnreachable: {
    found: 'The renewal service cannot be reached.',
    means: `Certificates can be read, not renewed for now. ${same}`,
    todo: ['Check again in a few minutes.', 'Try another network.'],
  },
  apiError: {
    found: 'The renewal service is being serviced, or has a fault.',
    means: `Certificates can be read, not renewed for now. ${same}`,
    todo: ['Check again in a few minutes.', 'If it stays so, call the hot-line.'],
  },
  badPolicy: {
    found: 'The rules that the renewal service sent are not right.',
    means: `Certificates can be read, not renewed for now. ${same}`,
    todo: ['Press “Update the content”.', 'Try another network.', 'If it stays so, call the hot-line.'],
  },
  caUnreachable: {
    found: 'The authority cannot be reached.',
    means: `Certificates can be read, not renewed for now. ${same}`,
    todo: ['Check again in a few minutes.', 'Try another network.'],
  },
  caBusy: {
    found: 'The authority is busy.',
    means: `Certificates can be read; renewing has to wait a little. ${same}`,
    todo: ['Check again in a few minutes.'],
  },
  caUntrusted: {
    found: 'An answer came that cannot be shown to be the authority’s.',
    means: `Something on the way may have changed it; nothing is done on its word. ${same}`,
    todo: [
      'Turn off a proxy or “web scanning” of a security program and check again.',
      'Try another network.',
      'If it stays so, call the hot-line.',
    ],
  },
  caClosed: {
    found: 'Online service is not open now.',
    means: 'Certificates can be read, not renewed online for now.',
    todo: ['Come back later.', 'If it is urgent, take the USBKEY to any service centre.'],
  },
  slow: {
    found: ({ ms = 0 }) => `The network is slow: an answer took ${Math.round(ms / 100) / 10} seconds.`,
    means: 'Everything works; it only takes longer.',
    todo: ['Nothing to do.'],
  },
  clockWrong: {
    found: ({ minutes = 0 }) =>
      `The computer’s clock is wrong: about ${Math.round(Math.abs(minutes) / 1440)} days ${minutes > 0 ? 'fast' : 'slow'}.`,
    means: 'With a wrong clock it cannot be told whether a certificate has expired, so this was left out.',
    todo: [
      'Right-click the clock on the task bar and choose “Adjust date/time”.',
      'Turn on “Set time automatically” and press “Sync now”.',
      'Check again.',
    ],
  },
  clockOff: {
    found: ({ minutes = 0 }) =>
      `The computer’s clock is ${Math.abs(minutes)} minutes ${minutes > 0 ? 'fast' : 'slow'}.`,
    means: 'This site goes by the server’s time. Other programs may be affected.',
    todo: ['Turn on “Set time automatically” in the computer’s settings.'],
  },
  clockUnknown: {
    found: 'The server’s time is not known.',
    means: 'Dates are judged by this computer’s clock; please see whether it is right.',
    todo: ['Check again once online.'],
  },
  notPermitted: {
    found: 'No USBKEY that this site may use.',
    means: 'None is plugged in, or it has not been chosen in the browser’s window yet.',
    todo: [
      'Plug in the USBKEY and wait for its light.',
      'Press Connect USBKEY.',
      'Choose it in the window and press Connect there.',
    ],
  },
  notPluggedIn: {
    found: 'The USBKEY that was used before is not there.',
    means: 'It is not plugged in properly, or this is another one.',
    todo: [
      'Unplug it, wait a few seconds, plug it into another USB port, without a hub.',
      'If it is another one, press Connect USBKEY and choose it.',
      'If another computer does not see it either, have it looked at in a service centre.',
    ],
  },
  noApplication: {
    found: 'There is no certificate application on the USBKEY.',
    means: 'It may be empty, or not a Tianjin tax USBKEY.',
    todo: ['Check that it is the right one.', 'If it is, call the hot-line and read out the fault code.'],
  },
  locked: {
    found: 'The password of the USBKEY is locked.',
    means: `It cannot be unlocked online. ${same}`,
    todo: [
      'Do not try the password any more.',
      'Prepare the letter of authorisation and the agent’s identity card.',
      'Take the USBKEY to any service centre.',
    ],
  },
  lastTry: {
    found: 'One try is left for the password.',
    means: `One more mistake and it is locked. ${same}`,
    todo: ['If you are not sure, do not try.', 'If it is forgotten, have it unlocked in any service centre.'],
  },
  triesUnknown: {
    found: 'The USBKEY does not say how many tries are left.',
    means: 'There are only so many. Nothing else is affected.',
    todo: ['If you are not sure of the password, stop.'],
  },
  noCertificate: {
    found: 'There is no certificate on the USBKEY.',
    means: 'It may be empty, or the last writing was not finished.',
    todo: ['Check that it is the right one.', 'If it is, call the hot-line and read out the fault code.'],
  },
  tornCertificate: {
    found: 'Of one certificate on the USBKEY only a part is left.',
    means: 'Most likely it was unplugged while being written. The key pair is there.',
    todo: ['If something is unfinished, finish it first.', 'If not, call the hot-line and read out the fault code.'],
  },
  tornEncryption: {
    found: 'The encryption certificate cannot be read.',
    means: 'Signing in and signing work; decrypting may not.',
    todo: ['Call the hot-line and read out the fault code.'],
  },
  otherKeyPair: {
    found: 'The certificate and the key pair on the USBKEY do not belong together.',
    means: 'This certificate cannot be used.',
    todo: ['Call the hot-line and read out the fault code.', 'Or take the USBKEY to any service centre.'],
  },
  foreign: {
    found: 'There is no certificate of the Tianjin tax service on the USBKEY.',
    means: 'It holds one of another authority, with which this site cannot help.',
    todo: ['Check that it is the Tianjin tax USBKEY.', 'If it is, call the hot-line and read out the fault code.'],
  },
  brokenChain: {
    found: 'The certificate does not lead to the authority’s root.',
    means: 'It may be damaged, or one above it is no longer valid.',
    todo: ['Call the hot-line and read out the fault code.'],
  },
  badSignature: {
    found: 'The test signature does not match the certificate.',
    means: 'The key pair may be damaged; the certificate cannot be used.',
    todo: [
      'Unplug the USBKEY, plug it in and try once more.',
      'If it stays so, have it looked at in a service centre.',
    ],
  },
  noTestSignature: {
    found: 'No test signature was made.',
    means: 'No password was given. Nothing else is affected.',
    todo: ['To make one, press “Test signature with the password” again.'],
  },
  expired: {
    found: ({ days = 0 }) =>
      days > 0
        ? `The certificate expired ${days} ${days === 1 ? 'day' : 'days'} ago.`
        : 'The certificate expired today.',
    means: 'It is still on the USBKEY and can no longer be used.',
    todo: [
      'See on the certificates page whether it can be renewed online.',
      'If not, take the USBKEY to any service centre.',
    ],
  },
  due: {
    found: ({ days = 0 }) =>
      days > 0
        ? `The certificate expires in ${days} ${days === 1 ? 'day' : 'days'}.`
        : 'The certificate expires today.',
    means: 'It works, and can be renewed now.',
    todo: ['Press “Renew the certificate” on the certificates page.'],
  },
  notYetValid: {
    found: 'The certificate is not valid yet.',
    means: 'It cannot be used now, or the computer’s clock is wrong.',
    todo: [
      'Look at the computer’s date and time.',
      'If they are right, call the hot-line and read out the fault code.',
    ],
  },
  upgradeDue: {
    found: 'This certificate needs an upgrade.',
    means: 'It comes from the old authority.',
    todo: ['Press “Upgrade the certificate” on the certificates page.'],
  },
  revoked: {
    found: 'The authority has revoked the certificate.',
    means: 'It can no longer be used, nor renewed online.',
    todo: ['Call the hot-line and read out the fault code.', 'Or take the USBKEY to any service centre.'],
  },
  statusUnknown: {
    found: 'Whether the certificate was revoked is not known.',
    means: 'The authority has no credible answer now; that does not mean anything is wrong.',
    todo: ['Check again later.'],
  },
  pending: {
    found: ({ tail }) => `Something is unfinished${tail === undefined ? '' : ` with the USBKEY ending in ${tail}`}.`,
    means: 'The old certificate is still there; the work can go on.',
    todo: ['Press “Go on” to go on where it stopped.'],
  },
  pendingOther: {
    found: ({ tail }) =>
      `Something is unfinished with another USBKEY${tail === undefined ? '' : `, ending in ${tail}`}.`,
    means: 'Its old certificate is still there; for 30 days the work can go on.',
    todo: ['Plug that one in and check again.'],
  },
  brokenJournal: {
    found: ({ count = 1 }) => `${count} ${count === 1 ? 'record' : 'records'} of earlier work cannot be read.`,
    means: 'The USBKEY remembers too, and the authority is asked before anything begins.',
    todo: ['Nothing to do.'],
  },
  lostCertificate: {
    found: 'A certificate on the USBKEY is missing or incomplete, and can be written back.',
    means: 'The key pair is there. Certificates are public: fetched from the records or the authority, it works again.',
    todo: ['Press “Write the certificate back” and type the password once.'],
  },
  leftover: {
    found: ({ count = 1 }) =>
      `An earlier attempt has left ${count} empty ${count === 1 ? 'place' : 'places'} on the USBKEY.`,
    means: 'There is no certificate in it; it only takes up room.',
    todo: ['Press “Tidy up” and type the password once.', 'Or leave it.'],
  },
  readOnlyModel: {
    found: 'For now this site only reads this model of USBKEY.',
    means: 'Reading works; renewing online does not.',
    todo: ['To renew, take the USBKEY to any service centre.'],
  },
  page: {
    found: 'A page did not open.',
    means: `The network may have been down, or the site has just been updated. ${same}`,
    todo: ['Check the network and open the page again.'],
  },
  timedOut: {
    found: 'This took too long and was stopped.',
    means: 'Nothing was changed.',
    todo: ['Check again.', 'If it stays so, call the hot-line and read out the fault code.'],
  },
  failed: {
    found: 'Something went wrong on this site while checking this.',
    means: 'Nothing was changed.',
    todo: ['Reload the page and check again.', 'If it stays so, call the hot-line and read out the fault code.'],
  },
};
export const causeWords = { 'zh-CN': zh, en };
