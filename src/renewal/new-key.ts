import type { Certificate } from '../pki/certificate.ts';
import type { Policy } from '../service/config.ts';
import type { KeyPairAlgorithm } from '../usbkey/usbkey.ts';
import type { Purpose } from './journal.ts';

/**
 * The kind of key pair that is to replace the one of a certificate.
 * @returns undefined where it is to stay the same kind, and no key makes that any more
 */
export function newKeyAlgorithm(
  { upgradePlan, renewalAlgorithm }: Pick<Policy, 'upgradePlan' | 'renewalAlgorithm'>,
  purpose: Purpose,
  old: Pick<Certificate, 'keyAlgorithm'>,
): KeyPairAlgorithm | undefined {
  const wanted = purpose === 'upgrade' ? upgradePlan.algorithm : renewalAlgorithm;
  if (wanted !== 'sameAsOld') return wanted;
  switch (old.keyAlgorithm) {
    case 'sm2':
    case 'p256':
      return old.keyAlgorithm;
    case 'rsa':
      return 'rsa2048';
    default:
      return undefined;
  }
}
