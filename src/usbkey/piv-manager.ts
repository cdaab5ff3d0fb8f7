import type { CommandApdu } from '../apdu/command.ts';
import { swPasswordLocked, swSuccess } from '../apdu/status-words.ts';
import { commandTimeoutMs } from '../apdu/timeouts.ts';
import { bytesEqual } from '../pki/bytes.ts';
import { ciphersFor, deliveredManagementKey, type ManagementCipher } from './management-key.ts';
import * as piv from './piv-commands.ts';
import { keptManagementKey, managementKeyIsKept, objects } from './piv-objects.ts';
import { type PivWire, status } from './piv-wire.ts';
import { pivRefusal } from './refusals.ts';
import { KeyError, type ManagementKeyOrigin } from './usbkey.ts';

/** What came of an authentication. `otherCipher`: the key does not know this algorithm. */
type Outcome = 'accepted' | 'wrong' | 'otherCipher';

/** The right to write to a PIV key: its management key 9B, found where it is kept, and never replaced. */
export class PivManager {
  readonly #wire: PivWire;
  /** For all that is known: other programs may end it. */
  #isAuthenticated = false;
  #origin: ManagementKeyOrigin | undefined;
  #deliveredKeyRefused = false;

  constructor(wire: PivWire) {
    this.#wire = wire;
  }

  /** By which key writing was last allowed. */
  get origin(): ManagementKeyOrigin | undefined {
    return this.#origin;
  }

  /** To be called when the key was made to forget what was authenticated. */
  forget(): void {
    this.#isAuthenticated = false;
  }

  /** @param key the person's; neither kept nor changed @returns whether it is the right one */
  async use(key: Uint8Array): Promise<boolean> {
    const outcome = await this.#authenticate(key);
    if (outcome === 'otherCipher') throw new KeyError('unsupported', 'no cipher for this management key');
    if (outcome === 'accepted') this.#origin = 'asked';
    return outcome === 'accepted';
  }

  /**
   * A command that only the manager may send. An authentication that somebody ended meanwhile is renewed, once.
   * @throws KeyError `managementKeyNeeded`; `notLoggedIn` where the management key is kept behind the password
   */
  async run(command: CommandApdu, timeoutMs: number = commandTimeoutMs.write): Promise<Uint8Array> {
    await this.#become();
    const first = await this.#wire.exchange(command, timeoutMs);
    if (first.sw === swSuccess) return first.data;
    if (first.sw !== status.notVerified) throw pivRefusal(first.sw, command.ins);
    this.#isAuthenticated = false;
    await this.#become();
    const { sw, data } = await this.#wire.exchange(command, timeoutMs);
    if (sw === status.notVerified) throw new KeyError('refused', 'the key does not let its manager write', sw);
    if (sw !== swSuccess) throw pivRefusal(sw, command.ins);
    return data;
  }

  /** The key that is kept behind the password, else the delivered one, else the person's. */
  async #become(): Promise<void> {
    if (this.#isAuthenticated) return;
    const kept = await this.#readKept();
    try {
      if (kept && (await this.#authenticate(kept)) === 'accepted') {
        this.#origin = 'protected';
        return;
      }
    } finally {
      kept?.fill(0);
    }
    if (!this.#deliveredKeyRefused && (await this.#isStillDelivered())) {
      if ((await this.#authenticate(deliveredManagementKey())) === 'accepted') {
        this.#origin = 'default';
        return;
      }
      this.#deliveredKeyRefused = true;
    }
    throw new KeyError('managementKeyNeeded', 'the management key is not known');
  }

  /** @returns a copy that the caller clears; undefined where none is kept */
  async #readKept(): Promise<Uint8Array | undefined> {
    const notes = await this.#wire.readObject(objects.managementNotes);
    if (typeof notes === 'string' || !managementKeyIsKept(notes)) return undefined;
    const command = piv.getData(objects.printedInformation);
    const { sw, data } = await this.#wire.exchange(command);
    if (sw === status.notVerified) throw pivRefusal(sw, command.ins);
    try {
      return sw === swSuccess ? keptManagementKey(piv.parseObject(data)) : undefined;
    } finally {
      data.fill(0);
    }
  }

  /** False where the key says that it has got another one. */
  async #isStillDelivered(): Promise<boolean> {
    return (await this.#readMetadata())?.isDefault !== false;
  }

  async #readMetadata(): Promise<piv.ManagementMetadata | undefined> {
    const answer = await this.#wire.metadata(piv.managementReference);
    return answer?.sw === swSuccess ? piv.parseManagementMetadata(answer.data) : undefined;
  }

  async #authenticate(key: Uint8Array): Promise<Outcome> {
    const ciphers = ciphersFor(key.length, (await this.#readMetadata())?.algorithm);
    for (const cipher of ciphers) {
      const outcome = await this.#authenticateWith(cipher, key);
      if (outcome !== 'otherCipher') return outcome;
    }
    return ciphers.length > 0 ? 'otherCipher' : 'wrong';
  }

  /** Each side proves itself to the other, or, on a key that knows only that, this side alone. */
  async #authenticateWith(cipher: ManagementCipher, key: Uint8Array): Promise<Outcome> {
    const { algorithm, blockBytes } = cipher;
    const challenge = crypto.getRandomValues(new Uint8Array(blockBytes));
    const mutual = await this.#wire.exchange(piv.requestWitness(algorithm));
    const isMutual = mutual.sw === swSuccess;
    let proof: CommandApdu;
    if (isMutual) {
      const witness = cipher.decrypt(key, piv.parseBlock(mutual.data, 'witness', blockBytes));
      proof = piv.answerWitness(algorithm, witness, challenge);
    } else {
      const single = await this.#wire.exchange(piv.requestChallenge(algorithm));
      if (single.sw !== swSuccess) return 'otherCipher';
      const theirs = piv.parseBlock(single.data, 'challenge', blockBytes);
      proof = piv.answerChallenge(algorithm, cipher.encrypt(key, theirs));
    }
    const { sw, data } = await this.#wire.exchange(proof);
    if (sw === status.notVerified || sw === swPasswordLocked || sw >> 8 === 0x63) return 'wrong';
    if (sw !== swSuccess) throw pivRefusal(sw, proof.ins);
    if (isMutual && !bytesEqual(piv.parseBlock(data, 'response', blockBytes), cipher.encrypt(key, challenge))) {
      throw new KeyError('malformed', 'the key does not know its own management key');
    }
    this.#isAuthenticated = true;
    return 'accepted';
  }
}
