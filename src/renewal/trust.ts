import type { Certificate } from '../pki/certificate.ts';

/** Whose certificates this site works with: from the operator's configuration. */
export interface Trust {
  /** Pinned roots: DER. */
  readonly anchors: readonly Uint8Array[];
  /** Issuing authorities for path building: DER, untrusted by themselves. */
  readonly intermediates: readonly Uint8Array[];
  /** Those of the anchors whose certificates are to be upgraded: DER. */
  readonly oldIssuers: readonly Uint8Array[];
  /** Subject attributes that may carry the taxpayer number, by object identifier, in order of preference. */
  readonly taxpayerNumberTypes: readonly string[];
}

/** The holder's taxpayer number, or undefined where the subject carries none under the configured attributes. */
export function taxpayerNumber(certificate: Certificate, trust: Trust): string | undefined {
  for (const type of trust.taxpayerNumberTypes) {
    const found = certificate.subject.attributes.find((attribute) => attribute.type === type);
    if (found) return found.value;
  }
  return undefined;
}

/** The holder's name: the subject's last common name (2.5.4.3), else its organisation (2.5.4.10). */
export function holderName(certificate: Certificate): string | undefined {
  const last = (type: string): string | undefined =>
    certificate.subject.attributes.findLast((attribute) => attribute.type === type)?.value;
  return last('2.5.4.3') ?? last('2.5.4.10');
}
