import type { RevocationReason } from '../../pki/revocation.ts';
import type { StatusUnknownKind } from '../certificate-status-line.ts';

type ReasonWords = Partial<Record<RevocationReason, string>>;

const zh = {
  asking: '正在向证书机构查询…',
  good: (date: string): string => `没有被吊销（证书机构 ${date} 的记录）`,
  revoked: (date: string, reason: string | undefined): string =>
    `${date} 被证书机构吊销，不能再用${reason === undefined ? '' : `（${reason}）`}`,
  onHold: (date: string): string => `${date} 被证书机构暂停使用`,
  reasons: {
    keyCompromise: '密钥可能已泄露',
    affiliationChanged: '持有人的信息有变更',
    superseded: '已由新的证书代替',
    cessationOfOperation: '已停止使用',
    privilegeWithdrawn: '已收回使用权',
  } as ReasonWords,
  unknown: {
    noAnswer: '没有查到，证书机构没有回应。不影响办理，下次读取时再查。',
    notOffered: '没有查到，这里还不提供查询。不影响办理。',
    notCredible: '没有查到，收到的答复核对不上，没有采信。不影响办理，下次读取时再查。',
    notKnownThere: '没有查到，证书机构的查询服务里没有这张证书。有疑问请致电热线。',
    noIssuer: '没有查到，核对不到本站认可的根证书。有疑问请致电热线。',
  } satisfies Record<StatusUnknownKind, string>,
};
const en: typeof zh = {
  asking: 'Asking the authority…',
  good: (date: string): string => `Not revoked (the authority’s word of ${date})`,
  revoked: (date: string, reason: string | undefined): string =>
    `Revoked by the authority on ${date}; it cannot be used any more${reason === undefined ? '' : ` (${reason})`}`,
  onHold: (date: string): string => `Suspended by the authority on ${date}`,
  reasons: {
    keyCompromise: 'the key may have leaked',
    affiliationChanged: 'the holder’s details have changed',
    superseded: 'replaced by a new certificate',
    cessationOfOperation: 'no longer in use',
    privilegeWithdrawn: 'the right to use it was withdrawn',
  },
  unknown: {
    noAnswer: 'Not known: the authority did not answer. You can go on; it is asked again with the next reading.',
    notOffered: 'Not known: it cannot be asked here yet. You can go on.',
    notCredible:
      'Not known: the answer could not be verified and was not taken. You can go on; it is asked again with the next reading.',
    notKnownThere: 'Not known: the authority’s service has no such certificate. If in doubt, call the hot-line.',
    noIssuer: 'Not known: the certificate leads to no root this site trusts. If in doubt, call the hot-line.',
  },
};
export type StatusWords = typeof zh;
export const certificateStatusWords = { 'zh-CN': zh, en };
