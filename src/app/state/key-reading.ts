import type { Certificate } from '../../pki/certificate.ts';
import { findModel, type Enrolment } from '../../device/models.ts';
import { activeUnlessRevoked } from '../../renewal/active-certificate.ts';
import { enrolmentMode } from '../../renewal/enrolment.ts';
import { indexedDbJournal } from '../../renewal/indexeddb-journal.ts';
import type { JournalRecord } from '../../renewal/journal.ts';
import { readKeyContents, type KeyContents } from '../../renewal/key-contents.ts';
import { recommend, type EnvironmentTrouble, type Recommendation } from '../../renewal/recommend.ts';
import { holderName, type Trust } from '../../renewal/trust.ts';
import { clock } from '../../service/clock.ts';
import { loadConfig, loadPolicy, type Config, type Policy } from '../../service/config.ts';
import { saveLastReading } from '../../storage/last-reading.ts';
import type { AttachedKey } from '../../usbkey/connect.ts';
import type { UsbKey } from '../../usbkey/usbkey.ts';
import { saveKeySummary } from './key-summary.ts';
import { HeldBack } from './key-trouble.ts';
import { kiosk } from './kiosk.ts';
import { recommendInput, recommendPolicy } from './recommend-input.ts';

/** Everything read from a key, and what follows from it. */
export interface Reading {
  readonly contents: KeyContents;
  readonly attached: AttachedKey;
  readonly keyName: string;
  readonly config: Config;
  /** Undefined where the operator could not be asked. */
  readonly policy: Policy | undefined;
  readonly trust: Trust;
  readonly windowDays: number;
  readonly recommendation: Recommendation;
  /** What may be done with a key of this model and firmware. Never `off`: such a key is not read. */
  readonly enrolment: Enrolment;
  readonly readAt: Date;
  /** The browser would not keep it for the next visit: forbidden, or full. */
  readonly notKept: boolean;
}

const longestSkewMs = 24 * 3_600_000;

export const trustOf = ({
  anchors,
  intermediates,
  oldIssuers,
  holder: { taxpayerNumber, taxpayerNumberInCommonName },
  subjectRules,
  extendedKeyUsage,
}: Config): Trust => ({
  anchors,
  intermediates,
  oldIssuers,
  taxpayerNumberTypes: taxpayerNumber,
  taxpayerNumberInCommonName,
  subjectRules,
  extendedKeyUsage,
});

/** What the operator says today. */
export interface OperatorsWord {
  readonly config: Config;
  readonly policy: Policy | undefined;
}

/** @throws ServiceError when there is no configuration, not even a copy */
export async function askOperator(): Promise<OperatorsWord> {
  const config = await loadConfig();
  return { config, policy: await loadPolicy(config).catch(() => undefined) };
}

/** @throws HeldBack when nothing is to be done with the key */
function enrolmentOf({ vendorId, productId }: AttachedKey, firmwareVersion: string, policy: Policy | undefined) {
  const model = findModel(vendorId, productId);
  const mode = enrolmentMode({ vendorId, productId, model, firmwareVersion, policy });
  if (mode === 'off') throw new HeldBack('this model is stopped');
  return mode;
}

/** Before a key is opened its firmware is not known: only rules for all of its model count. @throws HeldBack */
export function mayOpen(attached: AttachedKey, { policy }: OperatorsWord): void {
  const models = policy?.models.filter(({ firmware }) => firmware === undefined) ?? [];
  enrolmentOf(attached, '', policy && { ...policy, models });
}

/** What the person has said, and the authority, since this page was opened, by the serial number of the key. */
export interface Marks {
  readonly oldCertificateRefused: (serialNumber: string) => boolean;
  readonly lastTryConfirmed: (serialNumber: string) => boolean;
  readonly isRevoked: (certificate: Certificate) => boolean;
}

/** Reads an open key and judges what is on it. @throws TransportError, KeyError, HeldBack */
export async function readKey(
  key: UsbKey,
  attached: AttachedKey,
  { config, policy }: OperatorsWord,
  marks: Marks,
): Promise<Reading> {
  const trust = trustOf(config);
  const now = clock.now();
  const found = await readKeyContents(key, trust, now);
  const { serialNumber, firmwareVersion } = found.info;
  const enrolment = enrolmentOf(attached, firmwareVersion, policy);
  // A browser without storage has no journal: reading still works, renewing will say why it does not begin.
  const records = await indexedDbJournal.ofKey(serialNumber).catch((): JournalRecord[] => []);
  // What an unfinished or failed run has written does not count: the certificate before it does.
  const unconfirmed = records.filter(({ stage }) => stage !== 'done').map(({ newContainer }) => newContainer);
  const { active, isRevoked } = activeUnlessRevoked(found.certificates, now, unconfirmed, marks.isRevoked);
  const contents = { ...found, active };
  const environment: EnvironmentTrouble[] = [];
  if (!navigator.onLine || !policy) environment.push('offline');
  if (Math.abs(clock.skewMs ?? 0) > longestSkewMs) environment.push('clockSkew');
  const rules = recommendPolicy(config, policy);
  const recommendation = recommend(
    recommendInput({
      contents,
      records,
      config,
      policy,
      environment,
      oldCertificateRefused: marks.oldCertificateRefused(serialNumber),
      lastTryConfirmed: marks.lastTryConfirmed(serialNumber),
      revoked: isRevoked,
      enrolment,
      timeIsKnown: clock.known,
      now,
    }),
    rules,
    now,
  );
  const keyName = contents.info.label || attached.productName;
  const notKept = !(await keepReading(contents, keyName, recommendation, now));
  const { windowDays } = rules;
  return {
    ...{ contents, attached, keyName, config, policy, trust, windowDays, recommendation, enrolment },
    ...{ readAt: now, notKept },
  };
}

/** For the next visit without a key. @returns false where the browser would not keep it, which is no trouble */
async function keepReading(
  { active, info }: KeyContents,
  keyName: string,
  { followUps, action }: Recommendation,
  now: Date,
): Promise<boolean> {
  if (!active || kiosk) return true;
  const { der, notAfter } = active.certificate;
  const needUpgrade = action === 'onlineUpgrade' || followUps.includes('upgrade');
  saveKeySummary({ notAfter: notAfter.getTime(), readAt: now.getTime(), needUpgrade });
  const reading = { keySerialNumber: info.serialNumber, readAt: now.getTime(), certificate: der, keyName };
  return saveLastReading(reading).then(
    () => true,
    () => false,
  );
}

/** What tells one of several keys from the others. */
export interface KeyFacts {
  readonly serialNumber: string;
  readonly holder: string | undefined;
  /** Undefined where there is no certificate. */
  readonly notAfter: Date | undefined;
}

/** @throws TransportError, KeyError */
export async function readKeyFacts(key: UsbKey, config: Config): Promise<KeyFacts> {
  const { info, active } = await readKeyContents(key, trustOf(config), clock.now());
  const certificate = active?.certificate;
  return {
    serialNumber: info.serialNumber,
    holder: certificate && holderName(certificate),
    notAfter: certificate?.notAfter,
  };
}
