import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { encodeCommand, type CommandApdu } from '../../../src/apdu/command.ts';
import { encodeTlv } from '../../../src/apdu/tlv.ts';
import { concat } from '../../../src/pki/bytes.ts';
import { layoutsFor } from '../../../src/diagnosis/layouts.ts';
import { slicesOf } from '../../../src/diagnosis/slices.ts';
import { TranscriptRecorder } from '../../../src/diagnosis/transcript-recorder.ts';
import { partBytes, type TranscriptExchange } from '../../../src/diagnosis/transcript.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { ScriptedChannel } from '../apdu/scripted-channel.ts';
import { sampleState, sm2KeyPair } from '../../virtual-key/make-state.ts';
import { onTheDesk, runAcceptance, toldBytes } from './laboratory.ts';

afterEach(() => vi.unstubAllGlobals());

const ok = hex('9000');
const options = { timeoutMs: 1000 };

/** Sends commands through a recorder to a key that answers with what is given. */
async function recorded(
  exchanges: readonly { readonly command: CommandApdu | Uint8Array; readonly response: Uint8Array }[],
): Promise<TranscriptExchange[]> {
  const responses = exchanges.map(({ response }) => response);
  const recorder = new TranscriptRecorder(() => 0);
  const channel = recorder.record(new ScriptedChannel(() => responses.shift() ?? ok));
  for (const { command } of exchanges) {
    await channel.transmit(command instanceof Uint8Array ? command : encodeCommand(command, 'extended'), options);
  }
  await channel.close();
  return recorder.sessions.flatMap((session) => session.exchanges);
}

const gmt = (ins: number, data?: Uint8Array, p1 = 0, p2 = 0): CommandApdu => ({
  ...{ cla: 0x80, ins, p1, p2, ne: 65_536 },
  ...(data ? { data } : {}),
});
const piv = (ins: number, p1: number, p2: number, data?: Uint8Array): CommandApdu => ({
  ...{ cla: 0, ins, p1, p2, ne: 256 },
  ...(data ? { data } : {}),
});

/** Every run of three bytes that is told. Two equal bytes are chance; three of a secret are a leak. */
function tells(exchanges: readonly TranscriptExchange[], secret: Uint8Array): boolean {
  const told = exchanges
    .flatMap(({ command, answer = [] }) => [...command, ...answer])
    .filter((part) => typeof part === 'string')
    .map((part) => Uint8Array.from(part.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16)));
  const has = (run: Uint8Array): boolean => {
    const wanted = toHex(run);
    return told.some((bytes) => bytes.some((_, at) => toHex(bytes.subarray(at, at + run.length)) === wanted));
  };
  for (let at = 0; at + 3 <= secret.length; at++) if (has(secret.subarray(at, at + 3))) return true;
  return false;
}

/** Bytes of which no three in a row are zeros, lengths or identifiers: told ones would be seen. */
const secret = (minLength: number, maxLength = minLength) =>
  fc.array(fc.integer({ min: 0x40, max: 0xfe }), { minLength, maxLength }).map((bytes) => Uint8Array.from(bytes));
const le = (value: number, size: number) => Uint8Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff);

/** Commands and answers with a secret in the place that the standard has for it. */
const placed: Readonly<
  Record<string, (secret: Uint8Array) => { readonly command: CommandApdu; readonly answer?: Uint8Array }>
> = {
  'VerifyPIN: proof': (s) => ({ command: gmt(0x18, concat(hex('0201'), s.subarray(0, 16)), 0, 1) }),
  'GenRandom: challenge': (s) => ({ command: gmt(0x50), answer: s.subarray(0, 8) }),
  'EnumApplication: name': (s) => ({ command: gmt(0x22), answer: concat(s, hex('0000')) }),
  'OpenApplication: name': (s) => ({ command: gmt(0x26, s), answer: hex('10000000 04 08 0000 0201') }),
  'EnumContainer: names': (s) => ({ command: gmt(0x46, hex('0201')), answer: concat(s, hex('00'), s, hex('0000')) }),
  'CreateContainer: name': (s) => ({ command: gmt(0x40, concat(hex('0201'), s)), answer: hex('0100') }),
  'GetDevInfo: issuer, label, serial': (s) => ({
    command: gmt(0x04),
    answer: concat(
      hex('01000100'),
      new Uint8Array(64),
      ...[64, 32, 32].map((length) => concat(s, new Uint8Array(64)).subarray(0, length)),
      new Uint8Array(92),
    ),
  }),
  'ImportCertificate: certificate': (s) => ({
    command: gmt(0x4c, concat(hex('0201 0100 01'), le(s.length, 4), s)),
  }),
  'ExportCertificate: certificate': (s) => ({
    command: gmt(0x4e, hex('0201 0100'), 1),
    answer: concat(le(s.length, 4), s),
  }),
  'GenECCKeyPair: public key': (s) => ({ command: gmt(0x70, hex('0201 0100 00010000')), answer: s.subarray(0, 64) }),
  'ExportPublicKey: public key': (s) => ({
    command: gmt(0x88, hex('0201 0100'), 1),
    answer: concat(hex('00010000'), s.subarray(0, 64)),
  }),
  'ECCSignData: message and signature': (s) => ({
    command: gmt(0x74, concat(hex('0201 0100'), le(4, 4), hex('31323334'), s), 1),
    answer: concat(hex('00010000'), s.subarray(0, 64)),
  }),
  'RSASignData: digest and signature': (s) => ({ command: gmt(0x58, concat(hex('0201 0100'), s), 2), answer: s }),
  'PIV VERIFY: password': (s) => ({ command: piv(0x20, 0, 0x80, s.subarray(0, 8)) }),
  'PIV GET DATA: certificate and name': (s) => ({
    command: piv(0xcb, 0x3f, 0xff, hex('5c035fc105')),
    answer: encodeTlv(
      0x53,
      encodeTlv(0x70, s),
      hex('710100'),
      encodeTlv(0x72, s.subarray(0, 30)),
      encodeTlv(0xdf49, s),
      hex('fe00'),
    ),
  }),
  'PIV GET DATA: any other object': (s) => ({
    command: piv(0xcb, 0x3f, 0xff, hex('5c035fc109')),
    answer: encodeTlv(0x53, encodeTlv(0x88, encodeTlv(0x89, s))),
  }),
  'PIV PUT DATA: certificate': (s) => ({
    command: piv(0xdb, 0x3f, 0xff, concat(hex('5c035fc10d'), encodeTlv(0x53, encodeTlv(0x70, s), hex('710100fe00')))),
  }),
  'PIV PUT DATA: any other object': (s) => ({
    command: piv(0xdb, 0x3f, 0xff, concat(hex('5c035fff00'), encodeTlv(0x53, s))),
  }),
  'PIV GENERAL AUTHENTICATE: management key': (s) => ({
    command: piv(0x87, 3, 0x9b, encodeTlv(0x7c, encodeTlv(0x80, s), encodeTlv(0x81, s))),
    answer: encodeTlv(0x7c, encodeTlv(0x82, s)),
  }),
  'PIV GENERAL AUTHENTICATE: signature': (s) => ({
    command: piv(0x87, 0x11, 0x9a, encodeTlv(0x7c, hex('8200'), encodeTlv(0x81, s))),
    answer: encodeTlv(0x7c, encodeTlv(0x82, s)),
  }),
  'PIV GENERATE: public key': (s) => ({
    command: piv(0x47, 0, 0x82, hex('ac03800111')),
    answer: encodeTlv(0x7f49, encodeTlv(0x86, s)),
  }),
  'PIV GET METADATA: public key': (s) => ({
    command: piv(0xf7, 0, 0x9a),
    answer: concat(hex('010111 02020201 030101'), encodeTlv(0x04, encodeTlv(0x86, s))),
  }),
  'PIV GET SERIAL: serial number': (s) => ({ command: piv(0xf8, 0, 0), answer: s.subarray(0, 4) }),
};

describe('what an exchange tells', () => {
  it.each(Object.entries(placed))('%s is hidden', async (_, place) => {
    await fc.assert(
      fc.asyncProperty(secret(64, 300), async (bytes) => {
        const { command, answer = new Uint8Array() } = place(bytes);

        const exchanges = await recorded([{ command, response: concat(answer, ok) }]);

        // What would be told of another secret too, the tags and lengths around it, may happen to be like this one.
        const other = place(new Uint8Array(bytes.length));
        const around = await recorded([
          { command: other.command, response: concat(other.answer ?? new Uint8Array(), ok) },
        ]);
        fc.pre(!tells(around, bytes));
        expect(tells(exchanges, bytes)).toBe(false);
        expect(exchanges).toHaveLength(1);
        // The place has a name: it is not only unknown data.
        expect(JSON.stringify(exchanges)).not.toMatch(/"is":"other","bytes":\d{3}/);
      }),
      { numRuns: 15 },
    );
  });

  it('is nothing of a command or an answer that is laid out otherwise', async () => {
    const anyIns = fc.constantFrom(...Array.from({ length: 256 }, (_, ins) => ins));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0x80, 0x84, 0x00, 0x0c, 0xb0),
        anyIns,
        fc.constantFrom(0, 1, 2, 0x3f),
        // No byte of the one is one of the other: what is told of the answer is not mistaken for the data.
        secret(3, 200).map((bytes) => bytes.map((byte) => byte & 0xfe)),
        secret(16, 400).map((bytes) => bytes.map((byte) => byte | 1)),
        async (cla, ins, p1, data, answer) => {
          const exchanges = await recorded([
            { command: { cla, ins, p1, p2: 0, data, ne: 65_536 }, response: concat(answer, ok) },
          ]);

          expect(tells(exchanges, data)).toBe(false);
          // Sizes and masks of an answer with no field for secrets may be of any value: at most those of GetDevInfo.
          const told = exchanges.flatMap(({ answer: parts = [] }) => parts).filter((part) => typeof part === 'string');
          expect(told.join('').length / 2).toBeLessThanOrEqual(16);
        },
      ),
    );
  });

  it('has the length of what it hides', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(placed)), secret(64, 300), async (place, bytes) => {
        const { command, answer = new Uint8Array() } = place(bytes);

        const [exchange] = await recorded([{ command, response: concat(answer, ok) }]);

        const length = (parts: TranscriptExchange['command'] = []) =>
          parts.reduce((sum, part) => sum + partBytes(part), 0);
        expect(length(exchange?.command)).toBe(command.data?.length ?? 0);
        expect(length(exchange?.answer)).toBe(answer.length);
      }),
    );
  });

  it('is one field of which nothing is known where a layout does not fit', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 0, max: 255 }), (bytes, ins) => {
        for (const cla of [0x80, 0x00]) {
          const { command, answer } = layoutsFor({ cla, ins, p1: 1, p2: 0 });
          for (const layout of [command, answer]) {
            const slices = slicesOf(bytes, layout);
            // In every case the slices are the whole data, in order.
            expect(toHex(concat(...slices.map((slice) => slice.bytes)))).toBe(toHex(bytes));
          }
        }
      }),
    );
  });
});

describe('fields that come in several APDUs', () => {
  it('are redacted as one: a certificate that is sent in a chain', async () => {
    const certificate = new Uint8Array(300).fill(0x77);
    const data = concat(hex('0201 0100 01'), le(300, 4), certificate);

    const exchanges = await recorded([
      { command: concat(hex('904c0000 ff'), data.subarray(0, 255)), response: ok },
      { command: concat(hex('804c0000'), Uint8Array.of(data.length - 255), data.subarray(255)), response: ok },
    ]);

    expect(exchanges).toMatchObject([
      {
        header: '804c0000',
        command: [
          { is: 'applicationId', bytes: 2, n: 1 },
          { is: 'containerId', bytes: 2, n: 1 },
          '012c010000',
          { is: 'certificate', bytes: 300, n: 1 },
        ],
        sw: '9000',
        apdus: [
          { header: '904c0000', sent: 255, answered: 0, sw: '9000' },
          { header: '804c0000', sent: 54, answered: 0, sw: '9000' },
        ],
      },
    ]);
  });

  it('are redacted as one: an answer fetched by GET RESPONSE, after the right Le was told', async () => {
    const answer = concat(hex('01000100'), new Uint8Array(284).fill(0x55));

    const exchanges = await recorded([
      { command: hex('8004000010'), response: hex('6c00') },
      { command: hex('8004000000'), response: concat(answer.subarray(0, 256), hex('6120')) },
      { command: hex('00c0000020'), response: concat(answer.subarray(256), ok) },
    ]);

    expect(exchanges).toHaveLength(1);
    expect(exchanges[0]?.apdus.map(({ header, answered, sw }) => `${header} ${answered ?? ''} ${sw ?? ''}`)).toEqual([
      '80040000 0 6c00',
      '80040000 256 6120',
      '00c00000 32 9000',
    ]);
    expect(exchanges[0]?.answer?.filter((part) => typeof part !== 'string')).toEqual([
      { is: 'issuer', bytes: 64 },
      { is: 'label', bytes: 32 },
      { is: 'serialNumber', bytes: 32 },
      { is: 'other', bytes: 4 },
      { is: 'other', bytes: 54 },
    ]);
  });

  it('are redacted as one: a certificate that goes on at the same command (6A9E)', async () => {
    const command = gmt(0x4e, hex('0201 0100'), 1);
    const whole = concat(le(300, 4), new Uint8Array(300).fill(0x77));

    const exchanges = await recorded([
      { command, response: concat(whole.subarray(0, 200), hex('6a9e')) },
      { command, response: concat(whole.subarray(200), ok) },
    ]);

    expect(exchanges).toMatchObject([{ answer: ['2c010000', { is: 'certificate', bytes: 300, n: 1 }], sw: '9000' }]);
  });

  it('are told as unknown when the rest never came', async () => {
    const certificate = new Uint8Array(300).fill(0x77);
    const data = concat(hex('0201 0100 01'), le(300, 4), certificate);

    const exchanges = await recorded([
      { command: concat(hex('904c0000 ff'), data.subarray(0, 255)), response: hex('6a84') },
    ]);

    expect(exchanges).toMatchObject([{ command: [{ is: 'other', bytes: 255 }], sw: '6a84' }]);
  });
});

it('numbers equal values alike, and no others', async () => {
  const open = (name: string, id: string) => ({
    command: gmt(0x42, concat(hex('0201'), new TextEncoder().encode(name))),
    response: concat(hex(id), ok),
  });

  const exchanges = await recorded([open('A', '0100'), open('B', '0200'), open('A', '0100')]);

  const numbers = exchanges.map(({ command, answer = [] }) =>
    [...command, ...answer].map((part) => (typeof part === 'string' ? part : part.n)),
  );
  expect(numbers).toEqual([
    [1, 1, 1],
    [1, 2, 2],
    [1, 1, 1],
  ]);
});

it('says why no answer came', async () => {
  const recorder = new TranscriptRecorder(() => 0);
  const wire = new ScriptedChannel(() => Promise.reject(new Error('defect')));
  const channel = recorder.record(wire);

  await expect(channel.transmit(hex('8004000000'), options)).rejects.toThrow('defect');

  expect(recorder.sessions[0]?.exchanges).toMatchObject([
    { header: '80040000', failure: 'failed', apdus: [{ sent: 0, ms: 0 }] },
  ]);
});

describe.each(['longmai-hid', 'ccid-extended', 'ccid-short'] as const)(
  'a run with a key attached by %s',
  (attachment) => {
    it('tells nothing of password, serial number, holder and certificates', async () => {
      const password = 'CANARY%pass+1742';
      const serialNumber = 'CANARY-SERIAL-0815';
      const signing = sm2KeyPair({ commonName: 'CANARY 天津某某有限公司' });
      const encryption = sm2KeyPair({ commonName: 'CANARY 天津某某有限公司' });
      const name = 'CANARY-CONTAINER';
      const state = sampleState({ attachment, serialNumber, containers: [{ name, id: 7, signing, encryption }] });
      const [application] = state.applications;
      if (!application) throw new Error('no application');
      const virtual = await onTheDesk({
        ...state,
        info: { ...state.info, issuer: 'CANARY-ISSUER', label: 'CANARY-LABEL' },
        applications: [{ ...application, name: 'CANARY-APPLICATION', userPassword: password }],
      });

      const { transcript, outcomes } = await runAcceptance(virtual, { answers: ['CANARY-wrong', password, password] });

      expect(outcomes['remove']).toBe('passed');
      const text = JSON.stringify(transcript);
      expect(text).not.toMatch(/canary/i);
      const canaries = [
        ...['CANARY', '天津某某有限公司', password].map((word) => toHex(new TextEncoder().encode(word))),
        ...[signing, encryption].flatMap(({ certificate = '', publicKey, privateKey }) => [
          publicKey,
          privateKey,
          // A certificate begins as all of them do.
          certificate.slice(40),
        ]),
      ];
      for (const canary of canaries) {
        // Eight bytes of any of them, anywhere in what is told.
        for (let at = 0; at + 16 <= Math.max(16, canary.length); at += 2) {
          const run = canary.slice(at, at + 16);
          if (run.length >= 8) expect(toldBytes(transcript).some((told) => told.includes(run))).toBe(false);
        }
      }
    });
  },
);
