import { readFileSync } from 'node:fs';
import { type ApduChannel, TransportError } from '../../src/apdu/channel.ts';
import { ApduSession } from '../../src/apdu/session.ts';
import { decodeTlvs, encodeTlv, TlvError } from '../../src/apdu/tlv.ts';
import { CanokeyResponse, parseCanokeyState } from '../../src/device/canokey-control.ts';
import { CcidBulk } from '../../src/device/ccid-bulk.ts';
import { findCcidDescriptor, parseCcidDescriptor } from '../../src/device/ccid-descriptor.ts';
import { getSlotStatus, parseNotification, parseReply, ResponseJoiner } from '../../src/device/ccid.ts';
import { buildRequest, parseLongmaiReply, ReportJoiner, segmentMessage } from '../../src/device/longmai-report.ts';
import type { Turn } from '../../src/device/turns.ts';
import { concat, fromHex, type Bytes } from '../../src/pki/bytes.ts';
import * as pivCommands from '../../src/usbkey/piv-commands.ts';
import * as pivObjects from '../../src/usbkey/piv-objects.ts';
import * as skfCommands from '../../src/usbkey/skf-commands.ts';
import { KeyError } from '../../src/usbkey/usbkey.ts';
import { mutateBytes } from './mutate.ts';
import { readCorpus } from './parser-targets.ts';
import type { Random } from './random.ts';
import { readersOf, type Target } from './target.ts';

const nothing = new Uint8Array();
/** The most exchanges one input may lead to: more is an endless loop. */
const maxExchanges = 5000;

/** The key has nothing more to say: it was pulled out. */
const unplugged = (): TransportError => new TransportError('disconnected', 'unplugged');

/** Bytes as a list of messages, each behind its length: what a mutant of a whole conversation is. */
export function cut(input: Uint8Array): readonly Bytes[] {
  const parts: Bytes[] = [];
  for (let offset = 0; offset < input.length;) {
    const length = ((input[offset] ?? 0) << 8) | (input[offset + 1] ?? 0);
    parts.push(new Uint8Array(input.subarray(offset + 2, offset + 2 + length)));
    offset += 2 + length;
  }
  return parts;
}
const joined = (parts: readonly Uint8Array[]): Bytes =>
  concat(...parts.flatMap((part) => [Uint8Array.of(part.length >> 8, part.length & 0xff), part]));

/** Mutants of a conversation: messages changed, lost, repeated, out of order, or of another conversation. */
function conversations(scripts: readonly (readonly Uint8Array[])[]): (random: Random) => Bytes {
  const all = scripts.flat();
  return (random) => {
    const parts = [...random.pick(scripts)];
    for (let round = random.below(3); round >= 0; round--) {
      const at = random.below(parts.length);
      const part = parts[at] ?? nothing;
      switch (random.below(8)) {
        case 0:
          parts.splice(at, 1);
          break;
        case 1:
          parts.splice(at, 0, ...Array.from({ length: random.pick([1, 2, 40, 300]) }, () => part));
          break;
        case 2:
          parts.splice(at, 0, random.pick(all));
          break;
        case 3:
          parts.splice(at, 1, part.subarray(0, random.below(part.length + 1)));
          break;
        case 4:
          parts.splice(at, 1, random.bytes(random.below(70)));
          break;
        default:
          if (at < parts.length) parts[at] = mutateBytes(random, part);
      }
    }
    return joined(parts);
  };
}

const mutantsOf =
  (sources: readonly Uint8Array[]) =>
  (random: Random): Bytes =>
    mutateBytes(random, random.pick(sources));

function dataBlock(data: Uint8Array, chain = 0, status = 0, type = 0x80): Bytes {
  return concat(Uint8Array.of(type, data.length & 0xff, data.length >> 8, 0, 0, 0, 1, status, 0, chain), data);
}
const counted = (length: number): Bytes => Uint8Array.from({ length }, (_, index) => index & 0xff);

/** The end of an exchange is looked at from outside here: nothing of it takes time. */
const turn: Turn = {
  over: false,
  timeoutMs: 1000,
  restart: () => undefined,
  part: (_timeoutMs, work) => work(turn),
};

type Lies = 'ok' | 'stall' | 'babble';
/** A device whose bulk-IN endpoint gives these transfers, then nothing for ever. A first byte FE or FD is a status. */
function bulkDevice(transfers: readonly Bytes[]): USBDevice {
  let next = 0;
  const device = {
    transferIn: () => {
      const data = transfers[next++];
      if (!data) return Promise.reject(unplugged());
      const status: Lies = data[0] === 0xfe ? 'stall' : data[0] === 0xfd ? 'babble' : 'ok';
      return Promise.resolve({ status, data: new DataView(data.buffer) });
    },
    transferOut: (_endpoint: number, data: BufferSource) =>
      Promise.resolve({ status: 'ok', bytesWritten: data.byteLength }),
    clearHalt: () => Promise.resolve(),
  };
  return device as unknown as USBDevice;
}

const endpoints = { in: 1, out: 2, inPacketBytes: 64, outPacketBytes: 64 } as const;
const transfersOf = (message: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: Math.floor(message.length / 64) + 1 }, (_, index) =>
    message.subarray(64 * index, 64 * index + 64),
  );

function ccid(): Target {
  const long = dataBlock(counted(600));
  const scripts = [
    transfersOf(dataBlock(fromHex('9000'))),
    transfersOf(long),
    [
      ...transfersOf(dataBlock(counted(250), 1)),
      ...transfersOf(dataBlock(counted(250), 3)),
      ...transfersOf(dataBlock(fromHex('019000'), 2)),
    ],
    [dataBlock(nothing, 0, 0x80), ...transfersOf(dataBlock(fromHex('6a82')))],
    [dataBlock(nothing, 0, 0x40, 0x81), Uint8Array.of(0xfe), nothing],
  ];
  return {
    name: 'ccid',
    mutate: conversations(scripts),
    run: readersOf(
      [TransportError],
      [
        async (input) => {
          const transfers = cut(input);
          const bulk = new CcidBulk(bulkDevice(transfers), endpoints, {
            maxMessageBytes: 3072,
            zeroLengthPacket: false,
          });
          const joiner = new ResponseJoiner();
          let message = await bulk.exchange(getSlotStatus(0, 1), turn);
          for (let count = 0; ; count++) {
            if (count > maxExchanges) throw new Error('receives without end');
            const { specific, data } = parseReply(message);
            if (joiner.push(specific, data)) return;
            message = await bulk.receive(turn);
          }
        },
      ],
    ),
  };
}

function ccidDescriptors(): Target {
  const descriptor = fromHex(
    '36210001000703000000a00f0000a00f0000000080250000000000000000000000000000000000000000be00040000100000000000000001',
  ).subarray(0, 0x36);
  const configuration = concat(
    fromHex('09025d0001010080320904000003ffffff000b0000'),
    descriptor,
    fromHex('0705810240000007050202400000'),
  );
  const interrupts = ['5003', '500201', '51000a02'].map(fromHex);
  return {
    name: 'ccid-descriptors',
    mutate: mutantsOf([descriptor, configuration, ...interrupts]),
    run: readersOf(
      [TransportError],
      [parseCcidDescriptor],
      [(input) => findCcidDescriptor(input, 0), parseNotification],
    ),
  };
}

function longmai(): Target {
  const vectors = JSON.parse(readFileSync(new URL('../vectors/longmai-hid.json', import.meta.url), 'utf8')) as {
    readonly requests: readonly { readonly report: string }[];
  };
  const reply = (body: Uint8Array): readonly Bytes[] => {
    const header = new Uint8Array(20);
    header.set([0xaa, 0xaa, body.length & 0xff, body.length >> 8]);
    header[19] = 7;
    return segmentMessage(concat(header, body));
  };
  const scripts = [
    reply(fromHex('9000')),
    reply(counted(44)),
    reply(counted(600)),
    vectors.requests.map(({ report }) => fromHex(report)),
    segmentMessage(buildRequest(counted(300), 1)),
  ];
  return {
    name: 'longmai',
    mutate: conversations(scripts),
    run: readersOf(
      [TransportError],
      [
        (input) => {
          const joiner = new ReportJoiner();
          let answer;
          for (const report of cut(input)) {
            const message = joiner.push(report);
            if (message) answer = parseLongmaiReply(message);
          }
          if (!answer) throw unplugged();
        },
      ],
    ),
  };
}

function canokey(): Target {
  const state = (value: number): Bytes => Uint8Array.of(value);
  const scripts = [
    [state(1), state(1), state(0), fromHex('9000'), state(4)],
    [state(0), counted(1500), state(0), counted(100), state(0xff)],
    [state(3), state(2), state(0), nothing],
  ];
  return {
    name: 'canokey',
    mutate: conversations(scripts),
    run: readersOf(
      [TransportError],
      [
        (input) => {
          // What one byte says is a state; anything else is a part of the response.
          const parts = cut(input);
          const response = new CanokeyResponse();
          for (const [index, part] of parts.entries()) {
            if (part.length === 1) parseCanokeyState(part);
            else if (response.push(part, parts[index + 2]?.length === 1500)) return;
          }
          throw unplugged();
        },
      ],
    ),
  };
}

function session(): Target {
  const scripts = [
    [fromHex('01029000')],
    [concat(counted(256), fromHex('6110')), concat(counted(16), fromHex('9000'))],
    [fromHex('6c20'), concat(counted(32), fromHex('9000'))],
    [fromHex('9000'), fromHex('9000'), fromHex('6a80')],
    [concat(counted(255), fromHex('6100')), concat(counted(255), fromHex('6100')), fromHex('6101'), fromHex('9000')],
  ];
  const command = { cla: 0, ins: 0xcb, p1: 0x3f, p2: 0xff, data: counted(600), ne: 256 } as const;
  return {
    name: 'session',
    mutate: conversations(scripts),
    run: readersOf(
      [TransportError],
      (['short', 'extended'] as const).map((apduLevel) => async (input: Bytes) => {
        const answers = cut(input);
        let next = 0;
        const channel: ApduChannel = {
          apduLevel,
          maxCommandBytes: apduLevel === 'short' ? 261 : 4096,
          gone: new AbortController().signal,
          // Begins again when it has said all: a key that lies for ever.
          transmit: () => {
            if (next > maxExchanges) return Promise.reject(new Error('exchanges without end'));
            const answer = answers[next++ % Math.max(1, answers.length)];
            return answer ? Promise.resolve(answer) : Promise.reject(unplugged());
          },
          close: () => Promise.resolve(),
        };
        const { data } = await new ApduSession(channel, { extendedLength: 'wherePossible' }).exchange(command, {
          timeoutMs: 1,
        });
        if (data.length > 65_536) throw new Error(`a response of ${data.length} bytes`);
      }),
    ),
  };
}

function tlv(): Target {
  const [certificate = nothing] = readCorpus().certificate;
  const nested = encodeTlv(0x7c, encodeTlv(0x82), encodeTlv(0x81, counted(32)));
  return {
    name: 'tlv',
    mutate: mutantsOf([
      encodeTlv(0x53, encodeTlv(0x70, certificate), encodeTlv(0x71, Uint8Array.of(0)), encodeTlv(0xfe)),
      nested,
      encodeTlv(0x5fc105, counted(300)),
      encodeTlv(0x7f49, encodeTlv(0x86, counted(65))),
    ]),
    run: readersOf([TlvError], [decodeTlvs]),
  };
}

function piv(): Target {
  const { certificate, spki } = readCorpus();
  const container = `R${'0123456789abcdef'.repeat(2)}`;
  const object = (content: Parameters<typeof pivObjects.encodeCertificateObject>[0]): Bytes =>
    encodeTlv(0x53, ...pivObjects.encodeCertificateObject(content));
  const modulus = concat(Uint8Array.of(0xc1), counted(254), Uint8Array.of(1));
  const rsa = concat(encodeTlv(0x81, modulus), encodeTlv(0x82, Uint8Array.of(1, 0, 1)));
  const point = encodeTlv(0x86, (spki[0] ?? nothing).slice(-65));
  const p256Point = encodeTlv(0x86, (spki[1] ?? nothing).slice(-65));
  const metadata = (algorithm: number, key: Uint8Array): Bytes =>
    concat(
      encodeTlv(0x01, Uint8Array.of(algorithm)),
      encodeTlv(0x02, Uint8Array.of(2, 1)),
      encodeTlv(0x03, Uint8Array.of(1)),
      encodeTlv(0x04, key),
      encodeTlv(0x05, Uint8Array.of(1)),
      encodeTlv(0x06, Uint8Array.of(3, 2)),
    );
  const sources = [
    object({ container, certificate: certificate[0] }),
    object({ container, certificate: certificate[2], publicKey: spki[1] }),
    object({ container }),
    encodeTlv(0x53, ...pivObjects.encodeFreedObject(spki[1])),
    encodeTlv(0x53),
    concat(encodeTlv(0x30, counted(25)), encodeTlv(0x34, counted(16)), encodeTlv(0x35, counted(8)), encodeTlv(0xfe)),
    concat(encodeTlv(0xc1, Uint8Array.of(1)), encodeTlv(0xc2, Uint8Array.of(2)), encodeTlv(0xf3)),
    encodeTlv(0x80, encodeTlv(0x81, Uint8Array.of(2))),
    encodeTlv(0x88, encodeTlv(0x89, counted(24))),
    encodeTlv(0x7f49, point),
    encodeTlv(0x7f49, p256Point),
    encodeTlv(0x7f49, rsa),
    encodeTlv(0x7c, encodeTlv(0x82, readCorpus().signature[0] ?? nothing)),
    encodeTlv(0x7c, encodeTlv(0x82, counted(256))),
    encodeTlv(0x61, encodeTlv(0x4f, fromHex('a00000030800001000'))),
    metadata(0x11, p256Point),
    metadata(0x54, point),
    metadata(0x07, rsa),
    fromHex('0122052350545355'),
    fromHex('050403'),
  ];
  const sm2Algorithm = 0x54;
  return {
    name: 'piv',
    mutate: mutantsOf(sources),
    run: readersOf(
      [KeyError],
      [
        (input) => {
          const read = pivObjects.parseCertificateObject(input);
          if (typeof read === 'object') pivObjects.encodeFormerObject(read, container);
          if (read === 'unreadable') throw new KeyError('malformed', read);
        },
        (input) => {
          const value = pivCommands.parseObject(input);
          pivObjects.offCardKeys(value);
          pivObjects.cardGuid(value);
        },
        pivCommands.checkSelected,
        (input) => pivCommands.parseGenerated(input, 0x11),
        (input) => pivCommands.parseGenerated(input, 0x14),
        (input) => pivCommands.parseGenerated(input, 0x07),
        (input) => pivCommands.parseGenerated(input, sm2Algorithm, sm2Algorithm),
        (input) => pivCommands.parseRsaSignature(input, 256),
        (input) => pivCommands.parseEcSignature(input, 32),
        (input) => pivCommands.parseBlock(input, 'response', 8),
        (input) => pivCommands.metadataSpki(pivCommands.parseSlotMetadata(input), sm2Algorithm),
        pivCommands.parseManagementMetadata,
        pivCommands.parsePasswordMetadata,
        pivCommands.parseVersion,
        pivCommands.parseSerial,
        pivCommands.parseSm2Algorithm,
      ],
      [pivObjects.offCardKeys, pivObjects.cardGuid, pivObjects.managementKeyIsKept, pivObjects.keptManagementKey],
    ),
  };
}

function skf(): Target {
  const { certificate: certificates, spki } = readCorpus();
  const [certificate = nothing] = certificates;
  const length = Uint8Array.of(certificate.length & 0xff, certificate.length >> 8, 0, 0);
  const point = (spki[0] ?? nothing).slice(-64);
  const modulus = (bytes: number): Bytes => concat(Uint8Array.of(0x80), counted(bytes - 1));
  const padding = new Uint8Array(32);
  const names = new TextEncoder().encode('ENTSAFE-ESPK\u0000TAX\u0000\u0000');
  const sources = [
    concat(Uint8Array.of(1, 0), counted(290)),
    concat(length, certificate),
    names,
    counted(10),
    Uint8Array.of(6, 5, 1),
    Uint8Array.of(2, 0, 1, 0, 0, 1, 0, 0, 1, 1, 1),
    counted(64),
    concat(Uint8Array.of(0, 1, 0, 0), counted(128)),
    counted(262),
    // ExportPublicKey and the signature: short, as GM/T 0016 has it, and of RSA keys with e either way round.
    concat(fromHex('00010000'), point),
    concat(fromHex('00010000'), padding, point.subarray(0, 32), padding, point.subarray(32)),
    concat(fromHex('0004'), fromHex('01000100'), modulus(128)),
    concat(fromHex('0008'), fromHex('00010001'), modulus(256)),
    concat(modulus(256), fromHex('01000100')),
  ];
  return {
    name: 'skf',
    mutate: mutantsOf(sources),
    run: readersOf(
      [KeyError],
      [
        skfCommands.parseDevInfo,
        (input) => skfCommands.parseRandom(input, 8),
        skfCommands.parseNames,
        skfCommands.parseOpenApplication,
        skfCommands.parsePinInfo,
        skfCommands.parseContainerId,
        skfCommands.parseContainerInfo,
        skfCommands.missingOfExport,
        skfCommands.parseExportedCertificate,
        skfCommands.parseGeneratedEcc,
        skfCommands.parseEccPublicKey,
        skfCommands.parseEccSignature,
        (input) => skfCommands.parseGeneratedRsa(input, 2048),
        skfCommands.parseRsaPublicKey,
      ],
    ),
  };
}

/** Everything in `src/apdu`, `src/device` and `src/usbkey` that reads what a key sends. */
export function deviceTargets(): readonly Target[] {
  return [tlv(), ccid(), ccidDescriptors(), longmai(), canokey(), session(), piv(), skf()];
}
