import { headerOf } from '../../src/diagnosis/replay.ts';
import type { Transcript, TranscriptExchange, TranscriptPart } from '../../src/diagnosis/transcript.ts';
import { certificateObject, samplePair } from '../unit/usbkey/piv-samples.ts';
import { bytesToHex, hexToBytes } from '../virtual-key/bytes.ts';
import { rsaKeyPair, samplePassword, samplePivState, sampleState, sm2KeyPair } from '../virtual-key/make-state.ts';
import { generateRsaKeyPair } from '../virtual-key/rsa.ts';
import type {
  ApplicationState,
  Attachment,
  ContainerState,
  KeyPairState,
  KeyState,
  PivAlgorithm,
} from '../virtual-key/state.ts';

/*
 * A virtual key that holds as much as the key of a transcript did before the run, of the same kinds: so that what goes
 * otherwise in a replay is not what is on the key but what the key does.
 */

type Placeholder = Exclude<TranscriptPart, string>;

export async function keyLike(transcript: Transcript): Promise<KeyState> {
  const exchanges = before(transcript);
  const isPiv = exchanges.every(({ header }) => header.startsWith('00'));
  return isPiv ? pivKeyLike(transcript, exchanges) : gmt0017KeyLike(transcript, exchanges);
}

/** What went before the run made its container: CreateContainer, or the first PUT DATA. */
function before({ sessions: [first] }: Transcript): readonly TranscriptExchange[] {
  const exchanges = first?.exchanges ?? [];
  const end = exchanges.findIndex(({ header }) => /^(?:8040|00db)/.test(header));
  return end < 0 ? exchanges : exchanges.slice(0, end);
}

const places = (parts: readonly TranscriptPart[] = [], kind: Placeholder['is']): Placeholder[] =>
  parts.filter((part) => typeof part !== 'string').filter(({ is }) => is === kind);
const kept = (parts: readonly TranscriptPart[] = []): string =>
  parts.filter((part) => typeof part === 'string').join('');
const numberOf = (parts: readonly TranscriptPart[], kind: Placeholder['is']): number => places(parts, kind)[0]?.n ?? 0;

// --- GM/T 0017 --------------------------------------------------------------------------------------------------------

interface Draft {
  readonly name: string;
  readonly containers: Map<number, ContainerState>;
  tries: readonly [maximum: number, remaining: number];
}

async function gmt0017KeyLike(transcript: Transcript, exchanges: readonly TranscriptExchange[]): Promise<KeyState> {
  const applications = new Map<number, Draft>();
  const byId = new Map<number, Draft>();
  let maxContainers = 0;
  for (const { header, command, answer, sw } of exchanges) {
    if (sw !== '9000') continue;
    const application = byId.get(numberOf(command, 'applicationId'));
    switch (headerOf(header).ins) {
      case 0x22:
        for (const place of places(answer, 'applicationName')) {
          const draft = applications.get(place.n ?? 0) ?? {
            name: nameFor(place),
            containers: new Map(),
            tries: [6, 6],
          };
          applications.set(place.n ?? 0, draft);
        }
        break;
      case 0x26: {
        const opened = applications.get(numberOf(command, 'applicationName'));
        if (opened) byId.set(numberOf(answer ?? [], 'applicationId'), opened);
        maxContainers = Math.max(maxContainers, Number.parseInt(kept(answer).slice(0, 2), 16) || 0);
        break;
      }
      case 0x14: {
        const [maximum = 6, remaining = 6] = hexToBytes(kept(answer));
        if (application) application.tries = [maximum, remaining];
        break;
      }
      case 0x46:
        for (const place of places(answer, 'containerName')) {
          const { containers } = application ?? { containers: new Map<number, ContainerState>() };
          const id = containers.size + 1;
          if (!containers.has(place.n ?? 0)) containers.set(place.n ?? 0, { name: nameFor(place), id });
        }
        break;
      case 0x4a: {
        const container = application?.containers.get(numberOf(command, 'containerName'));
        if (container) await fill(container, hexToBytes(kept(answer)));
        break;
      }
    }
  }
  const made: ApplicationState[] = Array.from(applications.values(), ({ name, containers, tries }, index) => ({
    ...{ name, id: 0x0101 + index, userPassword: samplePassword, maxTries: tries[0], remainingTries: tries[1] },
    ...{ nextContainerId: containers.size + 1, containers: [...containers.values()] },
  }));
  const most = Math.max(1, ...made.map(({ containers }) => containers.length + 1));
  const state = sampleState({ attachment: attachmentOf(transcript), maxContainers: Math.max(maxContainers, most) });
  return { ...state, applications: made };
}

/** GetContainerInfo: type 1, bits 4 and 4, certificates 1 and 1. */
async function fill(container: ContainerState, info: Uint8Array): Promise<void> {
  const pair = async (bits: number, certificate: number): Promise<KeyPairState | undefined> => {
    const withCertificate = info[certificate] === 1;
    if (info.subarray(bits, bits + 4).every((byte) => byte === 0)) return undefined;
    if (info[0] === 2) return sm2KeyPair({ withCertificate });
    const { pkcs8, spki } = await generateRsaKeyPair(2048);
    return rsaKeyPair(pkcs8, spki, { withCertificate });
  };
  const [signing, encryption] = [await pair(1, 9), await pair(5, 10)];
  Object.assign(container, signing ? { signing } : {}, encryption ? { encryption } : {});
}

/** As long as the name was, and no other's. */
const nameFor = ({ n = 0, bytes }: Placeholder): string => String(n).padStart(bytes, 'X');

function attachmentOf({ vendorId, sessions: [first] }: Transcript): Attachment {
  if (vendorId === 0x055c) return 'longmai-hid';
  return first?.apduLevel === 'short' ? 'ccid-short' : 'ccid-extended';
}

// --- PIV --------------------------------------------------------------------------------------------------------------

const firstRetiredSlot = 0x82;
const firstRetiredObject = 0x5fc10d;
const slotOfObject = new Map([
  [0x5fc105, 0x9a],
  [0x5fc10a, 0x9c],
  [0x5fc10b, 0x9d],
  [0x5fc101, 0x9e],
  ...Array.from({ length: 20 }, (_, i): [number, number] => [firstRetiredObject + i, firstRetiredSlot + i]),
]);
const algorithms = new Map<string, PivAlgorithm>([
  ['11', 'p256'],
  ['07', 'rsa2048'],
]);

function pivKeyLike(transcript: Transcript, exchanges: readonly TranscriptExchange[]): KeyState {
  const sm2Algorithm = sm2Of(exchanges);
  const inSlots = new Map<number, PivAlgorithm>();
  const objects: Record<string, Uint8Array> = {};
  /** Retired slots that there are: on a key with GET METADATA those it does not refuse as none (6A86). */
  const asked = new Set<number>();
  const none = new Set<number>();
  let metadata = false;
  let moveKey = false;
  for (const { header, command, answer, sw } of exchanges) {
    const { ins, p2 } = headerOf(header);
    if (ins === 0xf6) moveKey ||= sw !== '6d00';
    if (ins === 0xf7) {
      metadata ||= sw !== '6d00';
      if (sw === '6a86') none.add(p2);
      const [, algorithm = ''] = /^0101(..)/.exec(kept(answer)) ?? [];
      const named = algorithms.get(algorithm) ?? (Number.parseInt(algorithm, 16) === sm2Algorithm ? 'sm2' : undefined);
      if (sw === '9000' && named && p2 !== 0x9b && p2 !== 0x80) inSlots.set(p2, named);
    }
    if (ins !== 0xcb) continue;
    const tag = Number.parseInt(kept(command).slice(4), 16);
    const slot = slotOfObject.get(tag);
    if (slot !== undefined) asked.add(slot);
    if (sw !== '9000' || !answer) continue;
    if (slot !== undefined && places(answer, 'certificate').length > 0) inSlots.set(slot, inSlots.get(slot) ?? 'p256');
    else objects[tag.toString(16)] = hexToBytes(answer.map(asZeros).join(''));
  }
  const slots = Array.from(inSlots, ([slot, algorithm]) => ({ slot, pair: samplePair(algorithm) }));
  for (const { slot, pair } of slots) {
    const tag = [...slotOfObject].find(([, of]) => of === slot)?.[0];
    if (tag !== undefined) objects[tag.toString(16)] = certificateObject(pair.certificate);
  }
  return samplePivState({
    attachment: transcript.vendorId === 0x20a0 ? 'canokey' : attachmentOf(transcript),
    slots: slots.map(({ slot, pair }) => pair.inSlot(slot.toString(16))),
    objects,
    features: {
      ...{ metadata, moveKey, retiredSlots: [...asked].filter((slot) => slot < 0x96 && !none.has(slot)) },
      ...(sm2Algorithm === undefined ? {} : { sm2Algorithm }),
    },
  });
}

const asZeros = (part: TranscriptPart): string =>
  typeof part === 'string' ? part : bytesToHex(new Uint8Array(part.bytes));

/** CanoKey's algorithm extensions: after the switch one byte for each, SM2's the sixth, or the seventh of more. */
function sm2Of(exchanges: readonly TranscriptExchange[]): number | undefined {
  const extensions = exchanges.find(({ header, sw }) => header.startsWith('00ee') && sw === '9000');
  const bytes = hexToBytes(kept(extensions?.answer));
  return bytes[0] === 0 ? undefined : bytes.at(bytes.length === 7 ? 6 : 7);
}
