import { concat, fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { certificateTime, encode, oid } from '../../src/pki/der.ts';
import { copyTree, partOf, readTree, writeTree, type DerNode } from '../fuzz/der-tree.ts';
import type { SoftwareKey } from '../reference-ca/keys.ts';

/*
 * Changes of one field of a certificate that is otherwise perfect. `signedAnew` signs what came of it with an authority's
 * own key: nothing but the change itself can be held against it.
 */

/** What a change may touch: the parts of a Certificate (RFC 5280 §4.1). */
export class CertificateDraft {
  readonly certificate: DerNode;

  constructor(der: Uint8Array) {
    this.certificate = readTree(new Uint8Array(der));
  }

  /** A part of TBSCertificate: 0 version, 1 serial number, 2 signature, 3 issuer, 4 validity, 5 subject, 6 key, 7 extensions. */
  part(index: number): DerNode {
    return partOf(this.certificate, 0, index);
  }

  replace(index: number, node: DerNode): void {
    (partOf(this.certificate, 0).parts ??= [])[index] = node;
  }

  set spki(der: Uint8Array) {
    this.replace(6, readTree(new Uint8Array(der)));
  }

  set serialNumber(content: Uint8Array) {
    this.replace(1, primitive(0x02, content));
  }

  set notBefore(date: Date) {
    (this.part(4).parts ??= [])[0] = readTree(encode(certificateTime(date)));
  }

  set notAfter(date: Date) {
    (this.part(4).parts ??= [])[1] = readTree(encode(certificateTime(date)));
  }

  /** AlgorithmIdentifier, inside and outside what is signed. */
  set signatureAlgorithm(node: DerNode) {
    this.replace(2, node);
    (this.certificate.parts ??= [])[1] = copyTree(node);
  }

  get relativeNames(): DerNode[] {
    return (this.part(5).parts ??= []);
  }

  /** Of the relative name with an attribute of this type, its value as UTF8String. */
  setSubjectValue(type: string, value: string): void {
    const attribute = this.relativeNames
      .map((relative) => partOf(relative, 0))
      .find((one) => sameBytes(partOf(one, 0).content, oidContent(type)));
    if (!attribute) throw new RangeError(`no ${type} in the subject`);
    (attribute.parts ??= [])[1] = primitive(0x0c, new TextEncoder().encode(value));
  }

  addSubjectValue(type: string, value: string): void {
    const attribute = constructed(
      0x30,
      primitive(0x06, oidContent(type)),
      primitive(0x0c, new TextEncoder().encode(value)),
    );
    this.relativeNames.push(constructed(0x31, attribute));
  }

  removeSubjectValue(type: string): void {
    const names = this.relativeNames;
    const at = names.findIndex((relative) => sameBytes(partOf(relative, 0, 0).content, oidContent(type)));
    if (at < 0) throw new RangeError(`no ${type} in the subject`);
    names.splice(at, 1);
  }

  get extensions(): DerNode[] {
    return (partOf(this.part(7), 0).parts ??= []);
  }

  removeExtension(type: string): void {
    const list = this.extensions;
    const at = list.findIndex((one) => sameBytes(partOf(one, 0).content, oidContent(type)));
    if (at >= 0) list.splice(at, 1);
  }

  /** @param value DER */
  setExtension(type: string, critical: boolean, value: Uint8Array): void {
    this.removeExtension(type);
    this.extensions.push(
      constructed(
        0x30,
        primitive(0x06, oidContent(type)),
        ...(critical ? [primitive(0x01, Uint8Array.of(0xff))] : []),
        primitive(0x04, value),
      ),
    );
  }

  /** @param bits of KeyUsage (RFC 5280 §4.2.1.3), the first the highest of the octet */
  setKeyUsage(bits: number): void {
    const unused = Math.log2(bits & -bits);
    this.setExtension('2.5.29.15', true, Uint8Array.of(3, 2, unused, bits));
  }

  async signedAnew(issuer: SoftwareKey): Promise<Bytes> {
    const signature = await issuer.sign(writeTree(partOf(this.certificate, 0)));
    (this.certificate.parts ??= [])[2] = primitive(0x03, concat(Uint8Array.of(0), signature));
    return writeTree(this.certificate);
  }
}

export const primitive = (identifier: number, content: Uint8Array): DerNode => ({
  identifier,
  content: concat(content),
  parts: undefined,
});

export const constructed = (identifier: number, ...parts: DerNode[]): DerNode => ({
  identifier,
  content: new Uint8Array(),
  parts,
});

export const oidContent = (dotted: string): Bytes => encode(oid(dotted)).slice(2);

export const nullNode = (): DerNode => primitive(0x05, new Uint8Array());

/** AlgorithmIdentifier of a signature, with or without parameters. */
export const algorithmNode = (dotted: string, ...parameters: DerNode[]): DerNode =>
  constructed(0x30, primitive(0x06, oidContent(dotted)), ...parameters);

/** BasicConstraints of an authority. */
export const authorityConstraints = fromHex('30030101ff');

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);
