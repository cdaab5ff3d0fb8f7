import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failInfoNames } from '../../../src/ca/authority.ts';
import {
  answers,
  buildMessage,
  CmpFormatError,
  parseMessage,
  pkiStatusNames,
  type MessageContent,
} from '../../../src/ca/cmp-messages.ts';
import { findProtector } from '../../../src/ca/cmp-protection.ts';
import { signatureAlgorithmFor } from '../../../src/pki/algorithms.ts';
import { bytesEqual, concat, fromHex, toHex } from '../../../src/pki/bytes.ts';
import {
  encode,
  explicit,
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
} from '../../../src/pki/der.ts';
import { changed, issueCertificate, makeKey, makeName } from '../pki/hierarchy.ts';

const sender = makeName('旧证书');
const recipient = makeName('CA');
const key = await makeKey('sm2');
const keyId = Uint8Array.of(7, 7, 7);
const certificate = await issueCertificate({
  subject: sender,
  issuer: recipient,
  key,
  issuerKey: key,
  keyUsage: [0],
  subjectKeyIdentifier: keyId,
});
const base = {
  sender,
  recipient,
  messageTime: new Date('2026-11-22T01:02:03Z'),
  protectionAlgorithm: signatureAlgorithmFor('sm2'),
  senderKid: keyId,
  transactionId: new Uint8Array(16).fill(0x11),
  senderNonce: new Uint8Array(16).fill(0x22),
  recipNonce: new Uint8Array(16).fill(0x33),
  extraCerts: [certificate],
} satisfies Partial<MessageContent>;
const status = { status: 'rejection', text: ['不行', 'no'], failInfo: ['badPOP', 'duplicateCertReq'] } as const;

const bodies: readonly MessageContent['body'][] = [
  { type: 'p10cr', csr: encode(sequence(integer(5))) },
  { type: 'cr', requests: encode(sequence(integer(6))) },
  { type: 'kur', requests: encode(sequence(integer(7))) },
  {
    type: 'cp',
    caPubs: [certificate],
    responses: [
      { certReqId: -1, status: { status: 'accepted', text: [], failInfo: [] }, certificate },
      { certReqId: 0, status, certificate: undefined },
    ],
  },
  {
    type: 'kup',
    caPubs: [],
    responses: [
      {
        certReqId: 0,
        status: { status: 'grantedWithMods', text: [], failInfo: [] },
        certificate,
        privateKey: encode(sequence(integer(8))),
      },
    ],
  },
  {
    type: 'certConf',
    statuses: [
      { certHash: new Uint8Array(32), certReqId: -1, status: undefined },
      { certHash: Uint8Array.of(1), certReqId: 0, status },
    ],
  },
  { type: 'pkiConf' },
  { type: 'pollReq', certReqIds: [-1] },
  { type: 'pollRep', replies: [{ certReqId: -1, checkAfterSeconds: 3600, reason: ['排队'] }] },
  { type: 'error', status, details: ['细节'] },
];

describe('buildMessage and parseMessage', () => {
  it.each(bodies.map((body) => [body.type, body] as const))('carry %s there and back', async (_type, body) => {
    const message = parseMessage(await buildMessage({ ...base, body }, key.sign));
    expect(message.body).toEqual(body);
    expect(message.header).toMatchObject({
      pvno: 2,
      sender: { der: sender },
      recipient: { der: recipient },
      messageTime: base.messageTime,
      protectionAlgorithm: '1.2.156.10197.1.501',
      senderKid: base.senderKid,
      transactionId: base.transactionId,
      senderNonce: base.senderNonce,
      recipNonce: base.recipNonce,
      implicitConfirm: false,
      confirmWaitTime: undefined,
    });
    expect(message.extraCerts).toEqual([certificate]);
  });

  it('carry every status and every failure', async () => {
    for (const name of pkiStatusNames) {
      const body = { type: 'error', status: { status: name, text: [], failInfo: [] }, details: [] } as const;
      expect(parseMessage(await buildMessage({ ...base, body })).body).toEqual(body);
    }
    for (const name of failInfoNames) {
      const body = { type: 'error', status: { status: 'rejection', text: [], failInfo: [name] }, details: [] } as const;
      expect(parseMessage(await buildMessage({ ...base, body })).body).toEqual(body);
    }
  });

  it('carry implicitConfirm and confirmWaitTime in generalInfo, and ignore what else is there', async () => {
    const confirmWaitTime = new Date('2026-11-23T00:00:00Z');
    const message = await buildMessage({ ...base, implicitConfirm: true, confirmWaitTime, body: { type: 'pkiConf' } });
    expect(parseMessage(message).header).toMatchObject({ implicitConfirm: true, confirmWaitTime });
    const other = sequence(oid('1.2.3'), octetString(Uint8Array.of(1)));
    const header = sequence(
      integer(2),
      explicit(4, raw(sender)),
      explicit(4, raw(recipient)),
      explicit(8, sequence(other)),
    );
    expect(parseMessage(encode(sequence(header, explicit(19, nullValue())))).header.implicitConfirm).toBe(false);
  });

  it('put −1, explicit tags and the shortest bit string on the wire', async () => {
    const hex = async (body: MessageContent['body']): Promise<string> => toHex(await buildMessage({ ...base, body }));
    expect(await hex({ type: 'pollReq', certReqIds: [-1] })).toContain('b90730053003' + '0201ff');
    expect(await hex({ type: 'error', status: { status: 'rejection', failInfo: ['badPOP'] } })).toContain(
      '03030600' + '40',
    );
    expect(await hex({ type: 'pkiConf' })).toContain('b3020500');
    expect(await hex({ type: 'cr', requests: encode(sequence()) })).toContain('a2023000');
    expect(await hex({ type: 'kur', requests: encode(sequence()) })).toContain('a7023000');
    expect(await hex({ type: 'kup', responses: [] })).toContain('a80430023000');
    expect(await hex({ type: 'pkiConf' })).toContain('a4120410' + '11'.repeat(16) + 'a5120410' + '22'.repeat(16));
    expect(await hex({ type: 'pkiConf' })).toContain('a2050403070707');
  });

  it('leave out what is not given', async () => {
    const { header, protection, extraCerts } = parseMessage(
      await buildMessage({ sender, recipient, body: { type: 'pkiConf' } }),
    );
    expect([header.messageTime, header.protectionAlgorithm, header.senderKid, header.transactionId]).toEqual(
      Array(4).fill(undefined),
    );
    expect([protection, extraCerts]).toEqual([undefined, []]);
  });

  it('sign the very bytes of header and body that are sent', async () => {
    const message = await buildMessage({ ...base, body: { type: 'pkiConf' } }, key.sign);
    const [header, body] = readSequence(parseDer(message));
    const expected = encode(
      sequence(...[header, body].map((part) => raw(part ? sourceBytes(part) : new Uint8Array()))),
    );
    expect(parseMessage(message).protectedPart).toEqual(expected);
  });

  it('read a body they do not know by its tag', () => {
    const header = sequence(integer(2), explicit(4, raw(sender)), explicit(4, raw(recipient)));
    const genm = encode(sequence(header, explicit(21, sequence())));
    expect(parseMessage(genm).body).toEqual({ type: 'unsupported', tag: 21 });
  });
});

describe('parseMessage', () => {
  const header = sequence(integer(2), explicit(4, raw(sender)), explicit(4, raw(recipient)));
  const pkiConf = explicit(19, nullValue());
  it.each([
    ['nothing', new Uint8Array()],
    ['another SEQUENCE', encode(sequence(integer(1)))],
    ['a header alone', encode(sequence(header))],
    ['a body without tag', encode(sequence(header, nullValue()))],
    ['a body with an unknown tag', encode(sequence(header, explicit(27, nullValue())))],
    ['two values in a body', encode(sequence(header, explicit(19, nullValue(), nullValue())))],
    ['pkiConf that is not NULL', encode(sequence(header, explicit(19, integer(0))))],
    [
      'extraCerts before the protection',
      encode(sequence(header, pkiConf, explicit(1, sequence()), explicit(0, raw(fromHex('030100'))))),
    ],
    ['an unknown option', encode(sequence(header, pkiConf, explicit(2, sequence())))],
    [
      'header options out of order',
      encode(
        sequence(
          sequence(
            integer(2),
            explicit(4, raw(sender)),
            explicit(4, raw(sender)),
            explicit(5, octetString(Uint8Array.of(1))),
            explicit(4, octetString(Uint8Array.of(1))),
          ),
          pkiConf,
        ),
      ),
    ],
    [
      'the same header option twice',
      encode(
        sequence(
          sequence(
            integer(2),
            explicit(4, raw(sender)),
            explicit(4, raw(sender)),
            explicit(5, octetString(Uint8Array.of(1))),
            explicit(5, octetString(Uint8Array.of(1))),
          ),
          pkiConf,
        ),
      ),
    ],
    [
      'a senderKID with an implicit tag',
      encode(
        sequence(
          sequence(integer(2), explicit(4, raw(sender)), explicit(4, raw(sender)), raw(fromHex('820101'))),
          pkiConf,
        ),
      ),
    ],
    ['an error of unknown status', encode(sequence(header, explicit(23, sequence(sequence(integer(7))))))],
    ['an error of negative status', encode(sequence(header, explicit(23, sequence(sequence(integer(-1))))))],
    [
      'free text that is not text',
      encode(sequence(header, explicit(23, sequence(sequence(integer(2), sequence(integer(1))))))),
    ],
    [
      'free text that is not UTF-8',
      encode(sequence(header, explicit(23, sequence(sequence(integer(2), sequence(raw(fromHex('0c01ff')))))))),
    ],
    [
      'a list beyond its bound',
      encode(sequence(header, explicit(25, sequence(...Array.from({ length: 17 }, () => sequence(integer(-1))))))),
    ],
    [
      'text beyond the bound of size',
      encode(sequence(header, explicit(23, sequence(sequence(integer(2), sequence(utf8String('x'.repeat(65_536)))))))),
    ],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseMessage(bytes)).toThrow(CmpFormatError);
  });

  it('reads or throws CmpFormatError, whatever bytes are changed', async () => {
    const samples = await Promise.all(bodies.map((body) => buildMessage({ ...base, body }, key.sign)));
    const mutation = fc.tuple(fc.nat(), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        (sample, mutations) => {
          const bytes = sample.slice();
          for (const [index, value] of mutations) bytes[index % bytes.length] = value;
          try {
            expect(bytesEqual(parseMessage(bytes).der, bytes)).toBe(true);
          } catch (error) {
            expect(error).toBeInstanceOf(CmpFormatError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('throws CmpFormatError for every message cut short', async () => {
    const message = await buildMessage({ ...base, body: { type: 'pkiConf' } }, key.sign);
    for (let length = 0; length < message.length; length++) {
      expect(() => parseMessage(message.subarray(0, length)), `${length} bytes`).toThrow(CmpFormatError);
    }
  });
});

describe('answers', () => {
  it('wants the same transaction and the echoed nonce', async () => {
    const read = async (part: Partial<MessageContent>): Promise<ReturnType<typeof parseMessage>['header']> =>
      parseMessage(await buildMessage({ ...base, ...part, body: { type: 'pkiConf' } })).header;
    const request = await read({});
    expect(answers(await read({ recipNonce: base.senderNonce }), request)).toBe(true);
    expect(answers(await read({ recipNonce: base.recipNonce }), request)).toBe(false);
    expect(answers(await read({ recipNonce: undefined }), request)).toBe(false);
    expect(answers(await read({ recipNonce: base.senderNonce, transactionId: keyId }), request)).toBe(false);
    expect(answers(await read({ recipNonce: base.senderNonce, transactionId: undefined }), request)).toBe(false);
  });
});

describe('findProtector', () => {
  const build = (part: Partial<MessageContent> = {}): Promise<Uint8Array> =>
    buildMessage({ ...base, body: { type: 'pkiConf' }, ...part }, key.sign);

  it.each(['sm2', 'p256', 'rsa'] as const)('finds the certificate whose key of kind %s protects', async (algorithm) => {
    const own = await makeKey(algorithm);
    const der = await issueCertificate({ subject: sender, issuer: recipient, key: own, issuerKey: key });
    const content = {
      ...base,
      body: bodies[0] ?? { type: 'pkiConf' },
      protectionAlgorithm: signatureAlgorithmFor(algorithm),
      extraCerts: [certificate, der],
    } as const;
    const message = parseMessage(await buildMessage(content, own.sign));
    expect((await findProtector(message))?.der).toEqual(der);
  });

  it('finds it among further certificates when the message brings none', async () => {
    const message = parseMessage(await build({ extraCerts: [] }));
    expect(await findProtector(message)).toBeUndefined();
    expect((await findProtector(message, [Uint8Array.of(1), certificate]))?.der).toEqual(certificate);
  });

  it.each([
    ['the sender’s name is another', { sender: recipient }],
    ['the key identifier is another', { senderKid: Uint8Array.of(8) }],
    ['the algorithm is another', { protectionAlgorithm: signatureAlgorithmFor('p256') }],
    ['no algorithm is named', { protectionAlgorithm: undefined }],
  ])('finds none where %s', async (_name, part) => {
    expect(await findProtector(parseMessage(await build(part)))).toBeUndefined();
  });

  it('finds none without protection, or for a certificate that may not sign', async () => {
    const unprotected = parseMessage(await buildMessage({ ...base, body: { type: 'pkiConf' } }));
    expect(await findProtector(unprotected)).toBeUndefined();
    const encryption = await issueCertificate({
      subject: sender,
      issuer: recipient,
      key,
      issuerKey: key,
      keyUsage: [2],
    });
    expect(await findProtector(parseMessage(await build({ extraCerts: [encryption] })))).toBeUndefined();
  });

  it('finds none once any byte of header, body or protection is changed', async () => {
    const message = await build();
    const end = message.length - certificate.length - 8;
    let refused = 0;
    for (let index = 4; index < end; index += 5) {
      let parsed;
      try {
        parsed = parseMessage(changed(message, index));
      } catch {
        refused++;
        continue;
      }
      expect(await findProtector(parsed), `byte ${index}`).toBeUndefined();
    }
    expect(refused).toBeLessThan(end / 5);
    expect(concat((await findProtector(parseMessage(message)))?.der ?? new Uint8Array())).toEqual(certificate);
  });
});
