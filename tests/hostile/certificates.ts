import { createSign } from 'node:crypto';
import { fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import type { AcceptanceFailure } from '../../src/renewal/acceptance.ts';
import { readTree, writeTree } from '../fuzz/der-tree.ts';
import type { Authority, Hierarchy } from '../reference-ca/hierarchy.ts';
import { keyIdentifier } from '../reference-ca/issue.ts';
import { generateKey } from '../reference-ca/keys.ts';
import { attributeTypes } from '../reference-ca/subject.ts';
import {
  algorithmNode,
  authorityConstraints,
  CertificateDraft,
  constructed,
  nullNode,
  primitive,
} from './certificate-changes.ts';

/*
 * What an authority that has turned against its holders could send: certificates that are perfect but for one thing, and
 * signed with the authority's own keys.
 */

export interface HostileKit {
  readonly hierarchy: Hierarchy;
  /** The certificate that is to be replaced. */
  readonly oldCertificate: Certificate;
  readonly now: Date;
}

export interface HostileCertificate {
  readonly name: string;
  /** By which checks a renewal of an SM2 certificate, and nothing else, must stop it. */
  readonly stoppedBy: readonly AcceptanceFailure[];
  /** @param perfect the right certificate, DER */
  readonly make: (perfect: Bytes, kit: HostileKit) => Promise<Bytes>;
}

const dayMs = 86_400_000;
const from = (now: Date, days: number): Date => new Date(now.getTime() + days * dayMs);

type Change = (draft: CertificateDraft, kit: HostileKit) => void | Promise<void>;

/** Signed by the authority that issued the perfect one. */
const signed = (name: string, stoppedBy: readonly AcceptanceFailure[], change: Change): HostileCertificate => ({
  name,
  stoppedBy,
  make: async (perfect, kit) => {
    const draft = new CertificateDraft(perfect);
    await change(draft, kit);
    return draft.signedAnew(issuerOf(perfect, kit.hierarchy).issuing.key);
  },
});

/** Signed by whom it makes out to be from, or by nobody of that name. */
const made = (
  name: string,
  stoppedBy: readonly AcceptanceFailure[],
  make: HostileCertificate['make'],
): HostileCertificate => ({ name, stoppedBy, make });

/** Bytes that no signature makes a certificate. */
const bytes = (
  name: string,
  stoppedBy: readonly AcceptanceFailure[],
  make: (perfect: Bytes) => Bytes,
): HostileCertificate => ({ name, stoppedBy, make: (perfect) => Promise.resolve(make(perfect)) });

function issuerOf(der: Uint8Array, hierarchy: Hierarchy): Authority {
  const { authorityKeyIdentifier } = parseCertificate(der);
  const issuer = Object.values(hierarchy).find(({ issuing }) =>
    issuing.keyIdentifier.every((byte, index) => byte === authorityKeyIdentifier?.[index]),
  );
  if (!issuer) throw new RangeError('a certificate of no authority here');
  return issuer;
}

const algorithms = {
  sm2WithSm3: '1.2.156.10197.1.501',
  md5WithRsa: '1.2.840.113549.1.1.4',
  sha1WithRsa: '1.2.840.113549.1.1.5',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/** The name, key identifier and signature algorithm of another authority. */
function underAuthority(draft: CertificateDraft, { issuing }: Authority, algorithm: string): void {
  draft.replace(3, readTree(issuing.subject));
  const identifier = constructed(0x30, primitive(0x80, keyIdentifier(issuing.key.spki)));
  draft.setExtension('2.5.29.35', false, writeTree(identifier));
  draft.signatureAlgorithm = algorithmNode(algorithm, ...(algorithm === algorithms.sm2WithSm3 ? [] : [nullNode()]));
}

const days = (draft: CertificateDraft, now: Date, begins: number, ends: number): void => {
  draft.notBefore = from(now, begins);
  draft.notAfter = from(now, ends);
};

/** All of them are DER; what is not does not get through a CMP message. */
export const hostileCertificates: readonly HostileCertificate[] = [
  signed('for a key pair that is not on the USBKEY', ['otherPublicKey'], async (draft) => {
    draft.spki = (await generateKey('sm2')).spki;
  }),
  signed('for the old key pair', ['otherPublicKey'], (draft, { oldCertificate }) => {
    draft.spki = oldCertificate.spki;
  }),
  signed('with somebody else’s name', ['otherSubject'], (draft) => {
    draft.setSubjectValue(attributeTypes.commonName, '别家商贸有限公司');
  }),
  signed('with a relative name more', ['otherSubject'], (draft) => {
    draft.addSubjectValue(attributeTypes.organizationalUnit, '财务部');
  }),
  signed('with a relative name less', ['otherSubject'], (draft) => {
    draft.removeSubjectValue(attributeTypes.organizationalUnit);
  }),
  signed('with its relative names in another order', ['otherSubject'], (draft) => {
    draft.relativeNames.reverse();
  }),
  signed('with two relative names made one', ['otherSubject'], (draft) => {
    const [first, second] = draft.relativeNames.splice(0, 2);
    draft.relativeNames.unshift(constructed(0x31, ...(first?.parts ?? []), ...(second?.parts ?? [])));
  }),
  signed('with another taxpayer number', ['otherSubject', 'otherTaxpayerNumber'], (draft) => {
    draft.setSubjectValue(attributeTypes.taxpayerNumber, '91120000MA0000002Y');
  }),
  signed('without the taxpayer number', ['otherSubject', 'otherTaxpayerNumber'], (draft) => {
    draft.removeSubjectValue(attributeTypes.taxpayerNumber);
  }),
  signed('with a second taxpayer number', ['otherSubject', 'otherTaxpayerNumber'], (draft) => {
    draft.addSubjectValue(attributeTypes.oldTaxpayerNumber, '91120000MA0000002Y');
  }),
  made('signed with SHA-1', ['weakSignature', 'notChained'], (perfect, { hierarchy }) =>
    rsaSigned(perfect, hierarchy.oldRsa, algorithms.sha1WithRsa, 'RSA-SHA1'),
  ),
  made('signed with MD5', ['weakSignature', 'notChained'], (perfect, { hierarchy }) =>
    rsaSigned(perfect, hierarchy.oldRsa, algorithms.md5WithRsa, 'RSA-MD5'),
  ),
  signed('with the serial number of the old one', ['sameCertificate'], (draft, { oldCertificate }) => {
    draft.serialNumber = fromHex(oldCertificate.serialNumber);
  }),
  made('that is the old one', ['otherPublicKey', 'sameCertificate', 'notLonger'], (_perfect, { oldCertificate }) =>
    Promise.resolve(oldCertificate.der),
  ),
  signed('with the serial number zero', ['badSerialNumber'], (draft) => {
    draft.serialNumber = Uint8Array.of(0);
  }),
  signed('with a negative serial number', ['badSerialNumber'], (draft) => {
    draft.serialNumber = Uint8Array.of(0x80, 1);
  }),
  signed('with a serial number of 21 octets', ['badSerialNumber'], (draft) => {
    draft.serialNumber = new Uint8Array(21).fill(0x55);
  }),
  signed('that ends with the old one', ['notLonger'], (draft, { oldCertificate }) => {
    draft.notAfter = oldCertificate.notAfter;
  }),
  signed('that has ended', ['notLonger', 'alreadyExpired'], (draft, { now }) => {
    days(draft, now, -30, -1);
  }),
  signed('that has not begun', ['notYetValid'], (draft, { now }) => {
    days(draft, now, 1, 395);
  }),
  signed('that lives too long', ['livesTooLong'], (draft, { now }) => {
    days(draft, now, -1, 1830);
  }),
  signed('that ends before it begins', ['notYetValid', 'livesTooLong', 'notChained'], (draft, { now }) => {
    days(draft, now, 395, 300);
  }),
  signed('that may not sign', ['cannotSign'], (draft) => {
    draft.setKeyUsage(0b0011_0000);
  }),
  signed('that does not say what it may do', ['cannotSign'], (draft) => {
    draft.removeExtension('2.5.29.15');
  }),
  signed('for servers alone', ['otherPurpose'], (draft) => {
    draft.setExtension('2.5.29.37', false, fromHex('300a06082b06010505070301'));
  }),
  signed('that makes the holder an authority', ['isAuthority'], (draft) => {
    draft.setExtension('2.5.29.19', true, authorityConstraints);
  }),
  signed('that lets the holder sign certificates', ['isAuthority'], (draft) => {
    draft.setKeyUsage(0b1100_0100);
  }),
  signed('that lets the holder sign revocation lists', ['isAuthority'], (draft) => {
    draft.setKeyUsage(0b1100_0010);
  }),
  signed('with a critical extension nobody knows', ['unknownExtension', 'notChained'], (draft) => {
    draft.setExtension('1.2.3.4', true, fromHex('0500'));
  }),
  made('signed by somebody else', ['notChained'], async (perfect) =>
    new CertificateDraft(perfect).signedAnew(await generateKey('sm2')),
  ),
  made('of an authority that is not pinned', ['notChained'], (perfect, { hierarchy: { foreign } }) => {
    const draft = new CertificateDraft(perfect);
    underAuthority(draft, foreign, algorithms.sm2WithSm3);
    return draft.signedAnew(foreign.issuing.key);
  }),
  made('of an authority that is to be left behind', ['oldIssuer'], (perfect, { hierarchy: { oldRsa } }) => {
    const draft = new CertificateDraft(perfect);
    underAuthority(draft, oldRsa, algorithms.sha256WithRsa);
    return draft.signedAnew(oldRsa.issuing.key);
  }),
  signed('whose signature algorithm has parameters', ['algorithmParameters'], (draft) => {
    draft.signatureAlgorithm = algorithmNode(algorithms.sm2WithSm3, constructed(0x30, nullNode()));
  }),
  signed('with an extension twice', ['notACertificate'], (draft) => {
    draft.extensions.push(...draft.extensions.slice(0, 1));
  }),
  signed('of a version that has no extensions', ['notACertificate'], (draft) => {
    draft.part(0).parts = [primitive(0x02, Uint8Array.of(1))];
  }),
  bytes('that is none', ['notACertificate'], () => Uint8Array.of(0x30, 3, 2, 1, 0)),
];

/** What is no DER of 64 KiB and depth 32 at most. */
export const hostileBytes: readonly HostileCertificate[] = [
  bytes('that is nothing', ['notDer'], () => new Uint8Array()),
  bytes('in PEM', ['notDer'], () => new TextEncoder().encode('-----BEGIN CERTIFICATE-----')),
  bytes('that is cut short', ['notDer'], (perfect) => perfect.slice(0, -1)),
  bytes('with a byte after it', ['notDer'], (perfect) => Uint8Array.of(...perfect, 0)),
  bytes('with a length in more bytes than needed', ['notDer'], (perfect) =>
    Uint8Array.of(0x30, 0x83, 0, ...perfect.subarray(2)),
  ),
  bytes('longer than 64 KiB', ['notDer'], (perfect) => {
    const draft = new CertificateDraft(perfect);
    draft.setExtension('1.2.3.4', false, new Uint8Array(65_536));
    return writeTree(draft.certificate);
  }),
  bytes('nested deeper than 32', ['notDer'], () => {
    let node = nullNode();
    for (let depth = 0; depth < 40; depth += 1) node = constructed(0x30, node);
    return writeTree(node);
  }),
];

async function rsaSigned(perfect: Bytes, authority: Authority, algorithm: string, name: string): Promise<Bytes> {
  const draft = new CertificateDraft(perfect);
  underAuthority(draft, authority, algorithm);
  const { key } = authority.issuing;
  const sign = (message: Uint8Array): Promise<Bytes> => {
    const signer = createSign(name).update(message);
    return Promise.resolve(
      new Uint8Array(signer.sign({ key: Buffer.from(key.privateKey), format: 'der', type: 'pkcs8' })),
    );
  };
  return draft.signedAnew({ ...key, sign });
}
