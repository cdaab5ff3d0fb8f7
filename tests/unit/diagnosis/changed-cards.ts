import { passwordProof } from '../../../src/usbkey/password-proof.ts';
import { concatBytes, sameBytes } from '../../virtual-key/bytes.ts';
import type { Card } from '../../virtual-key/card.ts';
import { parseCommandApdu } from '../../virtual-key/command-apdu.ts';

/*
 * Keys that do one thing in another way than the virtual key: between its reader and its chip something changes what
 * goes through. For wires with extended-length APDUs, where a command is one APDU.
 */

type Transmit = (command: Uint8Array) => Promise<Uint8Array>;

/** A card in whose exchanges `change` has its way. */
const changed =
  (change: (command: Uint8Array, ins: number, transmit: Transmit) => Promise<Uint8Array>) =>
  (card: Card): Card => ({
    apduLevel: card.apduLevel,
    maxCommandBytes: card.maxCommandBytes,
    answerToReset: card.answerToReset,
    powerUp: () => card.powerUp(),
    powerDown: () => card.powerDown(),
    transmit: (command, onSlow) =>
      change(command, parseCommandApdu(command)?.ins ?? 0, (inner) => card.transmit(inner, onSlow)),
  });

const statusOf = (response: Uint8Array): Uint8Array => response.slice(-2);

/** Wants the password's proof made with SM3. */
export function wantsSm3(password: string): (card: Card) => Card {
  let challenge = new Uint8Array();
  return changed(async (command, ins, transmit) => {
    if (ins === 0x50) {
      const response = await transmit(command);
      challenge = response.slice(0, -2);
      return response;
    }
    if (ins !== 0x18) return transmit(command);
    const bytes = new TextEncoder().encode(password);
    const proof = command.slice(-16);
    const right = sameBytes(proof, await passwordProof(bytes, challenge, 'sm3'));
    const translated = right ? await passwordProof(bytes, challenge, 'sha1') : new Uint8Array(16);
    return transmit(concatBytes(command.slice(0, -16), translated));
  });
}

/** Counts the tries of a wrong password in the high nibble: 635C for 63C5. */
export const countsInHighNibble = changed(async (command, ins, transmit) => {
  const response = await transmit(command);
  const [sw1 = 0, sw2 = 0] = statusOf(response);
  return ins === 0x18 && sw1 === 0x63 ? Uint8Array.of(sw1, ((sw2 & 0xf) << 4) | 0xc) : response;
});

/** Wants its button pressed before it signs; meanwhile `wait` lets the clock go on. */
export const waitsForPress = (wait: () => void): ((card: Card) => Card) =>
  changed((command, ins, transmit) => {
    if (ins === 0x74) wait();
    return transmit(command);
  });

/** Answers a command with a status word and does nothing. */
export const refuses = (refused: number, statusWord: number): ((card: Card) => Card) =>
  changed((command, ins, transmit) =>
    ins === refused ? Promise.resolve(Uint8Array.of(statusWord >> 8, statusWord & 0xff)) : transmit(command),
  );

/** Gives public keys as two numbers of 64 bytes with zeros in front (GM/T 0016 ECCPUBLICKEYBLOB). */
export const padsPublicKeys = changed(async (command, ins, transmit) => {
  const response = await transmit(command);
  if (ins !== 0x88 || response.length !== 70) return response;
  const zeros = new Uint8Array(32);
  const [bits, x, y, sw] = [response.slice(0, 4), response.slice(4, 36), response.slice(36, 68), statusOf(response)];
  return concatBytes(bits, zeros, x, zeros, y, sw);
});

/** Gives the last certificate it was given back with another last byte. */
export function corruptsCertificates(): (card: Card) => Card {
  let written = false;
  return changed(async (command, ins, transmit) => {
    const response = await transmit(command);
    if (ins === 0x4c) written = true;
    if (ins === 0x4e && written && response.length > 3) {
      const last = response.length - 3;
      response[last] = (response[last] ?? 0) ^ 1;
    }
    return response;
  });
}

/** Signs digests only: ECCSignData with P1 01 is refused with 6A86. */
export const refusesRawSignatures = changed((command, ins, transmit) =>
  ins === 0x74 && command[2] === 1 ? Promise.resolve(Uint8Array.of(0x6a, 0x86)) : transmit(command),
);

/** Signs something else than it was given. */
export const spoilsSignatures = changed(async (command, ins, transmit) => {
  const response = await transmit(command);
  const last = response.length - 3;
  if (ins === 0x74 && last > 0) response[last] = (response[last] ?? 0) ^ 1;
  return response;
});
