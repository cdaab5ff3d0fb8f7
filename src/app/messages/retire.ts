import type { StopReason } from '../../renewal/outcome.ts';
import type { Kept } from '../../renewal/retirement.ts';

const zh = {
  summary: '要不要删除原来的证书？',
  keep: '不用管它就好：原来的证书留着，不影响新的证书。',
  what: '删除后，原来的证书和它的密钥不能恢复。USBKEY 里会多出一个空位，以后更新用得上。',
  when: '请先用新证书登录一次电子税务局，确认可以用，再考虑删除。',
  remove: '删除原来的证书',
  working: '正在核对新证书，并删除原来的证书…',
  workingLong: '还在等 USBKEY 回应。请不要拔出。',
  retired: '原来的证书已删除，新的证书仍在。',
  keptBecause: {
    notFinished: '本机没有这次办理完成的记录，没有删除。',
    otherKey: '这不是刚才的 USBKEY，没有删除。',
    holdsEncryptionKey: '原来的证书带有加密密钥，删除后以前加密的内容会打不开，没有删除。',
    changed: 'USBKEY 里的内容和办理时不一样，没有删除。',
    newNotUsable: '没有读到可用的新证书，没有删除。',
    newKeyFails: '新证书试签没有通过，没有删除。',
    notOurs: '原来的证书不在本站写入的槽位里，可能另有用处，没有删除。',
    notPromoted:
      '新证书还没有换到其他程序查找的位置，现在删除，它们就没有证书可用了。没有删除。请先把新证书换过去，再考虑删除。',
  } as Record<Kept, string>,
  stoppedBecause: {
    locked: 'USBKEY 已锁死，没有删除。请到任意服务中心解锁后再来。',
    modelStopped: '这种型号的 USBKEY，现在暂停写入，没有删除。什么时候恢复，请致电热线。',
  } as Partial<Record<StopReason, string>>,
  stopped: '没有删完。新的证书仍在。请插拔 USBKEY 后再看。',
};
const en: typeof zh = {
  summary: 'Delete the old certificate?',
  keep: 'There is no need to: the old certificate may stay and does not disturb the new one.',
  what: 'Once deleted, the old certificate and its key cannot be brought back. It frees a place on the USBKEY for later renewals.',
  when: 'Log in to the e-tax bureau with the new certificate first; delete the old one only when that works.',
  remove: 'Delete the old certificate',
  working: 'Checking the new certificate and deleting the old one…',
  workingLong: 'Still waiting for the USBKEY. Please leave it in.',
  retired: 'The old certificate is deleted; the new one is in place.',
  keptBecause: {
    notFinished: 'This computer has no record that the renewal was finished. Nothing was deleted.',
    otherKey: 'This is another USBKEY. Nothing was deleted.',
    holdsEncryptionKey:
      'The old certificate has an encryption key; without it, what was encrypted before could not be read. Nothing was deleted.',
    changed: 'The USBKEY holds something else than during the renewal. Nothing was deleted.',
    newNotUsable: 'No usable new certificate was found. Nothing was deleted.',
    newKeyFails: 'The test signature with the new certificate failed. Nothing was deleted.',
    notOurs:
      'The old certificate is in a slot that this site has not filled and may have other uses. Nothing was deleted.',
    notPromoted:
      'The new certificate is not yet where other programs look; without the old one they would find none. Nothing was deleted. Move the new certificate there first.',
  },
  stoppedBecause: {
    locked: 'The USBKEY is locked. Nothing was deleted. Any service centre can unlock it.',
    modelStopped:
      'Writing to this model of USBKEY is suspended. Nothing was deleted. The hot-line knows when it will be back.',
  },
  stopped:
    'The deletion was not finished. The new certificate is in place. Unplug the USBKEY, plug it in and look again.',
};
export const retire = { 'zh-CN': zh, en };
