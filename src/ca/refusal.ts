import type { FailInfo } from './authority.ts';

/** What an authority's refusal means for the person, coarser than its PKIFailureInfo. */
export type RefusalMeaning =
  /** It cannot answer now: the same again, later. */
  | 'later'
  /** It does not take the certificate on the key: revoked, expired, unknown, or of another authority. */
  | 'certificateNotTaken'
  /** It does not do this for this holder, or not this way. */
  | 'notAllowed'
  /** It has had this request, or this confirmation, before. */
  | 'knownAlready'
  /** The times of this computer and of the authority are too far apart. */
  | 'clock'
  /** It does not take the new key: its proof, its kind, or what was asked for with it. */
  | 'requestNotTaken'
  /** The two sides do not speak alike: a defect, or a wrong configuration, on one of them. */
  | 'technical';

/** In order: where several apply, the first decides. */
const meanings: readonly (readonly [RefusalMeaning, readonly FailInfo[]])[] = [
  ['certificateNotTaken', ['certRevoked', 'badCertId', 'signerNotTrusted']],
  ['notAllowed', ['notAuthorized', 'unacceptedPolicy', 'wrongAuthority']],
  ['knownAlready', ['transactionIdInUse', 'duplicateCertReq', 'certConfirmed']],
  ['clock', ['badTime', 'missingTimeStamp']],
  ['requestNotTaken', ['badPOP', 'badCertTemplate', 'badAlg', 'unacceptedExtension', 'incorrectData']],
];

/** Of the moment alone (RFC 9810 §5.2.3): they say nothing against the request. */
const passing: ReadonlySet<FailInfo> = new Set<FailInfo>(['timeNotAvailable', 'systemUnavail', 'systemFailure']);

/** What a refusal means. Without any reason, or with one that is only about the wire, it is technical. */
export function meaningOf(failInfo: readonly FailInfo[]): RefusalMeaning {
  if (failInfo.length > 0 && failInfo.every((info) => passing.has(info))) return 'later';
  return meanings.find(([, infos]) => infos.some((info) => failInfo.includes(info)))?.[0] ?? 'technical';
}
