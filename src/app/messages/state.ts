import type { Reason } from '../../renewal/recommend.ts';

const many = (n: number): string => `${n} ${n === 1 ? 'day' : 'days'}`;

const zh = {
  /** Between two sentences. */
  space: '',
  far: (date: string, from: string): string => `证书有效期到 ${date}，现在不用办理。${from} 起可以更新。`,
  nothingToDo: '现在不用办理。',
  leftOnline: (n: number): string => `证书还有 ${n} 天到期，现在就可以更新。`,
  todayOnline: '证书今天到期，请现在更新。',
  expiredOnline: (n: number): string =>
    n === 0 ? '证书今天已经过期，仍可尝试在线更新。' : `证书已过期 ${n} 天，仍可尝试在线更新。`,
  renewNow: '证书现在就可以更新。',
  left: (n: number): string => (n === 0 ? '证书今天到期。' : `证书还有 ${n} 天到期。`),
  expired: (n: number): string => (n === 0 ? '证书今天已经过期。' : `证书已过期 ${n} 天。`),
  upgradeOnline: '这张证书需要升级，现在就可以在线升级。',
  resume: '上次的办理还没有完成，可以从中断的地方继续。',
  locked: 'USBKEY 已锁死，网上不能解锁。证书没有变化，请到任意服务中心解锁。',
  lastTry: '密码只剩最后 1 次机会。不确定密码，请不要再试，先到任意服务中心解锁。',
  renewalOffline: '现在没有网络，联网后就可以更新。',
  upgradeOffline: '证书需要升级。现在没有网络，联网后就可以升级。',
  renewAtCentre: '请带上 USBKEY，到任意服务中心更新。',
  upgradeAtCentre: '请带上 USBKEY，到任意服务中心升级。',
  atCentre: '请带上 USBKEY，到任意服务中心办理。',
  foreign: '这个 USBKEY 里没有天津税务的证书，本站不能办理。请核对 USBKEY，或致电热线。',
  revoked: '这张证书已被证书机构吊销，不能再用，也不能在线更新。请致电热线，或带上 USBKEY 到任意服务中心。',
  noCertificate: 'USBKEY 里没有读到证书。请先致电热线核对。',
  clockSkew: '这台电脑的时间和标准时间差了一天以上，不能判断证书是否到期。请先校正电脑时间，再试一次。',
  timeUnchecked:
    '没有连上服务器，核对不了时间，所以不能判断证书是不是到期、能不能更新。请连上网络后重新读取；连不上，请先核对这台电脑的日期和时间。',
  why: {
    noOnlineAuthority: '在线办理现在没有开放。',
    modelStopped: '这种型号的 USBKEY 暂停在线办理。',
    failedRepeatedly: '在线办理接连没有成功。',
    oldCertificateRefused: '旧证书已经不能用来在线申请。',
    expiredTooLong: '过期时间太长，不能在线更新。',
    noRoomOnKey: 'USBKEY 里没有空位，写不进新证书。',
    algorithmUnsupported: '这个 USBKEY 不支持新证书的算法。',
  } as Partial<Record<Reason, string>>,
};
export type StateWords = typeof zh;

const en: StateWords = {
  space: ' ',
  far: (date: string, from: string): string =>
    `The certificate is valid until ${date}; there is nothing to do now. It can be renewed from ${from}.`,
  nothingToDo: 'There is nothing to do now.',
  leftOnline: (n: number): string => `The certificate expires in ${many(n)}; it can be renewed now.`,
  todayOnline: 'The certificate expires today; please renew it now.',
  expiredOnline: (n: number): string =>
    n === 0
      ? 'The certificate expired today; an online renewal may still work.'
      : `The certificate expired ${many(n)} ago; an online renewal may still work.`,
  renewNow: 'The certificate can be renewed now.',
  left: (n: number): string => (n === 0 ? 'The certificate expires today.' : `The certificate expires in ${many(n)}.`),
  expired: (n: number): string =>
    n === 0 ? 'The certificate expired today.' : `The certificate expired ${many(n)} ago.`,
  upgradeOnline: 'This certificate needs the upgrade, which can be done online now.',
  resume: 'The last run was not finished; it can go on where it stopped.',
  locked:
    'The USBKEY is locked and cannot be unlocked online. The certificate has not changed; any service centre can unlock it.',
  lastTry:
    'Only one try is left for the password. If you are not sure of it, do not try: have the USBKEY unlocked at any service centre.',
  renewalOffline: 'There is no network now; it can be renewed once there is.',
  upgradeOffline: 'The certificate needs the upgrade. There is no network now; it can be done once there is.',
  renewAtCentre: 'Please take the USBKEY to any service centre to renew it.',
  upgradeAtCentre: 'Please take the USBKEY to any service centre for the upgrade.',
  atCentre: 'Please take the USBKEY to any service centre.',
  foreign:
    'There is no Tianjin tax certificate on this USBKEY, so this site cannot work on it. Check the USBKEY or call the hot-line.',
  revoked:
    'The authority has revoked this certificate: it cannot be used any more, nor renewed online. Please call the hot-line, or take the USBKEY to any service centre.',
  noCertificate: 'No certificate could be read from the USBKEY. Please call the hot-line first.',
  clockSkew:
    'The clock of this computer is off by more than a day, so nothing can be said about the expiry. Set the clock right and try again.',
  timeUnchecked:
    'No server could be reached to check the time, so it cannot be said whether the certificate has expired or can be renewed yet. Connect to the network and read it again; failing that, check the date and time of this computer.',
  why: {
    noOnlineAuthority: 'Online service is not open now.',
    modelStopped: 'Online service is paused for this model of USBKEY.',
    failedRepeatedly: 'Doing it online has failed repeatedly.',
    oldCertificateRefused: 'The old certificate can no longer be used to apply online.',
    expiredTooLong: 'It expired too long ago to be renewed online.',
    noRoomOnKey: 'There is no room on the USBKEY for a new certificate.',
    algorithmUnsupported: 'This USBKEY does not support the new certificate’s algorithm.',
  },
};
export const stateWords = { 'zh-CN': zh, en };
