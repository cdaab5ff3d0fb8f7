import { type ApduChannel, TransportError } from '../../src/apdu/channel.ts';
import { ApduSession } from '../../src/apdu/session.ts';
import { defaultDialect, defaultPivDialect } from '../../src/device/models.ts';
import { openCcidChannel } from '../../src/device/webusb-ccid.ts';
import { readSpki } from '../../src/pki/algorithms.ts';
import { bytesEqual, concat, copyBytes, fromHex, type Bytes } from '../../src/pki/bytes.ts';
import { DerError } from '../../src/pki/der.ts';
import { makeEnvelopedKey, type EnvelopedKey } from '../../src/pki/enveloped-key.ts';
import { sm2Encrypt, sm2PublicKey } from '../../src/pki/sm2.ts';
import { sm4EcbEncrypt } from '../../src/pki/sm4.ts';
import { PivKey } from '../../src/usbkey/piv-key.ts';
import { SkfKey } from '../../src/usbkey/skf-key.ts';
import { KeyError, PasswordError, type ContainerRef, type UsbKey } from '../../src/usbkey/usbkey.ts';
import { sampleApplication, samplePassword, samplePivState, sampleState } from '../virtual-key/make-state.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { VirtualKey } from '../virtual-key/virtual-key.ts';
import { certificateObject, samplePair } from '../unit/usbkey/piv-samples.ts';
import { readCorpus } from './parser-targets.ts';
import type { Random } from './random.ts';
import type { Target } from './target.ts';

/** How a key lies in one answer. */
const lies = ['flip', 'cut', 'insert', 'statusWord', 'data', 'another', 'repeat', 'silence'] as const;
/** Longer than what is done with a key takes. */
const exchangesAsked = 60;
/** Far more than what is done with an honest key takes: a lying one must not keep a page busy for ever. */
const maxExchanges = 3000;
const statusWords = [
  '9000',
  '6100',
  '61ff',
  '6c00',
  '6282',
  '63c0',
  '6983',
  '6982',
  '6a82',
  '6a84',
  '6a9e',
  '6d00',
  '6f00',
  '0000',
];

/** A lie as bytes: number of the exchange 2, kind 1, place 2, length of the payload 1, payload. */
function lie(random: Random): Bytes {
  const kind = random.below(lies.length);
  const payload =
    lies[kind] === 'statusWord' ? fromHex(random.pick(statusWords)) : random.bytes(random.pick([1, 1, 2, 4, 64, 200]));
  // Mostly what comes early decides what is done later; sometimes a key lies to the end.
  const exchange = random.once(16) ? 0xffff : random.below(exchangesAsked);
  const place = random.below(0x1_0000);
  return concat(Uint8Array.of(exchange >> 8, exchange & 0xff, kind, place >> 8, place & 0xff, payload.length), payload);
}

interface Lie {
  readonly exchange: number;
  readonly kind: (typeof lies)[number];
  readonly place: number;
  readonly payload: Bytes;
}

function liesIn(input: Bytes): readonly Lie[] {
  const found: Lie[] = [];
  for (let at = 0; at + 6 <= input.length;) {
    const [high = 0, low = 0, kind = 0, placeHigh = 0, placeLow = 0, length = 0] = input.subarray(at, at + 6);
    found.push({
      exchange: (high << 8) | low,
      kind: lies[kind % lies.length] ?? 'flip',
      place: (placeHigh << 8) | placeLow,
      payload: input.slice(at + 6, at + 6 + length),
    });
    at += 6 + length;
  }
  return found;
}

function told(answer: Bytes, before: readonly Bytes[], { kind, place, payload }: Lie): Bytes {
  const at = place % Math.max(1, answer.length);
  switch (kind) {
    case 'flip': {
      const changed = answer.slice();
      changed[at] = (changed[at] ?? 0) ^ ((payload[0] ?? 1) || 1);
      return changed;
    }
    case 'cut':
      return answer.slice(0, at);
    case 'insert':
      return concat(answer.subarray(0, at), payload, answer.subarray(at));
    case 'statusWord':
      return concat(answer.subarray(0, -2), payload);
    case 'data':
      return concat(payload, answer.subarray(-2));
    case 'another':
      return before[place % Math.max(1, before.length)] ?? answer;
    case 'repeat':
      return concat(answer.subarray(0, -2), answer);
    case 'silence':
      throw new TransportError(place % 2 === 0 ? 'timeout' : 'disconnected', 'no answer');
  }
}

/** A wire to an honest key that tells what `found` says instead. */
function lyingChannel(channel: ApduChannel, found: readonly Lie[]): ApduChannel {
  const answers: Bytes[] = [];
  return {
    apduLevel: channel.apduLevel,
    maxCommandBytes: channel.maxCommandBytes,
    gone: channel.gone,
    close: () => channel.close(),
    transmit: async (command, options) => {
      const number = answers.length;
      if (number > maxExchanges) throw new Error('exchanges without end');
      const answer = copyBytes(await channel.transmit(command, options));
      answers.push(answer);
      const here = found.filter(({ exchange }) => exchange === number || exchange === 0xffff);
      return here.reduce((changed, one) => told(changed, answers, one), answer);
    },
  };
}

const refusals = [KeyError, TransportError, PasswordError];
const message = new TextEncoder().encode('p10cr');

/** @throws KeyError where the key has given a public key that is none */
function envelopeFor(spki: Uint8Array): EnvelopedKey {
  const privateKey = new Uint8Array(32).fill(7);
  const sm4Key = new Uint8Array(16).fill(9);
  try {
    const wrapped = sm2Encrypt(sm4Key, readSpki(spki).publicKey);
    const encrypted = sm4EcbEncrypt(sm4Key, concat(new Uint8Array(32), privateKey));
    return makeEnvelopedKey(wrapped, sm2PublicKey(privateKey), encrypted);
  } catch (cause) {
    if (cause instanceof DerError) throw new KeyError('malformed', 'no public key', undefined, { cause });
    throw cause;
  }
}

/** What a renewal, a retirement and the certificate page do with a key, each going on where the one before was refused. */
async function everything(key: UsbKey, fresh: ContainerRef): Promise<boolean> {
  const [certificate = new Uint8Array()] = readCorpus().certificate;
  const password = new TextEncoder().encode(samplePassword);
  let isHonest = true;
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!refusals.some((refusal) => error instanceof refusal)) throw error;
      isHonest = false;
      return undefined;
    }
  };
  const algorithm = key.commandSet === 'piv' ? 'p256' : 'sm2';
  await attempt(() => key.readInfo());
  const containers = (await attempt(() => key.listContainers())) ?? [];
  for (const ref of containers.slice(0, 4)) await attempt(() => key.readContainer(ref));
  await attempt(() => key.readPasswordTries(fresh.application));
  await attempt(() => key.verifyPassword(fresh.application, password));
  if (!bytesEqual(password, new TextEncoder().encode(samplePassword))) throw new Error('the password was changed');
  await attempt(() => key.createContainer(fresh));
  const spki = await attempt(() => key.generateSigningKeyPair(fresh, algorithm));
  await attempt(() => key.sign(fresh, message));
  await attempt(() => key.importCertificate(fresh, 'signing', certificate));
  if (spki && key.importEncryptionKeyPair) {
    await attempt(async () => key.importEncryptionKeyPair?.(fresh, envelopeFor(spki)));
  }
  await attempt(() => key.readContainer(fresh));
  await attempt(() => key.deleteContainer(fresh));
  await attempt(() => key.logOut());
  return isHonest;
}

interface Plan {
  readonly name: string;
  readonly state: KeyState;
  readonly fresh: ContainerRef;
  readonly open: (session: ApduSession) => Promise<UsbKey>;
  /** What nobody has touched, as text. */
  readonly old: (state: KeyState) => string;
}

/**
 * A key of which single answers are lies, through all that is done with a key. Whatever it says, what comes is a value
 * or one of the key's errors, it comes to an end, the password stays as it is, and the old container is never written.
 */
function lyingKey({ name, state, fresh, open, old }: Plan): Target {
  const before = old(state);
  return {
    name,
    mutate: (random) => concat(...Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, () => lie(random))),
    run: async (input) => {
      const virtual = new VirtualKey(structuredClone(state));
      virtual.grant();
      await virtual.plug();
      const [device] = await virtual.usb.getDevices();
      if (!device) throw new Error('the virtual key is not there');
      const honest = await openCcidChannel(device as unknown as USBDevice, virtual.usb);
      const channel = lyingChannel(honest, liesIn(input));
      let isHonest = false;
      try {
        const key = await open(new ApduSession(channel, { extendedLength: 'wherePossible' }));
        isHonest = await everything(key, fresh);
        await key.close();
      } catch (error) {
        if (!refusals.some((refusal) => error instanceof refusal)) throw error;
      } finally {
        await honest.close();
        await virtual.unplug();
      }
      if (old(virtual.state()) !== before) throw new Error('the old container was written');
      return isHonest ? 'accepted' : 'rejected';
    },
  };
}

const container = `R${'0123456789abcdef'.repeat(2)}`;

function skfKey(): Target {
  return lyingKey({
    name: 'lying-skf',
    state: sampleState(),
    fresh: { application: sampleApplication, container },
    open: async (session) => {
      const key = new SkfKey(session, { dialect: defaultDialect });
      await key.clearLeftoverLogin();
      return key;
    },
    old: ({ applications }) => JSON.stringify(applications[0]?.containers.find(({ name }) => name === 'C1')),
  });
}

function pivKey(): Target {
  const pair = samplePair('p256');
  return lyingKey({
    name: 'lying-piv',
    state: samplePivState({
      slots: [pair.inSlot('9a')],
      objects: { '5fc105': certificateObject(pair.certificate) },
    }),
    fresh: { application: 'PIV', container },
    open: async (session) => {
      const key = new PivKey(session, { dialect: defaultPivDialect });
      await key.start();
      return key;
    },
    old: ({ piv }) =>
      JSON.stringify([piv?.slots.find(({ slot }) => slot === '9a'), piv?.objects.find(({ tag }) => tag === '5fc105')]),
  });
}

export const lyingKeyTargets = (): readonly Target[] => [skfKey(), pivKey()];
