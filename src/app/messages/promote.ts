import type { StopReason } from '../../renewal/outcome.ts';
import type { Stays } from '../../renewal/promotion.ts';

const zh = {
  summary: '要不要让其他程序也找到新证书？',
  where: (slot: string): string => `这张证书在 ${slot} 号槽里。本站找得到它；其他程序一般只看 9A 和 9C，`,
  another: '找到的还是原来的证书。',
  none: '在那里现在找不到可用的证书。',
  defaultManagementKey:
    '这个 USBKEY 的管理密钥还是出厂时的，人人都知道，谁拿到它都能往里写。证书不受影响。请让发放 USBKEY 的单位换掉；本站不会替您改。',
  keep: '只在本站使用的，不用管它。',
  what: (slot: string): string => `可以把新证书换到 ${slot} 号槽，原来的证书移到另一个空槽里，不会删除。`,
  move: (slot: string): string => `把新证书换到 ${slot} 号槽`,
  working: '正在核对新证书，并调换位置…',
  workingLong: '还在等 USBKEY 写完。请不要拔出。',
  promoted: (slot: string): string => `新证书已换到 ${slot} 号槽，原来的证书移到了另一个槽里，两张都在。`,
  replug: '请把 USBKEY 拔下再插一次，让其他程序认到新证书。',
  staysBecause: {
    notFinished: '本机没有这次办理完成的记录，没有调换。',
    otherKey: '这不是刚才的 USBKEY，没有调换。',
    newNotUsable: '没有读到可用的新证书，没有调换。',
    newKeyFails: '新证书试签没有通过，没有调换。',
    unsupported: '这个 USBKEY 不能调换位置。两张证书都在原处。',
    noRoom: 'USBKEY 里没有第二个空槽，没有调换。两张证书都在原处。',
    changed: 'USBKEY 里的内容和办理时不一样，已经停下。请插拔 USBKEY 后再看。',
    impossible: '没有找到可以对调的两张证书和它们的密钥，不能调换。什么都没有删除。其他程序要用新证书，请致电热线。',
  } as Record<Stays, string>,
  stoppedBecause: {
    managementKeyNeeded: '管理密钥没有核对通过，这次没有调换。两张证书都在 USBKEY 里。问到管理密钥后，可以再点一次。',
    locked: 'USBKEY 已锁死，这次没有调换。两张证书都在 USBKEY 里。请到任意服务中心解锁后再来。',
    modelStopped: '这种型号的 USBKEY，现在暂停写入，没有调换。两张证书都在原处。什么时候恢复，请致电热线。',
  } as Partial<Record<StopReason, string>>,
  stopped: '没有换完。两张证书都在 USBKEY 里。请插拔 USBKEY，回到这里再点一次，会接着换完。',
  again: '接着换完',
};
const en: typeof zh = {
  summary: 'Should other programs find the new certificate too?',
  where: (slot) =>
    `This certificate is in slot ${slot}. This site finds it there; other programs usually look into 9A and 9C only, `,
  another: 'and find the old one.',
  none: 'and find no usable certificate there now.',
  defaultManagementKey:
    'The management key of this USBKEY is still the one it was delivered with, which is public: whoever holds the USBKEY can write to it. The certificate is not affected. Ask whoever handed it out to change the key; this site does not.',
  keep: ' If it is used on this site only, leave it.',
  what: (slot) =>
    `The new certificate can be moved to slot ${slot} and the old one to another free slot; nothing is deleted.`,
  move: (slot) => `Move the new certificate to slot ${slot}`,
  working: 'Checking the new certificate and changing places…',
  workingLong: 'Still waiting for the USBKEY to finish writing. Please leave it in.',
  promoted: (slot) =>
    `The new certificate is in slot ${slot} now, the old one in another slot. Both are on the USBKEY.`,
  replug: 'Unplug the USBKEY and plug it in once more, so that other programs find the new certificate.',
  staysBecause: {
    notFinished: 'This computer has no record that the renewal was finished. Nothing was moved.',
    otherKey: 'This is another USBKEY. Nothing was moved.',
    newNotUsable: 'No usable new certificate was found. Nothing was moved.',
    newKeyFails: 'The test signature with the new certificate failed. Nothing was moved.',
    unsupported: 'This USBKEY cannot change places. Both certificates are where they were.',
    noRoom: 'There is no second free slot on the USBKEY. Both certificates are where they were.',
    changed: 'The USBKEY holds something else than during the renewal, so the work stopped. Unplug it and look again.',
    impossible:
      'The two certificates with their keys are not where they could change places. Nothing was deleted. If other programs need the new one, call the hot-line.',
  },
  stoppedBecause: {
    managementKeyNeeded:
      'The management key was not confirmed, so nothing was moved this time. Both certificates are on the USBKEY. Press again once you have it.',
    locked:
      'The USBKEY is locked, so nothing was moved this time. Both certificates are on it. Any service centre can unlock it.',
    modelStopped:
      'Writing to this model of USBKEY is suspended. Nothing was moved; both certificates are where they were. The hot-line knows when it will be back.',
  },
  stopped:
    'The move was not finished. Both certificates are on the USBKEY. Unplug it, plug it in, come back here and press again to finish.',
  again: 'Finish the move',
};
export const promote = { 'zh-CN': zh, en };
