import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createCertReqMessages,
  CrmfError,
  parseCertReqMessages,
  verifyProof,
  type CertReqMessage,
  type CertRequestContent,
} from '../../../src/ca/crmf.ts';
import { concat, fromHex, toHex } from '../../../src/pki/bytes.ts';
import {
  encode,
  explicit,
  implicit,
  implicitPrimitive,
  integer,
  nullValue,
  octetString,
  oid,
  parseDer,
  raw,
  readSequence,
  sequence,
  sourceBytes,
  utf8String,
  type DerBlock,
} from '../../../src/pki/der.ts';
import { changed, makeKey, makeName } from '../pki/hierarchy.ts';

const subject = makeName('纳税人');
const issuer = makeName('CA');
const key = await makeKey('sm2');
const content: CertRequestContent = {
  certReqId: 0,
  subject,
  publicKey: key.spki,
  oldCertId: { issuer, serialNumber: fromHex('00f1') },
  protocolEncrKey: undefined,
};

/** The one message there must be. */
function only(der: Uint8Array): CertReqMessage {
  const [message, ...others] = parseCertReqMessages(der);
  if (!message || others.length > 0) throw new Error('one message expected');
  return message;
}

describe('createCertReqMessages and parseCertReqMessages', () => {
  it('carry a key update there and back', async () => {
    const message = only(await createCertReqMessages(content, key.sign));
    expect(message).toMatchObject({ ...content, otherFields: [], otherControls: [] });
    expect(message.proof).toMatchObject({ type: 'signature', algorithm: '1.2.156.10197.1.501' });
  });

  it('carry a request without key and proof, for one that the authority makes', async () => {
    const request = { certReqId: 0, subject, protocolEncrKey: key.spki };
    const message = only(await createCertReqMessages(request));
    expect(message).toMatchObject({ ...request, publicKey: undefined, oldCertId: undefined, proof: undefined });
  });

  it('tag implicitly, but for names', async () => {
    const der = toHex(await createCertReqMessages(content, key.sign));
    const spki = toHex(key.spki);
    // subject [5] around a whole Name; publicKey [6] and the proof's [1] in place of the SEQUENCE's tag.
    expect(der).toContain(`a5${subject.length.toString(16)}${toHex(subject)}`);
    expect(der).toContain(`a6${spki.slice(2)}`);
    expect(der).not.toContain(spki);
    // oldCertID: GeneralName's directoryName [4] around a whole Name.
    expect(der).toContain('06092b060105050705010530');
    expect(der).toContain(`a4${issuer.length.toString(16)}${toHex(issuer)}020200f1`);
  });

  it.each(['sm2', 'p256', 'rsa'] as const)('prove possession of a key of kind %s', async (kind) => {
    const own = await makeKey(kind);
    const message = only(await createCertReqMessages({ ...content, publicKey: own.spki }, own.sign));
    await expect(verifyProof(message)).resolves.toBe(true);
  });

  it('prove nothing with another key’s signature, over other bytes, or without one', async () => {
    const other = await makeKey('sm2');
    const foreign = only(await createCertReqMessages(content, other.sign));
    await expect(verifyProof(foreign)).resolves.toBe(false);
    const message = only(await createCertReqMessages(content, key.sign));
    await expect(verifyProof({ ...message, request: changed(message.request, -1) })).resolves.toBe(false);
    await expect(verifyProof(only(await createCertReqMessages(content)))).resolves.toBe(false);
    await expect(verifyProof({ ...message, publicKey: undefined })).resolves.toBe(false);
    await expect(verifyProof({ ...message, proof: { type: 'unsupported', tag: 0 } })).resolves.toBe(false);
  });

  it('let the key’s own error through', async () => {
    const unplugged = new Error('unplugged');
    await expect(createCertReqMessages(content, () => Promise.reject(unplugged))).rejects.toBe(unplugged);
  });

  it.each([
    ['no public key', undefined],
    ['bytes that are none', key.spki.subarray(1)],
  ])('cannot prove possession of %s', async (_name, publicKey) => {
    await expect(createCertReqMessages({ ...content, publicKey }, key.sign)).rejects.toThrow(CrmfError);
  });
});

const template = sequence(explicit(5, raw(subject)), implicit(6, key.spki));
const messages = (...parts: readonly DerBlock[]): Uint8Array => encode(sequence(sequence(...parts)));
const request = (fields: DerBlock, ...controls: readonly DerBlock[]): DerBlock =>
  sequence(integer(0), fields, controls.length > 0 ? sequence(...controls) : undefined);
const control = (type: string, value: DerBlock): DerBlock => sequence(oid(type), value);
const encrKey = '1.3.6.1.5.5.7.5.1.6';

describe('parseCertReqMessages', () => {
  it('names other fields, controls and kinds of proof, for a server to refuse', () => {
    const fields = sequence(
      implicitPrimitive(0, Uint8Array.of(2)),
      explicit(5, raw(subject)),
      implicit(6, key.spki),
      implicit(9, encode(sequence())),
    );
    const all = messages(
      request(fields, control('1.3.6.1.5.5.7.5.1.1', utf8String('x'))),
      implicitPrimitive(0, new Uint8Array()),
    );
    expect(only(all)).toMatchObject({
      otherFields: [0, 9],
      otherControls: ['1.3.6.1.5.5.7.5.1.1'],
      proof: { type: 'unsupported', tag: 0 },
    });
    const withInput = implicit(
      1,
      encode(sequence(implicit(0, encode(sequence())), sequence(oid('1.2.3')), nullValue())),
    );
    expect(only(messages(request(template), withInput)).proof).toEqual({ type: 'unsupported', tag: 1 });
  });

  it('reads more than one', async () => {
    const one = raw(
      sourceBytes(readSequence(parseDer(await createCertReqMessages(content, key.sign)))[0] ?? nullValue()),
    );
    expect(parseCertReqMessages(encode(sequence(one, one)))).toHaveLength(2);
  });

  it('does not look at regInfo', () => {
    expect(only(messages(request(template), sequence())).proof).toBeUndefined();
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['no message', encode(sequence())],
    ['17 messages', encode(sequence(...Array.from({ length: 17 }, () => sequence(request(template)))))],
    ['a message without request', messages()],
    ['a template without subject', messages(request(sequence(implicit(6, key.spki))))],
    ['template fields out of order', messages(request(sequence(implicit(6, key.spki), explicit(5, raw(subject)))))],
    [
      'the same template field twice',
      messages(request(sequence(explicit(5, raw(subject)), explicit(5, raw(subject))))),
    ],
    [
      'a template field that is not known',
      messages(request(sequence(explicit(5, raw(subject)), explicit(10, nullValue())))),
    ],
    ['an untagged template field', messages(request(sequence(raw(subject))))],
    ['a subject tagged implicitly', messages(request(sequence(implicit(5, subject))))],
    ['a primitive public key', messages(request(sequence(explicit(5, raw(subject)), implicitPrimitive(6, key.spki))))],
    ['a control twice', messages(request(template, control(encrKey, raw(key.spki)), control(encrKey, raw(key.spki))))],
    [
      'an oldCertID that is not one',
      messages(request(template, control('1.3.6.1.5.5.7.5.1.5', sequence(raw(issuer), integer(1))))),
    ],
    ['something after regInfo', messages(request(template), sequence(), sequence())],
    ['something that is neither proof nor regInfo', messages(request(template), octetString(new Uint8Array()))],
    [
      'a signature whose algorithm has parameters',
      messages(
        request(template),
        implicit(1, encode(sequence(sequence(oid('1.2.3'), integer(1)), raw(fromHex('030100'))))),
      ),
    ],
  ])('refuses %s', (_name, der) => {
    expect(() => parseCertReqMessages(der)).toThrow(CrmfError);
  });

  it('reads or throws CrmfError, whatever bytes are changed', async () => {
    const der = await createCertReqMessages({ ...content, protocolEncrKey: key.spki }, key.sign);
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(12), (at, by, cut) => {
        const mutant = concat(der.subarray(0, der.length - (cut > 8 ? cut : 0)));
        mutant[at % mutant.length] = (mutant[at % mutant.length] ?? 0) ^ by;
        try {
          expect(parseCertReqMessages(mutant).length).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof CrmfError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
