import { KeyError, PasswordError, type KeyErrorCode, type PasswordTries, type UsbKey } from '../usbkey/usbkey.ts';
import { Stop } from './outcome.ts';

/** What the password is asked for. */
export type PasswordReason =
  /** The login of a run. */
  | 'login'
  /** The key has forgotten the login: other software, or the key itself. */
  | 'loggedOut'
  /** The key wants the password anew for every signature of the old key pair; this one is to go under … */
  | 'request'
  | 'poll'
  | 'confirmation';

/** What the password box has to know. */
export interface PasswordQuestion {
  readonly kind: 'password';
  readonly reason: PasswordReason;
  readonly tries: PasswordTries;
  /** The password just typed was wrong. */
  readonly wrongBefore: boolean;
  /** One try is left: the person confirms before typing. */
  readonly lastTry: boolean;
}

/** The key writes only after its management key, 16, 24 or 32 bytes, which only the person can give. */
export interface ManagementKeyQuestion {
  readonly kind: 'managementKey';
  /** The one just given was wrong. No counter goes down. */
  readonly wrongBefore: boolean;
}

export type Question = PasswordQuestion | ManagementKeyQuestion;

/**
 * Asks the person for the password, or the management key. `use` is called at most once, with bytes that the asker owns
 * and clears when `use` resolves; it never rejects. Resolves to `false` when the person gives up.
 */
export type AskPassword = (question: Question, use: (answer: Uint8Array) => Promise<void>) => Promise<boolean>;

/** A wrong management key is asked for again; after so many wrong ones nobody will find the right one. */
const managementKeyTries = 3;

/** What came of a question: no password, or what the key said to it. */
type Came = 'unused' | 'accepted' | { readonly error: unknown };

/** The user's login on a key, for as long as one run of a procedure lasts. */
export class Login {
  readonly #key: UsbKey;
  readonly #askPassword: AskPassword;
  #loggedIn = false;

  constructor(key: UsbKey, askPassword: AskPassword) {
    this.#key = key;
    this.#askPassword = askPassword;
  }

  /**
   * Logs in with a password the person types. The counter is read before each question; a locked password is never
   * asked for; an unknown outcome ends the run.
   * @param justRead the counter, where it was read a moment ago
   */
  async logIn(
    application: string | undefined,
    justRead?: PasswordTries,
    reason: PasswordReason = 'login',
  ): Promise<void> {
    if (application === undefined) throw new Stop({ reason: 'noCertificate' });
    let wrongBefore = false;
    for (let known = justRead; ; known = undefined) {
      const tries = known ?? (await this.#key.readPasswordTries(application));
      if (tries.remaining === 0) throw new Stop({ reason: 'locked', remaining: 0 });
      const came = await this.#ask(
        { kind: 'password', reason, tries, wrongBefore, lastTry: tries.remaining === 1 },
        (password) => this.#key.verifyPassword(application, password),
      );
      if (isAccepted(came)) {
        this.#loggedIn = true;
        return;
      }
      wrongBefore = true;
    }
  }

  /** Gives the key the management key, which the person types. */
  async #unlockWriting(): Promise<void> {
    const key = this.#key;
    for (let wrong = 0; key.useManagementKey && wrong < managementKeyTries; wrong++) {
      const question = { kind: 'managementKey', wrongBefore: wrong > 0 } as const;
      if (isAccepted(await this.#ask(question, async (bytes) => key.useManagementKey?.(bytes)))) return;
    }
    throw new Stop({ reason: 'managementKeyNeeded' });
  }

  async #ask(question: Question, tryIt: (answer: Uint8Array) => Promise<void>): Promise<Came> {
    const tried: { came: Came } = { came: 'unused' };
    let used = false;
    await this.#askPassword(question, async (answer) => {
      // Before anything is waited for: two calls at once are two.
      if (used) return;
      used = true;
      try {
        await tryIt(answer);
        tried.came = 'accepted';
      } catch (error) {
        tried.came = { error };
      }
    });
    return tried.came;
  }

  /**
   * Does something that needs the password, or the management key. Where the key says it is not logged in (other
   * software interferes, or the key wants the password again), or that it wants its management key, it is asked for, and
   * each only once.
   */
  async asUser<T>(application: string, action: () => Promise<T>): Promise<T> {
    if (!this.#loggedIn) await this.logIn(application);
    const asked = new Set<KeyErrorCode>();
    for (;;) {
      try {
        return await action();
      } catch (error) {
        if (!(error instanceof KeyError) || asked.has(error.code)) throw error;
        asked.add(error.code);
        if (error.code === 'managementKeyNeeded') await this.#unlockWriting();
        else if (error.code === 'notLoggedIn') {
          this.#loggedIn = false;
          await this.logIn(application, undefined, 'loggedOut');
        } else throw error;
      }
    }
  }

  /**
   * Signs with a key pair for which the key wants the password each time, right before the signature. Should the key
   * still say that it is not logged in, the password is asked for once more, and only once.
   */
  async signAnew<T>(application: string, reason: PasswordReason, sign: () => Promise<T>): Promise<T> {
    await this.logIn(application, undefined, reason);
    try {
      return await sign();
    } catch (error) {
      if (!(error instanceof KeyError) || error.code !== 'notLoggedIn') throw error;
      await this.logIn(application, undefined, reason);
      return sign();
    }
  }
}

/** @returns false for a wrong answer @throws Stop where there was none, and what else the key said to it */
function isAccepted(came: Came): boolean {
  if (came === 'unused') throw new Stop({ reason: 'cancelled' });
  if (came === 'accepted') return true;
  if (!(came.error instanceof PasswordError) || came.error.code !== 'wrong') throw came.error;
  return false;
}
