import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { oids } from '../../../src/pki/algorithms.ts';
import { verifySignature } from '../../../src/pki/signature.ts';
import { authorisedKeys } from '../../../src/usbkey/connect.ts';
import { KeyError, PasswordError, type UsbKey } from '../../../src/usbkey/usbkey.ts';
import type { Card } from '../../virtual-key/card.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { VirtualKey, type VirtualKeyOptions } from '../../virtual-key/virtual-key.ts';
import { hex, toHex } from '../apdu/hex.ts';
import { existing, fresh, message, pairs, password, stateWith } from './piv-open.ts';
import { samplePair } from './piv-samples.ts';

afterEach(() => vi.unstubAllGlobals());

interface Lie {
  /** Which answer, from 0. */
  readonly at: number;
  readonly tell: (truth: Uint8Array) => Uint8Array;
}

/** A chip that tells the truth but once. */
function lying(card: Card, lie: Lie): Card {
  let answers = 0;
  return {
    ...{ apduLevel: card.apduLevel, maxCommandBytes: card.maxCommandBytes, answerToReset: card.answerToReset },
    powerUp: () => card.powerUp(),
    powerDown: () => card.powerDown(),
    transmit: async (command, onSlow) => {
      const truth = await card.transmit(command, onSlow);
      return answers++ === lie.at ? lie.tell(truth) : truth;
    },
  };
}

async function opened(state: KeyState, options: VirtualKeyOptions) {
  const virtual = new VirtualKey(state, options);
  vi.stubGlobal('navigator', { usb: virtual.usb, hid: virtual.hid });
  virtual.grant();
  await virtual.plug();
  const [attached] = await authorisedKeys();
  if (!attached) throw new Error('no key');
  return { virtual, attached };
}

/** All that a renewal asks of a key, and the move afterwards. */
async function renew(key: UsbKey, certificate: Uint8Array): Promise<void> {
  await key.readInfo();
  for (const ref of await key.listContainers()) await key.readContainer(ref);
  await key.readPasswordTries('PIV');
  await key.verifyPassword('PIV', password);
  await key.createContainer(fresh);
  await key.generateSigningKeyPair(fresh, 'p256');
  await key.sign(fresh, message);
  await key.sign(existing, message);
  await key.importCertificate(fresh, 'signing', certificate);
  await key.readContainer(fresh);
  await key.promote?.(fresh, existing);
  await key.logOut();
}

const lies = fc.oneof(
  fc.constantFrom('6982', '6a82', '6a88', '6d00', '63c0', '6983', '6100', '6cff', '6f00').map((sw) => () => hex(sw)),
  fc.constantFrom('6982', '6a82', '9000').map((sw) => (truth: Uint8Array) => hex(toHex(truth.slice(0, -2)) + sw)),
  fc.nat().map((length) => (truth: Uint8Array) => truth.slice(0, Math.max(2, length % truth.length))),
  fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => (truth: Uint8Array) => {
    return truth.map((byte, index) => (index === at % truth.length ? byte ^ flip : byte));
  }),
  fc.uint8Array({ minLength: 2, maxLength: 300 }).map((bytes) => () => bytes),
  fc
    .uint8Array({ minLength: 1, maxLength: 40 })
    .map((bytes) => (truth: Uint8Array) => hex(toHex(bytes) + toHex(truth))),
);

describe('a key that lies once', () => {
  it('never loses the old pair, and ends in a value or a typed error', { timeout: 120_000 }, async () => {
    const certificate = samplePair('p256').certificate;
    const old = pairs.p256;
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 190 }), lies, async (at, tell) => {
        const state = stateWith('p256', { features: { retiredSlots: [0x82, 0x83] } });
        const { virtual, attached } = await opened(state, { through: (card) => lying(card, { at, tell }) });

        const outcome = await attached
          .open()
          .then((key) => renew(key, certificate))
          .catch((error: unknown) => error);
        await virtual.unplug();

        if (outcome !== undefined) {
          expect([KeyError, PasswordError, TransportError].some((type) => outcome instanceof type) || outcome).toBe(
            true,
          );
        }
        const { piv } = virtual.state();
        const { publicKey } = old.inSlot('9a');
        const place = piv?.slots.find((slot) => slot.publicKey === publicKey)?.slot;
        expect(place).toMatch(/^(?:9a|82|83)$/);
        expect(piv?.objects.some(({ data }) => data.includes(toHex(old.certificate)))).toBe(true);
        expect(piv?.remainingTries).toBeGreaterThanOrEqual(2);
      }),
      { numRuns: 80 },
    );
  });
});

it.each(['raw', 'der'] as const)('takes an SM2 signature that is written as %s', async (sm2SignatureFormat) => {
  const { attached } = await opened(stateWith('sm2', { attachment: 'canokey' }), { sm2SignatureFormat });
  const key = await attached.open();
  await key.verifyPassword('PIV', password);

  const signature = await key.sign(existing, message);

  const { spki } = pairs.sm2;
  expect(await verifySignature({ spki, algorithm: oids.sm2WithSm3, message, signature })).toBe(true);
});
