import { guideNumbers } from '../../guidance/rules.ts';
import type { Enrolment } from '../../device/models.ts';
import type { JournalRecord } from '../../renewal/journal.ts';
import type { CertificateOnKey, KeyContents } from '../../renewal/key-contents.ts';
import type { CertificateFacts, EnvironmentTrouble, RecommendInput, RecommendPolicy } from '../../renewal/recommend.ts';
import { isRolledOut } from '../../renewal/rollout.ts';
import type { Config, Policy } from '../../service/config.ts';
import type { KeyPairAlgorithm } from '../../usbkey/usbkey.ts';

const dayMs = 86_400_000;

/** What was found out, on the key, in the journal and from the operator. */
export interface Findings {
  readonly contents: KeyContents;
  /** All records of this key, newest first. */
  readonly records: readonly JournalRecord[];
  readonly config: Config;
  /** Undefined where the operator could not be asked. */
  readonly policy: Policy | undefined;
  readonly environment: readonly EnvironmentTrouble[];
  /** The authority has turned the old certificate away since this page was opened. */
  readonly oldCertificateRefused: boolean;
  readonly lastTryConfirmed: boolean;
  /** The authority has taken the active certificate back, as far as is known. */
  readonly revoked?: boolean;
  /** What may be done with this key; all of it where left out. */
  readonly enrolment?: Enrolment;
  /** A server has said what time it is; taken to be so where left out. */
  readonly timeIsKnown?: boolean;
  readonly now: Date;
}

export const recommendPolicy = (config: Config, policy: Policy | undefined): RecommendPolicy => ({
  upgradeCutoff: policy?.upgradeCutoff ?? guideNumbers.upgradeCutoff,
  windowDays: policy?.windowDays ?? guideNumbers.renewalWindowDays,
  maxExpiredDays: policy?.maxExpiredDays ?? null,
  hasOnlineCa: config.ca !== null && policy?.enrolment !== 'closed',
  acceptsExpiredSigner: policy?.acceptsExpiredSigner ?? null,
});

/** Where the operator cannot be asked: the guide's own numbers. */
export const guideOnlyPolicy: RecommendPolicy = {
  upgradeCutoff: guideNumbers.upgradeCutoff,
  windowDays: guideNumbers.renewalWindowDays,
  maxExpiredDays: null,
  hasOnlineCa: true,
  acceptsExpiredSigner: null,
};

/** The decision table's input for a key that has been read. */
export function recommendInput(findings: Findings): RecommendInput {
  const { contents, records, policy, environment, now } = findings;
  const { info, active, tries, containers, application } = contents;
  const used = containers.filter(({ ref }) => ref.application === application).length;
  const open = records.find(({ stage }) => stage !== 'ended' && stage !== 'done');
  return {
    everIssued: contents.certificates.length > 0 ? 'yes' : 'unknown',
    tokenPhysical: 'ok',
    environment,
    cannotChangeEnvironment: false,
    token: 'ready',
    keySerialNumber: info.serialNumber,
    password: tries?.remaining === 0 ? 'locked' : tries?.remaining === 1 ? 'lastTry' : 'unknown',
    lastTryConfirmed: findings.lastTryConfirmed,
    certificate: facts(contents),
    certificateStatus: findings.revoked === true ? 'revoked' : 'unknown',
    keyHasRoom: info.maxContainers === undefined || used < info.maxContainers,
    targetAlgorithmSupported: !active || !policy || targets(active, policy).every((one) => supported(contents, one)),
    pending: open && { purpose: open.purpose, stage: open.stage, keySerialNumber: open.keySerialNumber },
    onlineFailures: failuresInARow(records, now),
    oldCertificateRefused: findings.oldCertificateRefused,
    notRolledOut: !isRolledOut(info.serialNumber, policy?.rolloutPercent),
    modelStopped: findings.enrolment !== undefined && findings.enrolment !== 'on',
    timeIsKnown: findings.timeIsKnown ?? true,
  };
}

function facts({ active, certificates }: KeyContents): CertificateFacts {
  if (!active || active.generation === 'foreign')
    return { state: certificates.some(({ generation }) => generation === 'foreign') ? 'foreign' : 'none' };
  const { notBefore, notAfter } = active.certificate;
  return { state: 'present', notBefore, notAfter, issuerGeneration: active.generation };
}

/** The key pair that the due action would ask for; undefined for one no key of ours makes. */
function targets({ generation, certificate }: CertificateOnKey, policy: Policy): (KeyPairAlgorithm | undefined)[] {
  const upgrade = generation === 'old' || (generation === 'unknown' && certificate.notBefore < policy.upgradeCutoff);
  if (upgrade) return [policy.upgradePlan.algorithm];
  if (policy.renewalAlgorithm !== 'sameAsOld') return [policy.renewalAlgorithm];
  const { keyAlgorithm } = certificate;
  return [keyAlgorithm === 'rsa' ? 'rsa2048' : keyAlgorithm === 'p384' ? undefined : keyAlgorithm];
}

const supported = ({ info }: KeyContents, algorithm: KeyPairAlgorithm | undefined): boolean =>
  algorithm !== undefined && info.algorithms.includes(algorithm);

function failuresInARow(records: readonly JournalRecord[], now: Date): number {
  const since = now.getTime() - dayMs;
  const recent = records.filter(({ updatedAt }) => updatedAt >= since);
  const success = recent.findIndex(({ stage }) => stage === 'done');
  return recent.slice(0, success === -1 ? undefined : success).filter(({ stage }) => stage === 'ended').length;
}
