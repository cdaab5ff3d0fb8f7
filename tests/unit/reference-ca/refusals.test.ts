import { generateKeyPairSync, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FailInfo } from '../../../src/ca/authority.ts';
import { parseMessage, type MessageContent } from '../../../src/ca/cmp-messages.ts';
import { concat, type Bytes } from '../../../src/pki/bytes.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import {
  bitString,
  encode,
  explicit,
  isContext,
  nullValue,
  oid,
  parseDer,
  raw,
  readSequence,
  sequence,
  sourceBytes,
} from '../../../src/pki/der.ts';
import { generateKey, type SoftwareKey } from '../../reference-ca/keys.ts';
import { fingerprint } from '../../reference-ca/ledger.ts';
import type { Policy } from '../../reference-ca/policy.ts';
import { openReferenceCa, type ReferenceCa } from '../../reference-ca/reference-ca.ts';
import { attributeTypes, encodeName, sampleTaxpayer, taxpayerSubject } from '../../reference-ca/subject.ts';
import {
  certHash,
  dayMs,
  exchange,
  goingOn,
  issuedCertificate,
  makeConfirmation,
  makeCsr,
  makeHolder,
  makeMessage,
  makePoll,
  makeRequest,
  random,
  refusalIn,
  TestClock,
  type Changes,
  type Holder,
} from './holder.ts';

const clock = new TestClock();
let ca: ReferenceCa;
beforeAll(async () => {
  ca = await openReferenceCa({ now: clock.now });
});

const holder = (parameters = {}): Promise<Holder> => makeHolder(ca, clock.now(), parameters);

/** A good request but for what is changed in the message around it. */
async function changed(changes: Changes | ((sender: Holder) => Changes | Promise<Changes>)): Promise<Bytes> {
  const sender = await holder();
  const differences = typeof changes === 'function' ? await changes(sender) : changes;
  return makeRequest(sender, await makeCsr(sender), differences);
}

/** A good message around something else than a good request. */
const around = async (body: MessageContent['body']): Promise<Bytes> => makeMessage(await holder(), body, {});

/** Builds a message anew with its header and body changed in DER, protected again by the same holder. */
async function rebuilt(
  sender: Holder,
  message: Uint8Array,
  change: { readonly header?: (parts: Bytes[]) => Bytes[]; readonly body?: (body: Bytes) => Bytes },
): Promise<Bytes> {
  const [header, body, ...rest] = readSequence(parseDer(message));
  if (!header || !body) throw new Error('not a message');
  const headerParts = readSequence(header).map(sourceBytes);
  const newHeader = encode(sequence(...(change.header?.(headerParts) ?? headerParts).map(raw)));
  const newBody = change.body?.(sourceBytes(body)) ?? sourceBytes(body);
  const extraCerts = rest.find((part) => isContext(part, 1));
  const signature = await sender.key.sign(encode(sequence(raw(newHeader), raw(newBody))));
  return encode(
    sequence(
      raw(newHeader),
      raw(newBody),
      explicit(0, bitString(signature)),
      extraCerts && raw(sourceBytes(extraCerts)),
    ),
  );
}

const withVersion = async (version: number): Promise<Bytes> => {
  const sender = await holder();
  return rebuilt(sender, await makeRequest(sender, await makeCsr(sender)), {
    header: ([, ...others]) => [Uint8Array.of(2, 1, version), ...others],
  });
};

const flipped = (message: Bytes, offset: number): Bytes => {
  const copy = concat(message);
  copy[offset] = (copy[offset] ?? 0) ^ 1;
  return copy;
};

/** Flips a bit in the message's transactionID, which the protection covers. */
async function tampered(): Promise<Bytes> {
  const transactionId = random(16);
  const message = await changed({ transactionId });
  const offset = Buffer.from(message).indexOf(transactionId);
  return flipped(message, offset);
}

const algorithm = (name: string): Bytes => encode(sequence(oid(name), nullValue()));

/** An RSA key shorter than this project makes. */
function weakRsaKey(): SoftwareKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  return {
    type: 'rsa',
    privateKey: concat(privateKey.export({ type: 'pkcs8', format: 'der' })),
    spki: concat(publicKey.export({ type: 'spki', format: 'der' })),
    sign: (message) => Promise.resolve(concat(sign('sha256', message, privateKey))),
  };
}

interface Case {
  readonly what: string;
  readonly make: () => Promise<Uint8Array>;
  readonly failInfo: FailInfo;
  readonly body?: 'error' | 'cp';
}

const messages: readonly Case[] = [
  { what: 'CMP version 1', make: () => withVersion(1), failInfo: 'unsupportedVersion' },
  { what: 'CMP version 3', make: () => withVersion(3), failInfo: 'unsupportedVersion' },
  { what: 'no transactionID', make: () => changed({ transactionId: undefined }), failInfo: 'badDataFormat' },
  { what: 'a transactionID of 8 bytes', make: () => changed({ transactionId: random(8) }), failInfo: 'badDataFormat' },
  { what: 'no senderNonce', make: () => changed({ senderNonce: undefined }), failInfo: 'badSenderNonce' },
  { what: 'a short senderNonce', make: () => changed({ senderNonce: random(15) }), failInfo: 'badSenderNonce' },
  {
    what: 'a recipNonce in a first message',
    make: () => changed({ recipNonce: random(16) }),
    failInfo: 'badRecipientNonce',
  },
  {
    what: 'another authority as recipient',
    make: () => changed({ recipient: ca.hierarchy.foreign.issuing.subject }),
    failInfo: 'wrongAuthority',
  },
  {
    what: 'a messageTime 25 hours ago',
    make: () => changed({ messageTime: new Date(clock.now().getTime() - 25 * 3_600_000) }),
    failInfo: 'badTime',
  },
  {
    what: 'a messageTime 25 hours ahead',
    make: () => changed({ messageTime: new Date(clock.now().getTime() + 25 * 3_600_000) }),
    failInfo: 'badTime',
  },
  { what: 'no protection', make: () => changed({ unprotected: true }), failInfo: 'badMessageCheck' },
  {
    what: 'protection by a password',
    make: () => changed({ protectionAlgorithm: algorithm('1.2.840.113533.7.66.13') }),
    failInfo: 'wrongIntegrity',
  },
  {
    what: 'protection with SHA-1',
    make: () => changed({ protectionAlgorithm: algorithm('1.2.840.113549.1.1.5') }),
    failInfo: 'badAlg',
  },
  {
    what: 'a protection algorithm that is not the key’s',
    make: () => changed({ protectionAlgorithm: algorithm('1.2.840.113549.1.1.11') }),
    failInfo: 'badMessageCheck',
  },
  {
    what: 'protection by another key',
    make: async () => changed({ key: await generateKey('sm2') }),
    failInfo: 'badMessageCheck',
  },
  { what: 'a bit changed under the protection', make: tampered, failInfo: 'badMessageCheck' },
  {
    what: 'a sender that is not the signer',
    make: () => changed({ sender: taxpayerSubject(sampleTaxpayer(), 'current') }),
    failInfo: 'badMessageCheck',
  },
  { what: 'no senderKID', make: () => changed({ senderKid: undefined }), failInfo: 'badMessageCheck' },
  { what: 'another senderKID', make: () => changed({ senderKid: random(20) }), failInfo: 'badMessageCheck' },
  { what: 'no certificate of the signer', make: () => changed({ extraCerts: [] }), failInfo: 'signerNotTrusted' },
  {
    what: 'the signer’s certificate not first',
    make: () => changed(({ certificate }) => ({ extraCerts: [ca.hierarchy.sm2.issuing.certificate, certificate.der] })),
    failInfo: 'badMessageCheck',
  },
  {
    what: 'bytes that are no certificate',
    make: () => changed({ extraCerts: [Uint8Array.of(0x30, 0)] }),
    failInfo: 'signerNotTrusted',
  },
];

const requestBy = async (parameters: Parameters<typeof makeHolder>[2]): Promise<Bytes> => {
  const sender = await holder(parameters);
  return makeRequest(sender, await makeCsr(sender));
};

const signers: readonly Case[] = [
  {
    what: 'a certificate of somebody else’s authority',
    make: async () => {
      const sender = await holder({ authority: 'foreign' });
      return makeRequest(sender, await makeCsr(sender), { recipient: ca.hierarchy.sm2.issuing.subject });
    },
    failInfo: 'signerNotTrusted',
  },
  {
    what: 'a certificate that only claims to be ours',
    make: async () => {
      const sender = await holder({ registered: false });
      // The same certificate with the last byte of the authority's signature changed.
      const forged = flipped(sender.certificate.der, sender.certificate.der.length - 1);
      return makeRequest(sender, await makeCsr(sender), { extraCerts: [forged] });
    },
    failInfo: 'signerNotTrusted',
  },
  {
    what: 'a certificate that is not in the ledger',
    make: () => requestBy({ registered: false }),
    failInfo: 'badCertId',
  },
  {
    what: 'a certificate for encryption',
    make: () => requestBy({ profile: 'encryption' }),
    failInfo: 'signerNotTrusted',
  },
  {
    what: 'a certificate that is not valid yet',
    make: () => requestBy({ endsInDays: 400 }),
    failInfo: 'signerNotTrusted',
  },
  {
    what: 'a revoked certificate',
    make: async () => {
      const sender = await holder();
      await ca.ledger.append({ type: 'revoked', certificate: fingerprint(sender.certificate.der) });
      return makeRequest(sender, await makeCsr(sender));
    },
    failInfo: 'certRevoked',
  },
  {
    what: 'a certificate that was issued and never confirmed',
    make: async () => {
      const sender = await holder();
      const key = await generateKey('sm2');
      const issued = issuedCertificate(await exchange(ca, await makeRequest(sender, await makeCsr(sender, { key }))));
      const renewed = { certificate: parseCertificate(issued), key };
      return makeRequest(renewed, await makeCsr(renewed));
    },
    failInfo: 'signerNotTrusted',
  },
];

const requests: readonly Case[] = [
  {
    what: 'no PKCS #10',
    make: () => around({ type: 'p10cr', csr: Uint8Array.of(0x30, 0) }),
    failInfo: 'badDataFormat',
  },
  {
    what: 'a request not signed by its own key',
    make: async () => {
      const sender = await holder();
      const other = await generateKey('sm2');
      const key = { ...(await generateKey('sm2')), sign: other.sign };
      return makeRequest(sender, await makeCsr(sender, { key }));
    },
    failInfo: 'badPOP',
    body: 'cp',
  },
  {
    what: 'another subject',
    make: async () => {
      const sender = await holder();
      return makeRequest(sender, await makeCsr(sender, { subject: taxpayerSubject(sampleTaxpayer(), 'current') }));
    },
    failInfo: 'badCertTemplate',
    body: 'cp',
  },
  {
    what: 'a subject with an attribute more',
    make: async () => {
      const sender = await holder();
      const attributes = sender.certificate.subject.attributes.map(({ type, value }) => [type, value] as const);
      const subject = encodeName([...attributes, [attributeTypes.organizationalUnit, '示例']]);
      return makeRequest(sender, await makeCsr(sender, { subject }));
    },
    failInfo: 'badCertTemplate',
    body: 'cp',
  },
  {
    what: 'the old key again',
    make: async () => {
      const sender = await holder();
      return makeRequest(sender, await makeCsr(sender, { key: sender.key }));
    },
    failInfo: 'badCertTemplate',
    body: 'cp',
  },
  {
    what: 'an RSA key of 1024 bits',
    make: async () => {
      const sender = await holder();
      return makeRequest(sender, await makeCsr(sender, { key: weakRsaKey() }));
    },
    failInfo: 'badAlg',
    body: 'cp',
  },
  ...(
    [
      ['sm2', 'p256'],
      ['sm2', 'rsa'],
      ['p256', 'sm2'],
      ['oldRsa', 'rsa'],
      ['oldRsa', 'p256'],
    ] as const
  ).map(([authority, type]): Case => ({
    what: `a ${type} key by a holder under ${authority}`,
    make: async () => {
      const sender = await holder({ authority });
      return makeRequest(sender, await makeCsr(sender, { type }));
    },
    failInfo: 'badAlg',
    body: 'cp',
  })),
  {
    what: 'a key that was certified before, in a new transaction',
    make: async () => {
      const sender = await holder();
      const csr = await makeCsr(sender);
      await exchange(ca, await makeRequest(sender, csr));
      return makeRequest(sender, csr);
    },
    failInfo: 'duplicateCertReq',
    body: 'cp',
  },
  {
    what: 'a holder whose certificate is not due',
    make: () => requestBy({ endsInDays: 62 }),
    failInfo: 'notAuthorized',
    body: 'cp',
  },
  { what: 'a holder who is refused', make: () => requestBy({ refuses: true }), failInfo: 'notAuthorized', body: 'cp' },
];

const transactions: readonly Case[] = [
  {
    what: 'a transactionID in use by another request',
    make: async () => {
      const sender = await holder();
      const transactionId = random(16);
      await exchange(ca, await makeRequest(sender, await makeCsr(sender), { transactionId }));
      return makeRequest(sender, await makeCsr(sender), { transactionId });
    },
    failInfo: 'transactionIdInUse',
  },
  {
    what: 'a transactionID in use by another holder',
    make: async () => {
      const [sender, other] = [await holder(), await holder()];
      const transactionId = random(16);
      const csr = await makeCsr(sender);
      await exchange(ca, await makeRequest(sender, csr, { transactionId }));
      return makeRequest(other, csr, { transactionId });
    },
    failInfo: 'transactionIdInUse',
  },
  {
    what: 'a senderNonce seen before',
    make: async () => {
      const sender = await holder();
      const senderNonce = random(16);
      await exchange(ca, await makeRequest(sender, await makeCsr(sender), { senderNonce }));
      return makeRequest(await holder(), await makeCsr(sender), { senderNonce });
    },
    failInfo: 'badSenderNonce',
  },
  {
    what: 'an answer that is the authority’s to give',
    make: () => around({ type: 'pkiConf' }),
    failInfo: 'badRequest',
  },
  {
    what: 'a kind of request that is not taken here',
    make: async () => {
      const sender = await holder();
      // ir [0], RFC 9810 §5.1.2
      return rebuilt(sender, await makeRequest(sender, await makeCsr(sender)), {
        body: () => encode(explicit(0, sequence())),
      });
    },
    failInfo: 'badRequest',
  },
  {
    what: 'a poll without a transaction',
    make: () => around({ type: 'pollReq', certReqIds: [-1] }),
    failInfo: 'badRequest',
  },
  {
    what: 'a confirmation without a transaction',
    make: () => around({ type: 'certConf', statuses: [{ certHash: random(32), certReqId: -1 }] }),
    failInfo: 'badRequest',
  },
];

/** Cases that go on from a certificate issued. */
function afterIssue(
  what: string,
  failInfo: FailInfo,
  make: (sender: Holder, answer: ReturnType<typeof parseMessage>) => Promise<Bytes>,
): Case {
  return {
    what,
    failInfo,
    make: async () => {
      const sender = await holder();
      return make(sender, await exchange(ca, await makeRequest(sender, await makeCsr(sender))));
    },
  };
}

const confirm = (sender: Holder, answer: ReturnType<typeof parseMessage>, statuses: object[]): Promise<Bytes> =>
  makeMessage(
    sender,
    { type: 'certConf', statuses: statuses.map((status) => ({ certHash: random(32), certReqId: -1, ...status })) },
    goingOn(answer),
  );

const confirmations: readonly Case[] = [
  afterIssue('another certHash', 'badCertId', (sender, answer) => confirm(sender, answer, [{}])),
  afterIssue('a certHash by another hash function', 'badCertId', async (sender, answer) => {
    const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', issuedCertificate(answer)));
    return confirm(sender, answer, [{ certHash: sha256 }]);
  }),
  afterIssue('certReqId 0', 'badRequest', async (sender, answer) =>
    confirm(sender, answer, [{ certHash: await certHash(issuedCertificate(answer)), certReqId: 0 }]),
  ),
  afterIssue('nothing confirmed', 'badRequest', (sender, answer) => confirm(sender, answer, [])),
  afterIssue('two certificates confirmed', 'badRequest', async (sender, answer) => {
    const status = { certHash: await certHash(issuedCertificate(answer)) };
    return confirm(sender, answer, [status, status]);
  }),
  afterIssue('another recipNonce', 'badRecipientNonce', (sender, answer) =>
    makeConfirmation(sender, answer, undefined, { recipNonce: random(16) }),
  ),
  afterIssue('no recipNonce', 'badRecipientNonce', (sender, answer) =>
    makeConfirmation(sender, answer, undefined, { recipNonce: undefined }),
  ),
  afterIssue('another holder', 'notAuthorized', async (_sender, answer) => makeConfirmation(await holder(), answer)),
  afterIssue('protection by the new key', 'badMessageCheck', async (sender, answer) =>
    makeConfirmation(sender, answer, undefined, { key: await generateKey('sm2') }),
  ),
  afterIssue('a rejection after the confirmation', 'certConfirmed', async (sender, answer) => {
    await exchange(ca, await makeConfirmation(sender, answer));
    return makeConfirmation(sender, answer, { status: 'rejection' });
  }),
  afterIssue('a confirmation after the rejection', 'certRevoked', async (sender, answer) => {
    await exchange(ca, await makeConfirmation(sender, answer, { status: 'rejection' }));
    return makeConfirmation(sender, answer);
  }),
  {
    what: 'a poll after the confirmation',
    failInfo: 'badRequest',
    make: async () => {
      const sender = await holder();
      const answer = await exchange(ca, await makeRequest(sender, await makeCsr(sender)));
      await exchange(ca, await makeConfirmation(sender, answer));
      return makePoll(sender, answer);
    },
  },
  {
    what: 'a confirmation while waiting',
    failInfo: 'badRequest',
    make: async () => {
      const sender = await holder({ waits: true });
      const answer = await exchange(ca, await makeRequest(sender, await makeCsr(sender)));
      return confirm(sender, answer, [{}]);
    },
  },
  {
    what: 'a poll with certReqId 0',
    failInfo: 'badRequest',
    make: async () => {
      const sender = await holder({ waits: true });
      const answer = await exchange(ca, await makeRequest(sender, await makeCsr(sender)));
      return makeMessage(sender, { type: 'pollReq', certReqIds: [0] }, goingOn(answer));
    },
  },
];

describe.each([
  ['a message', messages],
  ['a signer', signers],
  ['a request', requests],
  ['a transaction', transactions],
  ['what follows', confirmations],
] as const)('%s with one thing wrong is refused, and the authority says what', (_part, cases) => {
  test.each(cases)('$what: $failInfo', async ({ make, failInfo, body = 'error' }) => {
    const message = await make();

    const answer = await exchange(ca, message);

    expect(refusalIn(answer)).toEqual({ in: body, failInfo: [failInfo] });
  });
});

test('all these messages are good but for the one thing', async () => {
  const sender = await holder();
  const message = await makeRequest(sender, await makeCsr(sender));
  const again = await rebuilt(sender, message, {});
  const answer = await exchange(ca, again);
  expect(refusalIn(answer)).toBeUndefined();
});

test('every refusal stands in the ledger', async () => {
  const message = await changed({ unprotected: true });
  const before = ca.ledger.length;
  await exchange(ca, message);
  expect(ca.ledger.length).toBe(before + 1);
});

test.each([
  ['nothing', new Uint8Array()],
  ['something else', new TextEncoder().encode('GET / HTTP/1.1')],
  ['more than 64 KiB', concat(Uint8Array.of(0x30, 0x83, 1, 0, 0), new Uint8Array(0x10000))],
])('%s is not answered in CMP', async (_what, bytes) => {
  expect(await ca.responder.answer(bytes)).toBeUndefined();
});

test('a message cut anywhere is no message', async () => {
  const message = await changed({});
  for (let length = 0; length < message.length; length += 37) {
    expect(await ca.responder.answer(message.subarray(0, length))).toBeUndefined();
  }
});

describe('policy', () => {
  async function answerUnder(policy: Partial<Policy>, endsInDays: number): Promise<ReturnType<typeof refusalIn>> {
    const strict = await openReferenceCa({ now: clock.now, policy, hierarchy: ca.hierarchy });
    const sender = await makeHolder(strict, clock.now(), { endsInDays });
    return refusalIn(await exchange(strict, await makeRequest(sender, await makeCsr(sender))));
  }
  const refused = { in: 'error', failInfo: ['signerNotTrusted'] };

  test.each([
    ['accepts an expired signer by default', {}, -400, undefined],
    ['may refuse expired signers', { acceptsExpiredSigner: false }, -1, refused],
    ['may limit for how long', { maxExpiredDays: 10 }, -12, refused],
    ['accepts within that limit', { maxExpiredDays: 13 }, -12, undefined],
    [
      'accepts a signer on its last day, whatever it says of expired ones',
      { acceptsExpiredSigner: false },
      0,
      undefined,
    ],
    ['opens renewal 60 days before the end', {}, 60, undefined],
    ['may open it earlier', { windowDays: 90 }, 90, undefined],
    ['may bound the life of certificates', { maxLifeDays: 380 }, 30, { in: 'cp', failInfo: ['notAuthorized'] }],
  ] as const)('%s', async (_what, policy, endsInDays, expected) => {
    expect(await answerUnder(policy, endsInDays)).toEqual(expected);
  });
});

test('a day off is within what clocks may differ', async () => {
  const messageTime = new Date(clock.now().getTime() - dayMs);
  expect(refusalIn(await exchange(ca, await changed({ messageTime })))).toBeUndefined();
});
