import { concat, fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { certificateTime, encode, generalizedTime, integer, oid } from '../../src/pki/der.ts';
import type { CaErrorCode } from '../../src/ca/authority.ts';
import type { AcceptanceFailure } from '../../src/renewal/acceptance.ts';
import {
  bodyOf,
  certificateOf,
  daysFromNow,
  headerOf,
  responseOf,
  tbsOf,
  type Draft,
  type Renewal,
} from './ca-answer.ts';
import { copyTree, nodesOf, partOf, readTree, type DerNode } from './der-tree.ts';
import { mutateBytes, mutateTree } from './mutate.ts';
import type { Random } from './random.ts';

/** `identical`: it says what the right answer says, or differs only in what is the authority's to choose. */
export type Expected = CaErrorCode | AcceptanceFailure | 'waiting' | 'identical';

/** One way to change an answer, and what must come of it: one of `expected` at least. */
export interface Case {
  readonly field: string;
  readonly expected: readonly Expected[];
  /** Changes the draft, whose certificate is signed anew by its issuer unless this says otherwise. */
  readonly change: (draft: Draft, random: Random, renewal: Renewal) => void;
}

const none = new Uint8Array();
const node = (identifier: number, content: Uint8Array): DerNode => ({
  identifier,
  content: concat(content),
  parts: undefined,
});
const constructed = (identifier: number, ...parts: DerNode[]): DerNode => ({ identifier, content: none, parts });
const partsOf = (parent: DerNode): DerNode[] => (parent.parts ??= []);

const letters = Array.from('ABCDEFGHJKLMNPQRTUWXY0123456789');
const text = (random: Random): Bytes =>
  new TextEncoder().encode(Array.from({ length: 1 + random.below(20) }, () => random.pick(letters)).join(''));

/** AttributeTypeAndValue of each relative name. */
const attributesOf = (name: DerNode): readonly DerNode[] => partsOf(name).map((relative) => partOf(relative, 0));
const taxpayerNumber = encode(oid('1.2.156.10260.4.1.5')).subarray(2);
const sameContent = ({ content }: DerNode, other: Uint8Array): boolean =>
  content.length === other.length && content.every((byte, index) => byte === other[index]);

const extensionsOf = (draft: Draft): DerNode[] => partsOf(partOf(tbsOf(draft), 7, 0));
function extensionIndex(draft: Draft, type: string): number {
  return extensionsOf(draft).findIndex((extension) => sameContent(partOf(extension, 0), fromHex(type)));
}
const extension = (type: string, critical: boolean, value: DerNode): DerNode =>
  constructed(
    0x30,
    node(0x06, fromHex(type)),
    ...(critical ? [node(0x01, Uint8Array.of(0xff))] : []),
    constructed(0x04, value),
  );
const keyUsage = '551d0f';
const extendedKeyUsage = '551d25';
const authorityKeyIdentifier = '551d23';
const subjectKeyIdentifier = '551d0e';
const unknownExtension = '2a030405';

/** A header option with its tag [n]. */
function option(draft: Draft, tag: number): DerNode {
  const found = partsOf(headerOf(draft)).find(({ identifier }, index) => index > 2 && identifier === (0xa0 | tag));
  if (!found) throw new RangeError(`no option ${tag}`);
  return found;
}
function removeOption(draft: Draft, tag: number): void {
  const parts = partsOf(headerOf(draft));
  parts.splice(parts.indexOf(option(draft, tag)), 1);
}
function flipBit(random: Random, target: DerNode, from = 0): void {
  target.content = concat(target.content);
  const at = from + random.below(target.content.length - from);
  target.content[at] = (target.content[at] ?? 0) ^ (1 << random.below(8));
}
const setTime = (draft: Draft, which: 0 | 1, date: Date): void => {
  partsOf(partOf(tbsOf(draft), 4))[which] = readTree(encode(certificateTime(date)));
};
const setStatus = (draft: Draft, status: number): void => {
  partsOf(partOf(responseOf(draft), 1))[0] = readTree(encode(integer(status)));
};
const otherAlgorithms = ['2a864886f70d010105', '2a864886f70d010104', '2a8648ce3d0401', '2b0e03021d', '2b6570'];

/** Changes in the certificate, signed anew by the authority. */
const certificateCases: readonly Case[] = [
  {
    field: 'subject: a value',
    expected: ['otherSubject'],
    change: (draft, random) => {
      const value = partOf(random.pick(attributesOf(partOf(tbsOf(draft), 5))), 1);
      Object.assign(value, node(0x0c, concat(text(random), Uint8Array.of(0x2e))));
    },
  },
  {
    field: 'subject: taxpayer number',
    expected: ['otherTaxpayerNumber'],
    change: (draft, random) => {
      const own = attributesOf(partOf(tbsOf(draft), 5)).find((attribute) =>
        sameContent(partOf(attribute, 0), taxpayerNumber),
      );
      if (!own) throw new RangeError('no taxpayer number');
      partsOf(own)[1] = node(0x0c, concat(Uint8Array.of(0x39), text(random)));
    },
  },
  {
    field: 'subject: a second taxpayer number',
    expected: ['otherTaxpayerNumber'],
    change: (draft, random) => {
      const names = partsOf(partOf(tbsOf(draft), 5));
      const type = random.pick(
        ['1.2.156.10260.4.1.5', '1.2.86.11.7.5'].map((dotted) => encode(oid(dotted)).subarray(2)),
      );
      const number = constructed(0x30, node(0x06, type), node(0x0c, text(random)));
      names.splice(random.below(names.length + 1), 0, constructed(0x31, number));
    },
  },
  {
    field: 'subject: a name more, less or elsewhere',
    expected: ['otherSubject'],
    change: (draft, random) => {
      const names = partsOf(partOf(tbsOf(draft), 5));
      const at = random.below(names.length);
      const [moved] = names.splice(at, 1);
      const kind = random.below(3);
      if (moved && kind === 0) names.splice(at, 0, moved, copyTree(moved));
      if (moved && kind === 1) names.splice((at + 1) % (names.length + 1), 0, moved);
    },
  },
  {
    field: 'subject: string type',
    expected: ['identical'],
    change: (draft) => {
      for (const attribute of attributesOf(partOf(tbsOf(draft), 5))) {
        const value = partOf(attribute, 1);
        const units = Array.from(new TextDecoder().decode(value.content), (letter) => letter.charCodeAt(0));
        Object.assign(value, node(0x1e, Uint8Array.from(units.flatMap((unit) => [unit >> 8, unit & 0xff]))));
      }
    },
  },
  {
    field: 'issuer: a value',
    expected: ['notChained'],
    change: (draft, random) => {
      Object.assign(partOf(random.pick(attributesOf(partOf(tbsOf(draft), 3))), 1), node(0x0c, text(random)));
    },
  },
  {
    field: 'key: another',
    expected: ['otherPublicKey'],
    change: (draft, random, { otherKeys }) => {
      partsOf(tbsOf(draft))[6] = readTree(random.pick(otherKeys));
    },
  },
  {
    field: 'key: one bit',
    // In the count of unused bits, it makes the whole message no DER.
    expected: ['otherPublicKey', 'notACertificate', 'malformed'],
    change: (draft, random) => flipBit(random, partOf(tbsOf(draft), 6, 1)),
  },
  {
    field: 'key: its algorithm',
    // An object identifier may be none any more.
    expected: ['notACertificate', 'otherPublicKey', 'malformed'],
    change: (draft, random) => flipBit(random, partOf(tbsOf(draft), 6, 0, random.below(2))),
  },
  {
    field: 'notAfter: not later',
    expected: ['notLonger'],
    change: (draft, random) => setTime(draft, 1, daysFromNow(30 - random.below(25))),
  },
  {
    field: 'notAfter: passed',
    expected: ['alreadyExpired'],
    change: (draft, random) => setTime(draft, 1, daysFromNow(-random.below(9000) / 24)),
  },
  {
    field: 'notAfter: too late',
    expected: ['livesTooLong'],
    change: (draft, random) => setTime(draft, 1, daysFromNow(1831 + random.below(9000))),
  },
  {
    field: 'notAfter: within the policy',
    expected: ['identical'],
    change: (draft, random) => setTime(draft, 1, daysFromNow(31 + random.below(1700))),
  },
  {
    field: 'notBefore: to come',
    expected: ['notYetValid'],
    change: (draft, random) => setTime(draft, 0, daysFromNow(0.01 + random.below(390))),
  },
  {
    field: 'notBefore: long ago',
    expected: ['livesTooLong'],
    change: (draft, random) => setTime(draft, 0, daysFromNow(-1500 - random.below(9000))),
  },
  {
    field: 'notBefore: earlier',
    expected: ['identical'],
    change: (draft, random) => setTime(draft, 0, daysFromNow(-random.below(1400))),
  },
  {
    field: 'keyUsage: not for signatures',
    expected: ['cannotSign'],
    change: (draft, random) => {
      const value = constructed(0x04, node(0x03, Uint8Array.of(4, 0x10 * (1 + random.below(7)))));
      partsOf(extensionsOf(draft)[extensionIndex(draft, keyUsage)] ?? node(0, none))[2] = value;
    },
  },
  {
    field: 'keyUsage: for certificates or lists',
    expected: ['isAuthority'],
    change: (draft, random) => {
      const value = constructed(0x04, node(0x03, Uint8Array.of(1, 0x80 | (2 * (1 + random.below(3))))));
      partsOf(extensionsOf(draft)[extensionIndex(draft, keyUsage)] ?? node(0, none))[2] = value;
    },
  },
  {
    field: 'extendedKeyUsage: other purposes',
    expected: ['otherPurpose'],
    change: (draft, random) => {
      const purposes = Array.from({ length: 1 + random.below(3) }, () =>
        node(0x06, fromHex(`2b060105050703${random.pick(['01', '03', '04', '08', '09'])}`)),
      );
      extensionsOf(draft).push(extension(extendedKeyUsage, random.once(2), constructed(0x30, ...purposes)));
    },
  },
  {
    field: 'extendedKeyUsage: client authentication',
    expected: ['identical'],
    change: (draft, random) => {
      const purposes = ['2b06010505070302', '2b06010505070304'].map((type) => node(0x06, fromHex(type)));
      if (random.once(2)) purposes.reverse();
      extensionsOf(draft).push(extension(extendedKeyUsage, random.once(2), constructed(0x30, ...purposes)));
    },
  },
  {
    field: 'keyUsage: removed',
    expected: ['cannotSign'],
    change: (draft) => void extensionsOf(draft).splice(extensionIndex(draft, keyUsage), 1),
  },
  {
    field: 'basicConstraints: cA',
    expected: ['isAuthority'],
    change: (draft, random) => {
      const value = constructed(0x30, node(0x01, Uint8Array.of(0xff)));
      const list = extensionsOf(draft);
      list.splice(random.below(list.length + 1), 0, extension('551d13', random.once(2), value));
    },
  },
  {
    field: 'extension: unknown and critical',
    expected: ['unknownExtension'],
    change: (draft, random) =>
      void extensionsOf(draft).push(extension(unknownExtension, true, node(0x04, text(random)))),
  },
  {
    field: 'extension: unknown',
    expected: ['identical'],
    change: (draft, random) =>
      void extensionsOf(draft).push(extension(unknownExtension, false, node(0x04, text(random)))),
  },
  {
    field: 'extension: twice',
    expected: ['notACertificate'],
    change: (draft, random) => void extensionsOf(draft).push(copyTree(random.pick(extensionsOf(draft)))),
  },
  {
    field: 'authorityKeyIdentifier',
    expected: ['notChained'],
    change: (draft, random) => {
      const value = constructed(0x30, node(0x80, random.bytes(20)));
      extensionsOf(draft)[extensionIndex(draft, authorityKeyIdentifier)] = extension(
        authorityKeyIdentifier,
        false,
        value,
      );
    },
  },
  {
    field: 'subjectKeyIdentifier',
    expected: ['identical'],
    change: (draft, random) => {
      extensionsOf(draft)[extensionIndex(draft, subjectKeyIdentifier)] = extension(
        subjectKeyIdentifier,
        false,
        node(0x04, random.bytes(1 + random.below(40))),
      );
    },
  },
  {
    field: 'serialNumber',
    expected: ['identical'],
    change: (draft, random) => {
      partsOf(tbsOf(draft))[1] = node(
        0x02,
        concat(Uint8Array.of(1 + random.below(127)), random.bytes(random.below(20))),
      );
    },
  },
  {
    field: 'serialNumber: that of the old one',
    expected: ['sameCertificate'],
    change: (draft, _random, { context: { oldCertificate } }) => {
      partsOf(tbsOf(draft))[1] = node(0x02, fromHex(oldCertificate.serialNumber));
    },
  },
  {
    field: 'serialNumber: zero, negative or too long',
    expected: ['badSerialNumber'],
    change: (draft, random) => {
      const bytes = random.bytes(1 + random.below(30));
      const number = random.pick([
        Uint8Array.of(0),
        concat(Uint8Array.of(0x80 + random.below(0x7f)), bytes.subarray(0, 15)),
        concat(Uint8Array.of(1 + random.below(0x7f)), random.bytes(20), bytes),
      ]);
      partsOf(tbsOf(draft))[1] = node(0x02, number);
    },
  },
  {
    field: 'version',
    expected: ['notACertificate'],
    change: (draft, random) => {
      if (random.once(2)) partsOf(tbsOf(draft)).shift();
      else partOf(tbsOf(draft), 0, 0).content = Uint8Array.of(random.pick([0, 1, 3, 0x7f, 0xff]));
    },
  },
  {
    field: 'signature algorithm: both',
    expected: ['weakSignature'],
    change: (draft, random) => {
      const algorithm = constructed(0x30, node(0x06, fromHex(random.pick(otherAlgorithms))));
      partsOf(tbsOf(draft))[2] = algorithm;
      partsOf(certificateOf(draft))[1] = copyTree(algorithm);
    },
  },
  {
    field: 'signature algorithm: parameters',
    expected: ['algorithmParameters'],
    change: (draft, random) => {
      const parameters = random.pick([
        constructed(0x30),
        node(0x06, fromHex('2a811ccf5501822d')),
        node(0x04, text(random)),
      ]);
      const algorithm = copyTree(partOf(tbsOf(draft), 2));
      partsOf(algorithm).splice(1, 1, parameters);
      partsOf(tbsOf(draft))[2] = algorithm;
      partsOf(certificateOf(draft))[1] = copyTree(algorithm);
    },
  },
  {
    field: 'signature algorithm: parameters that are NULL',
    expected: ['identical'],
    change: (draft) => {
      const algorithm = copyTree(partOf(tbsOf(draft), 2));
      partsOf(algorithm).splice(1, 1, node(0x05, none));
      partsOf(tbsOf(draft))[2] = algorithm;
      partsOf(certificateOf(draft))[1] = copyTree(algorithm);
    },
  },
  {
    field: 'issuer: one to be left behind',
    expected: ['oldIssuer'],
    change: (draft, _random, { old }) => {
      draft.issuer = old.issuing.key;
      const algorithm = constructed(0x30, node(0x06, fromHex('2a864886f70d01010b')), node(0x05, none));
      partsOf(tbsOf(draft))[2] = algorithm;
      partsOf(tbsOf(draft))[3] = readTree(old.issuing.subject);
      partsOf(certificateOf(draft))[1] = copyTree(algorithm);
      const identifier = constructed(0x30, node(0x80, old.issuing.keyIdentifier));
      extensionsOf(draft)[extensionIndex(draft, authorityKeyIdentifier)] = extension(
        authorityKeyIdentifier,
        false,
        identifier,
      );
    },
  },
  {
    field: 'signature algorithm: one',
    expected: ['notACertificate'],
    change: (draft, random) => {
      const algorithm = constructed(0x30, node(0x06, fromHex(random.pick(otherAlgorithms))));
      if (random.once(2)) partsOf(tbsOf(draft))[2] = algorithm;
      else partsOf(certificateOf(draft))[1] = algorithm;
    },
  },
  {
    field: 'signed by another',
    expected: ['notChained'],
    change: (draft, random, { newKey, oldKey, foreign }) => {
      draft.issuer = random.pick([newKey, oldKey, foreign.issuing.key]);
    },
  },
  {
    field: 'not signed anew',
    expected: ['notChained'],
    change: (draft, random) => {
      draft.issuer = undefined;
      if (random.once(2)) flipBit(random, partOf(tbsOf(draft), 1), 1);
      else partsOf(certificateOf(draft))[2] = node(0x03, concat(Uint8Array.of(0), random.bytes(random.below(80))));
    },
  },
];

/** Changes in the message's header and body, protected anew by the authority. */
const messageCases: readonly Case[] = [
  {
    field: 'pvno',
    expected: ['malformed'],
    change: (draft, random) =>
      void (partOf(headerOf(draft), 0).content = Uint8Array.of(random.pick([0, 1, 4, 5, 0x7f, 0xff]))),
  },
  {
    field: 'pvno 3',
    expected: ['identical'],
    change: (draft) => void (partOf(headerOf(draft), 0).content = Uint8Array.of(3)),
  },
  {
    field: 'sender',
    expected: ['notTrusted'],
    change: (draft, random) =>
      void Object.assign(partOf(random.pick(attributesOf(partOf(headerOf(draft), 1, 0))), 1), node(0x0c, text(random))),
  },
  {
    field: 'sender: the holder',
    expected: ['notTrusted'],
    change: (draft) => void (partsOf(headerOf(draft))[1] = copyTree(partOf(headerOf(draft), 2))),
  },
  {
    field: 'recipient',
    expected: ['identical'],
    change: (draft, random) =>
      void Object.assign(partOf(random.pick(attributesOf(partOf(headerOf(draft), 2, 0))), 1), node(0x0c, text(random))),
  },
  {
    field: 'messageTime',
    expected: ['identical'],
    change: (draft, random) =>
      void (partsOf(option(draft, 0))[0] = readTree(
        encode(generalizedTime(daysFromNow(random.below(20_000) - 10_000))),
      )),
  },
  {
    field: 'messageTime: none there is',
    expected: ['malformed'],
    change: (draft) => void (partOf(option(draft, 0), 0).content = new TextEncoder().encode('20260230000000Z')),
  },
  {
    field: 'protectionAlg',
    expected: ['notTrusted'],
    change: (draft, random) =>
      void (partsOf(option(draft, 1))[0] = constructed(0x30, node(0x06, fromHex(random.pick(otherAlgorithms))))),
  },
  { field: 'protectionAlg: removed', expected: ['notTrusted'], change: (draft) => removeOption(draft, 1) },
  {
    field: 'protectionAlg: a MAC',
    expected: ['notTrusted'],
    change: (draft) =>
      void (partsOf(option(draft, 1))[0] = constructed(
        0x30,
        node(0x06, fromHex('2a864886f67d07420d')),
        constructed(0x30),
      )),
  },
  {
    field: 'senderKID',
    expected: ['notTrusted'],
    change: (draft, random) => void (partsOf(option(draft, 2))[0] = node(0x04, random.bytes(20))),
  },
  { field: 'senderKID: removed', expected: ['identical'], change: (draft) => removeOption(draft, 2) },
  {
    field: 'transactionID',
    expected: ['mismatch'],
    change: (draft, random) =>
      void (partsOf(option(draft, 4))[0] = node(0x04, random.bytes(random.pick([0, 15, 16, 16, 17])))),
  },
  { field: 'transactionID: removed', expected: ['mismatch'], change: (draft) => removeOption(draft, 4) },
  {
    field: 'recipNonce',
    expected: ['mismatch'],
    change: (draft, random) =>
      void (partsOf(option(draft, 6))[0] = node(0x04, random.bytes(random.pick([0, 15, 16, 16, 17])))),
  },
  { field: 'recipNonce: removed', expected: ['mismatch'], change: (draft) => removeOption(draft, 6) },
  {
    field: 'senderNonce',
    expected: ['identical'],
    change: (draft, random) => void (partsOf(option(draft, 5))[0] = node(0x04, random.bytes(16))),
  },
  {
    field: 'confirmWaitTime',
    expected: ['malformed'],
    change: (draft) => void (partOf(option(draft, 8), 0, 0, 1).content = new TextEncoder().encode('20260230000000Z')),
  },
  {
    field: 'implicitConfirm',
    expected: ['identical'],
    change: (draft) =>
      void partsOf(partOf(option(draft, 8), 0)).push(
        constructed(0x30, node(0x06, fromHex('2b0601050507040d')), node(0x05, none)),
      ),
  },
  {
    field: 'header: an option twice or elsewhere',
    expected: ['malformed'],
    change: (draft, random) => {
      const parts = partsOf(headerOf(draft));
      const at = 3 + random.below(parts.length - 3);
      parts.splice(
        3,
        0,
        copyTree(random.once(2) ? (parts[at] ?? node(0, none)) : constructed(0xa9, node(0x02, Uint8Array.of(1)))),
      );
    },
  },
  {
    field: 'body: another type',
    expected: ['malformed', 'rejected', 'unavailable'],
    change: (draft, random) =>
      void (bodyOf(draft).identifier =
        0xa0 | random.pick([0, 1, 2, 4, 5, 6, 7, 8, 9, 16, 19, 20, 23, 24, 25, 26, 27, 30])),
  },
  {
    field: 'body: error',
    expected: ['rejected', 'unavailable', 'malformed'],
    change: (draft, random) => {
      const bits = node(0x03, Uint8Array.of(0, 1 << random.below(8), 0, 1));
      const status = constructed(0x30, node(0x02, Uint8Array.of(random.pick([2, 2, 3, 4, 5, 0, 6]))), bits);
      (draft.message.parts ??= [])[1] = constructed(0xb7, constructed(0x30, status));
    },
  },
  {
    field: 'body: pkiConf',
    expected: ['malformed'],
    change: (draft) => void ((draft.message.parts ??= [])[1] = constructed(0xb3, node(0x05, none))),
  },
  {
    field: 'body: pollRep',
    expected: ['waiting', 'mismatch'],
    change: (draft, random) => {
      const entry = constructed(
        0x30,
        node(0x02, Uint8Array.of(random.pick([0xff, 0]))),
        node(0x02, random.pick([[0], [0x7f], [0x80], [0x7f, 0xff, 0xff, 0xff]].map((bytes) => Uint8Array.from(bytes)))),
      );
      (draft.message.parts ??= [])[1] = constructed(0xba, constructed(0x30, entry));
    },
  },
  {
    field: 'certReqId',
    expected: ['mismatch', 'malformed'],
    change: (draft, random) =>
      void (partsOf(responseOf(draft))[0] = readTree(
        encode(integer(random.pick([0, 1, -2, 127, -128, 2 ** 31, 2 ** 46, -(2 ** 46), 2 ** 50]))),
      )),
  },
  {
    field: 'status: granted otherwise',
    expected: ['identical'],
    change: (draft, random) => setStatus(draft, random.pick([1, 6])),
  },
  {
    field: 'status: refused',
    expected: ['rejected'],
    change: (draft, random) => setStatus(draft, random.pick([2, 4, 5])),
  },
  { field: 'status: waiting', expected: ['waiting'], change: (draft) => setStatus(draft, 3) },
  {
    field: 'status: none there is',
    expected: ['malformed'],
    change: (draft, random) => setStatus(draft, random.pick([-1, 7, 8, 255, 2 ** 40])),
  },
  {
    field: 'certificate: none',
    expected: ['malformed'],
    change: (draft) => void partsOf(responseOf(draft)).splice(2, 1),
  },
  {
    field: 'certificate: encrypted',
    expected: ['malformed'],
    change: (draft) => void (partOf(responseOf(draft), 2, 0).identifier = 0xa1),
  },
  {
    field: 'responses: two',
    expected: ['malformed'],
    change: (draft) => void partsOf(partOf(bodyOf(draft), 0, 0)).push(copyTree(responseOf(draft))),
  },
  {
    field: 'responses: none',
    expected: ['malformed'],
    change: (draft) => void partsOf(partOf(bodyOf(draft), 0, 0)).splice(0, 1),
  },
  {
    field: 'caPubs',
    expected: ['identical'],
    change: (draft, random, { foreign, oldCertificate }) =>
      void partsOf(partOf(bodyOf(draft), 0)).unshift(
        constructed(0xa1, constructed(0x30, readTree(random.pick([foreign.root, oldCertificate])))),
      ),
  },
  {
    field: 'protection: none',
    expected: ['notTrusted'],
    change: (draft) => {
      draft.protector = undefined;
      partsOf(draft.message).splice(2, 1);
    },
  },
  {
    field: 'protection: one bit',
    expected: ['notTrusted'],
    change: (draft, random) => {
      draft.protector = undefined;
      const bytes = random.pick(nodesOf(partOf(draft.message, 2, 0, 0)).filter(({ parts }) => !parts));
      // The last bit of r or s: still DER.
      bytes.content = concat(bytes.content);
      bytes.content[bytes.content.length - 1] = (bytes.content.at(-1) ?? 0) ^ 1;
    },
  },
  {
    field: 'protected by another',
    expected: ['notTrusted'],
    change: (draft, random, { oldKey, newKey, foreign }) =>
      void (draft.protector = random.pick([oldKey, newKey, foreign.issuing.key])),
  },
  {
    field: 'protected by the holder',
    expected: ['notTrusted'],
    change: (draft, _random, { oldKey, oldCertificate }) => {
      draft.protector = oldKey;
      partsOf(headerOf(draft))[1] = copyTree(partOf(headerOf(draft), 2));
      removeOption(draft, 2);
      partsOf(partOf(draft.message, 3, 0)).unshift(readTree(oldCertificate));
    },
  },
  {
    field: 'protected by a foreign authority',
    expected: ['notTrusted'],
    change: (draft, _random, { foreign }) => {
      draft.protector = foreign.issuing.key;
      const { parts = [] } = partOf(headerOf(draft), 1);
      parts[0] = readTree(foreign.issuing.subject);
      partsOf(option(draft, 2))[0] = node(0x04, foreign.issuing.keyIdentifier);
      partsOf(option(draft, 1))[0] = constructed(0x30, node(0x06, fromHex('2a811ccf55018375')));
      partsOf(partOf(draft.message, 3, 0)).unshift(readTree(foreign.issuing.certificate), readTree(foreign.root));
    },
  },
  { field: 'extraCerts: none', expected: ['identical'], change: (draft) => void partsOf(draft.message).splice(3, 1) },
  {
    field: 'extraCerts: others',
    expected: ['identical'],
    change: (draft, random, { foreign, oldCertificate }) => {
      const others = [foreign.root, foreign.issuing.certificate, oldCertificate].map(readTree);
      partsOf(partOf(draft.message, 3, 0)).unshift(
        ...Array.from({ length: random.below(9) }, () => copyTree(random.pick(others))),
      );
    },
  },
];

const anyOf = (
  field: string,
  place: (draft: Draft) => DerNode,
  expected: readonly Expected[],
  isSigned = true,
): Case => ({
  field: `any change: ${field}`,
  // A value that is not DER makes the whole message none.
  expected: [...expected, 'malformed'],
  change: (draft, random, { authority }) => {
    if (!isSigned) draft.issuer = undefined;
    const donors = [authority.issuing.certificate, authority.root].map(readTree).flatMap(nodesOf);
    mutateTree(random, place(draft), donors);
  },
});

/** Changes of any kind in one field: what may come of it is more, and what is taken is looked at by others. */
const anyCases: readonly Case[] = [
  anyOf('version', (draft) => partOf(tbsOf(draft), 0), ['notACertificate']),
  anyOf('serialNumber', (draft) => partOf(tbsOf(draft), 1), [
    'notACertificate',
    'badSerialNumber',
    'sameCertificate',
    'identical',
  ]),
  anyOf('signature', (draft) => partOf(tbsOf(draft), 2), ['notACertificate', 'algorithmParameters', 'identical']),
  anyOf('issuer', (draft) => partOf(tbsOf(draft), 3), ['notACertificate', 'notChained', 'identical']),
  anyOf('validity', (draft) => partOf(tbsOf(draft), 4), [
    'notACertificate',
    'notLonger',
    'alreadyExpired',
    'notYetValid',
    'livesTooLong',
    'notChained',
    'identical',
  ]),
  anyOf('subject', (draft) => partOf(tbsOf(draft), 5), [
    'notACertificate',
    'otherSubject',
    'otherTaxpayerNumber',
    'identical',
  ]),
  anyOf('key', (draft) => partOf(tbsOf(draft), 6), ['notACertificate', 'otherPublicKey', 'identical']),
  anyOf('extensions', (draft) => partOf(tbsOf(draft), 7), [
    'notACertificate',
    'cannotSign',
    'otherPurpose',
    'isAuthority',
    'unknownExtension',
    'notChained',
    'identical',
  ]),
  anyOf(
    'certificate, not signed anew',
    certificateOf,
    ['notACertificate', 'algorithmParameters', 'notChained', 'identical'],
    false,
  ),
  anyOf('sender', (draft) => partOf(headerOf(draft), 1), ['notTrusted', 'identical']),
  anyOf('header', headerOf, ['notTrusted', 'mismatch', 'identical']),
  anyOf(
    'response',
    responseOf,
    [
      'mismatch',
      'rejected',
      'unavailable',
      'waiting',
      'notACertificate',
      'algorithmParameters',
      'notChained',
      'identical',
    ],
    false,
  ),
  anyOf(
    'body',
    bodyOf,
    [
      'mismatch',
      'rejected',
      'unavailable',
      'waiting',
      'notACertificate',
      'algorithmParameters',
      'notChained',
      'identical',
    ],
    false,
  ),
  {
    field: 'any change: after the protection',
    expected: ['malformed', 'notTrusted', 'notACertificate', 'identical'],
    change: (draft, random) => {
      draft.issuer = undefined;
      draft.protector = undefined;
      mutateTree(random, draft.message, nodesOf(copyTree(draft.message)));
    },
  },
  {
    field: 'any change: extraCerts',
    expected: ['malformed', 'notTrusted', 'identical'],
    change: (draft, random) => {
      draft.issuer = undefined;
      draft.protector = undefined;
      const list = partOf(draft.message, 3);
      if (random.once(4)) list.lengthField = mutateBytes(random, Uint8Array.of(0x82, 1, 1));
      else mutateTree(random, list, nodesOf(copyTree(list)));
    },
  },
];

/** Those of `certificateCases` need a certificate that is signed anew. */
export const answerCases: readonly Case[] = [
  ...[...certificateCases, ...anyCases.slice(0, 8)].map((one): Case => ({
    ...one,
    change: (draft, random, renewal) => {
      draft.issuer = renewal.authority.issuing.key;
      one.change(draft, random, renewal);
    },
  })),
  ...messageCases,
  ...anyCases.slice(8),
];
