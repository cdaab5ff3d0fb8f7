import type { Policy } from '../../src/service/config.ts';

/** The reference CA's policy as the page reads it; encryption certificates are for those situations that ask for them. */
export const policy: Policy = {
  windowDays: 60,
  upgradeCutoff: new Date('2018-09-18T00:00:00+08:00'),
  maxExpiredDays: null,
  acceptsExpiredSigner: true,
  enrolment: 'open',
  retransmission: 'idempotent',
  upgradePlan: { newKey: true, algorithm: 'sm2' },
  renewalAlgorithm: 'sameAsOld',
  minSecurityBits: 112,
  encryptionCertificate: 'none',
  models: [],
  maxLifeDays: 1830,
};
