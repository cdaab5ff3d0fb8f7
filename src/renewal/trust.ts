import type { Certificate } from '../pki/certificate.ts';

/** Whose certificates this site works with, and what they look like: from the operator's configuration. */
export interface Trust {
  /** Pinned roots: DER. */
  readonly anchors: readonly Uint8Array[];
  /** Issuing authorities for path building: DER, untrusted by themselves. */
  readonly intermediates: readonly Uint8Array[];
  /** Those of the anchors whose certificates are to be upgraded: DER. */
  readonly oldIssuers: readonly Uint8Array[];
  /** Subject attributes that may carry the taxpayer number, by object identifier, in order of preference. */
  readonly taxpayerNumberTypes: readonly string[];
  /** Finds the taxpayer number inside the common name, as its first group; where no attribute carries one. */
  readonly taxpayerNumberInCommonName?: RegExp | undefined;
  /** How a subject may differ from the one before; not at all without. */
  readonly subjectRules?: SubjectRules | undefined;
  /** Purposes of which a signing certificate must have one, if it names any; `defaultExtendedKeyUsage` without. */
  readonly extendedKeyUsage?: readonly string[] | undefined;
}

/** Attributes of the subject, by object identifier, that an upgrade may change; a renewal changes none. */
export interface SubjectRules {
  /** May have another value, in the same place. */
  readonly mayChange: readonly string[];
  /** May be there where they were not. */
  readonly mayBeAdded: readonly string[];
  /** May be there no more. */
  readonly mayBeRemoved: readonly string[];
}

/** Client authentication (RFC 5280 §4.2.1.12), or any purpose. */
export const defaultExtendedKeyUsage: readonly string[] = ['1.3.6.1.5.5.7.3.2', '2.5.29.37.0'];

const commonName = '2.5.4.3';
/** X.520's upper bound is 64; nobody's expression is let loose on more than this. */
const maxCommonNameLength = 256;

/** The holder's taxpayer number, or undefined where the subject carries none under the configured attributes. */
export function taxpayerNumber(certificate: Certificate, trust: Trust): string | undefined {
  const [first] = taxpayerNumbers(certificate, trust);
  return first;
}

/** Every taxpayer number that a subject carries, the preferred one first. */
export function taxpayerNumbers({ subject }: Certificate, trust: Trust): ReadonlySet<string> {
  const { taxpayerNumberTypes, taxpayerNumberInCommonName } = trust;
  const values = (wanted: string): string[] =>
    subject.attributes.filter(({ type }) => type === wanted).map(({ value }) => value);
  const inCommonNames = values(commonName).flatMap((name) =>
    name.length > maxCommonNameLength ? [] : (taxpayerNumberInCommonName?.exec(name)?.[1] ?? []),
  );
  return new Set([...taxpayerNumberTypes.flatMap(values), ...inCommonNames]);
}

/** The holder's name: the subject's last common name (2.5.4.3), else its organisation (2.5.4.10). */
export function holderName(certificate: Certificate): string | undefined {
  const last = (type: string): string | undefined =>
    certificate.subject.attributes.findLast((attribute) => attribute.type === type)?.value;
  return last(commonName) ?? last('2.5.4.10');
}
