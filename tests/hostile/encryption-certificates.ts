import { fromHex, type Bytes } from '../../src/pki/bytes.ts';
import type { Certificate } from '../../src/pki/certificate.ts';
import type { EncryptionAcceptanceFailure } from '../../src/renewal/acceptance-encryption.ts';
import type { Unacceptable } from '../../src/renewal/outcome.ts';
import type { Hierarchy } from '../reference-ca/hierarchy.ts';
import { generateKey } from '../reference-ca/keys.ts';
import { attributeTypes } from '../reference-ca/subject.ts';
import { algorithmNode, authorityConstraints, CertificateDraft, constructed, nullNode } from './certificate-changes.ts';

/*
 * Encryption certificates that are perfect but for one thing, and signed with the authority's own key.
 */

export interface EncryptionKit {
  readonly hierarchy: Hierarchy;
  /** The certificate that is to be replaced, and the new signing certificate. */
  readonly oldCertificate: Certificate;
  readonly signingCertificate: Certificate;
  readonly now: Date;
}

export interface HostileEncryptionCertificate {
  readonly name: string;
  /** By which checks, and no others, it must be stopped beside the right envelope. */
  readonly stoppedBy: readonly EncryptionAcceptanceFailure[];
  /**
   * What stops it where it comes over CMP, which says the public key in the certificate alone: the envelope is read as
   * one for that key, and it is the USBKEY that finds out.
   */
  readonly overCmp?: readonly Unacceptable[];
  /** @param perfect the right certificate, DER */
  readonly make: (perfect: Bytes, kit: EncryptionKit) => Promise<Bytes>;
}

type Change = (draft: CertificateDraft, kit: EncryptionKit) => void | Promise<void>;

const signed = (
  name: string,
  stoppedBy: readonly EncryptionAcceptanceFailure[],
  change: Change,
  overCmp?: readonly Unacceptable[],
): HostileEncryptionCertificate => ({
  name,
  stoppedBy,
  ...(overCmp && { overCmp }),
  make: async (perfect, kit) => {
    const draft = new CertificateDraft(perfect);
    await change(draft, kit);
    return draft.signedAnew(kit.hierarchy.sm2.issuing.key);
  },
});

const ofNobody = (name: string): HostileEncryptionCertificate => ({
  name,
  stoppedBy: ['notChained'],
  make: (perfect, { hierarchy }) => new CertificateDraft(perfect).signedAnew(hierarchy.foreign.issuing.key),
});

const days = (now: Date, count: number): Date => new Date(now.getTime() + count * 86_400_000);

export const hostileEncryptionCertificates: readonly HostileEncryptionCertificate[] = [
  signed(
    'for another key pair than the envelope’s',
    ['otherPublicKey'],
    async (draft) => {
      draft.spki = (await generateKey('sm2')).spki;
    },
    ['notOpened'],
  ),
  signed(
    'for the new signing key',
    ['otherPublicKey', 'sameAsSigningKey'],
    (draft, { signingCertificate }) => {
      draft.spki = signingCertificate.spki;
    },
    ['sameAsSigningKey'],
  ),
  signed(
    'for the old signing key',
    ['otherPublicKey', 'sameAsSigningKey'],
    (draft, { oldCertificate }) => {
      draft.spki = oldCertificate.spki;
    },
    ['sameAsSigningKey'],
  ),
  signed('with another name', ['otherSubject'], (draft) => {
    draft.setSubjectValue(attributeTypes.commonName, '别家商贸');
  }),
  signed('with another taxpayer number', ['otherSubject', 'otherTaxpayerNumber'], (draft) => {
    draft.setSubjectValue(attributeTypes.taxpayerNumber, '91120000MA0000002Y');
  }),
  signed('without the taxpayer number', ['otherSubject', 'otherTaxpayerNumber'], (draft) => {
    draft.removeSubjectValue(attributeTypes.taxpayerNumber);
  }),
  signed('with the signing certificate’s number', ['sameCertificate'], (draft, { signingCertificate }) => {
    draft.serialNumber = fromHex(signingCertificate.serialNumber);
  }),
  signed('with the old certificate’s number', ['sameCertificate'], (draft, { oldCertificate }) => {
    draft.serialNumber = fromHex(oldCertificate.serialNumber);
  }),
  signed('with the number zero', ['badSerialNumber'], (draft) => {
    draft.serialNumber = Uint8Array.of(0);
  }),
  signed('that has ended', ['alreadyExpired'], (draft, { now }) => {
    draft.notBefore = days(now, -30);
    draft.notAfter = days(now, -1);
  }),
  signed('that has not begun', ['notYetValid'], (draft, { now }) => {
    draft.notBefore = days(now, 1);
  }),
  signed('that lives too long', ['livesTooLong'], (draft, { now }) => {
    draft.notAfter = days(now, 1831);
  }),
  signed('that may sign too', ['canSign'], (draft) => {
    draft.setKeyUsage(0b1011_0000);
  }),
  signed('that may bear witness', ['canSign'], (draft) => {
    draft.setKeyUsage(0b0111_0000);
  }),
  signed('for signatures alone', ['cannotEncrypt', 'canSign'], (draft) => {
    draft.setKeyUsage(0b1100_0000);
  }),
  signed('for nothing in particular', ['cannotEncrypt', 'canSign'], (draft) => {
    draft.removeExtension('2.5.29.15');
  }),
  signed('of an authority', ['isAuthority'], (draft) => {
    draft.setExtension('2.5.29.19', true, authorityConstraints);
  }),
  signed('with a critical extension nobody knows', ['unknownExtension', 'notChained'], (draft) => {
    draft.setExtension('1.2.3.4', true, fromHex('0500'));
  }),
  signed('signed with SHA-1', ['weakSignature', 'notChained'], (draft) => {
    draft.signatureAlgorithm = algorithmNode('1.2.840.10045.4.1');
  }),
  signed(
    'whose signature algorithm has parameters',
    ['algorithmParameters'],
    (draft) => {
      draft.signatureAlgorithm = algorithmNode('1.2.156.10197.1.501', constructed(0x30, nullNode()));
    },
    ['noKeyPair'],
  ),
  signed(
    'that is of no version',
    ['notACertificate'],
    (draft) => {
      draft.part(0).parts = [];
    },
    ['noKeyPair'],
  ),
  ofNobody('of an authority that is not pinned'),
];
