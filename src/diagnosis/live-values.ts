import { bytesEqual } from '../pki/bytes.ts';
import { maxPasswordBytes, passwordProof } from '../usbkey/password-proof.ts';
import type { CommandHeader } from './layouts.ts';
import type { HiddenKind, Slice } from './slices.ts';
import { fillerCertificate } from './test-certificate.ts';
import type { TranscriptPart } from './transcript.ts';

type Placeholder = Exclude<TranscriptPart, string>;

/** The secrets of the key that a transcript is replayed with: a laboratory's. */
export interface ReplaySecrets {
  /** Neither kept nor changed. */
  readonly password: Uint8Array;
  /** How the key wants the password's proof made. */
  readonly pinDigest: 'sha1' | 'sm3';
  /** PIV's management key as a block cipher; without it, what needs it is left out. */
  readonly management?: {
    readonly encrypt: (block: Uint8Array) => Uint8Array;
    readonly decrypt: (block: Uint8Array) => Uint8Array;
  };
}

/** Values of the key at hand, by the places they stand in for. */
export class LiveValues {
  readonly #numbered = new Map<string, Uint8Array>();
  readonly #latest = new Map<HiddenKind, Uint8Array>();
  readonly #written = new Set<string>();

  /**
   * Puts the hidden fields of a live answer in the places of a recorded one, kind by kind in their order. What was
   * written from here keeps its place: of what else is on the key, another key may have more or less.
   */
  learn(parts: readonly TranscriptPart[], slices: readonly Slice[]): void {
    const live = new Map<HiddenKind, Uint8Array[]>();
    const ours = Array.from(this.#written, (name) => this.#numbered.get(name));
    for (const { kind, bytes } of slices) {
      if (kind === 'kept' || ours.some((value) => value && bytesEqual(value, bytes))) continue;
      live.set(kind, [...(live.get(kind) ?? []), bytes.slice()]);
    }
    for (const part of parts) {
      if (typeof part === 'string' || this.#written.has(nameOf(part))) continue;
      const value = live.get(part.is)?.shift();
      if (value) this.put(part, value);
    }
  }

  put(place: Placeholder, value: Uint8Array): void {
    if (place.n === undefined) this.#latest.set(place.is, value);
    else this.#numbered.set(nameOf(place), value);
  }

  of(place: Placeholder): Uint8Array | undefined {
    return place.n === undefined ? this.#latest.get(place.is) : this.#numbered.get(nameOf(place));
  }

  latest(kind: HiddenKind): Uint8Array | undefined {
    return this.#latest.get(kind);
  }

  /** Notes that a value was made here and written to the key, so that the key must give it back as it is. */
  write(place: Placeholder, value: Uint8Array): Uint8Array {
    this.put(place, value);
    this.#written.add(nameOf(place));
    return value;
  }

  written(place: Placeholder): Uint8Array | undefined {
    return this.#written.has(nameOf(place)) ? this.of(place) : undefined;
  }
}

const nameOf = ({ is, n }: Placeholder): string => `${is} ${n ?? ''}`;

export interface FillContext {
  readonly header: CommandHeader;
  /** The kept bytes in front of the place, hexadecimal. */
  readonly before: string;
  /** The password of this exchange was a wrong one. */
  readonly wrong: boolean;
  readonly values: LiveValues;
  readonly secrets: ReplaySecrets;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** A live value for a place in a command; undefined where there is none, or none can be made. */
export async function fillPlaceholder(place: Placeholder, context: FillContext): Promise<Uint8Array | undefined> {
  const { header, values, secrets, randomBytes } = context;
  switch (place.is) {
    case 'passwordProof': {
      const challenge = values.latest('challenge');
      return challenge && passwordProof(passwordOf(context), challenge, secrets.pinDigest);
    }
    case 'password':
      return paddedPassword(passwordOf(context), place.bytes);
    case 'managementProof':
      return managementProof(place, context);
    case 'containerName':
      return (
        values.of(place) ?? (makesContainer(header) ? values.write(place, newName(place, randomBytes)) : undefined)
      );
    case 'certificate':
      return values.of(place) ?? values.write(place, fillerCertificate(place.bytes));
    case 'publicKey':
      // Noted on a key that does not tell it: nothing is made of it there.
      return randomBytes(place.bytes);
    case 'message':
      return randomBytes(place.bytes);
    case 'digest':
      return digestOf(place.bytes, randomBytes);
    default:
      return values.of(place);
  }
}

function passwordOf({ secrets: { password }, wrong }: FillContext): Uint8Array {
  return wrong ? password.map((byte) => byte ^ 1) : password;
}

/** SP 800-73-4 part 2 §3.2.1: padded with FF. */
function paddedPassword(password: Uint8Array, length: number): Uint8Array | undefined {
  if (password.length > Math.min(length, maxPasswordBytes)) return undefined;
  const padded = new Uint8Array(length).fill(0xff);
  padded.set(password);
  return padded;
}

/** What a key signs: of a whole RSA block the first byte is zero, so that it is less than any modulus. */
function digestOf(length: number, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const digest = randomBytes(length);
  if (length >= 128) digest[0] = 0;
  return digest;
}

/** CreateContainer of GM/T 0017; on PIV keys a name is written with its object. */
const makesContainer = ({ cla, ins }: CommandHeader): boolean =>
  (cla === 0x80 && ins === 0x40) || (cla === 0x00 && ins === 0xdb);

/** `R` or `T` and hexadecimal digits, as the site names its containers: a PIV driver knows its own by that. */
function newName({ bytes }: Placeholder, randomBytes: (length: number) => Uint8Array): Uint8Array {
  const digits = Array.from(randomBytes(bytes), (byte) => (byte & 0xf).toString(16)).join('');
  return new TextEncoder().encode(`R${digits.slice(1)}`);
}

/**
 * The host's side of GENERAL AUTHENTICATE with the management key (SP 800-73-4 part 2 appendix A.1): 80 answers the
 * key's witness, 81 challenges the key, 82 answers the key's challenge.
 */
function managementProof({ bytes }: Placeholder, context: FillContext): Uint8Array | undefined {
  const { values, before, randomBytes, secrets } = context;
  const received = values.latest('managementProof');
  const { management } = secrets;
  const tag = before.slice(-4, -2);
  if (tag === '81') return randomBytes(bytes);
  if (!management || received?.length !== bytes) return undefined;
  return tag === '80' ? management.decrypt(received) : management.encrypt(received);
}
