import { KeyError, PasswordError, type PasswordTries, type UsbKey } from '../usbkey/usbkey.ts';
import { Stop } from './outcome.ts';

/** What the password box has to know. */
export interface PasswordQuestion {
  readonly tries: PasswordTries;
  /** The password just typed was wrong. */
  readonly wrongBefore: boolean;
  /** One try is left: the person confirms before typing. */
  readonly lastTry: boolean;
}

/**
 * Asks the person for the password. `use` is called at most once, with bytes that the asker owns and clears when `use`
 * resolves; it never rejects. Resolves to `false` when the person gives up.
 */
export type AskPassword = (
  question: PasswordQuestion,
  use: (password: Uint8Array) => Promise<void>,
) => Promise<boolean>;

/** What came of a question: no password, or what the key said to it. */
type Came = 'unused' | 'loggedIn' | { readonly error: unknown };

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
  async logIn(application: string | undefined, justRead?: PasswordTries): Promise<void> {
    if (application === undefined) throw new Stop({ reason: 'noCertificate' });
    let wrongBefore = false;
    for (let known = justRead; ; known = undefined) {
      const tries = known ?? (await this.#key.readPasswordTries(application));
      if (tries.remaining === 0) throw new Stop({ reason: 'locked', remaining: 0 });
      const came = await this.#ask(application, { tries, wrongBefore, lastTry: tries.remaining === 1 });
      if (came === 'loggedIn') {
        this.#loggedIn = true;
        return;
      }
      if (came === 'unused') throw new Stop({ reason: 'cancelled' });
      if (!(came.error instanceof PasswordError) || came.error.code !== 'wrong') throw came.error;
      wrongBefore = true;
    }
  }

  async #ask(application: string, question: PasswordQuestion): Promise<Came> {
    const tried: { came: Came } = { came: 'unused' };
    await this.#askPassword(question, async (password) => {
      if (tried.came !== 'unused') return;
      try {
        await this.#key.verifyPassword(application, password);
        tried.came = 'loggedIn';
      } catch (error) {
        tried.came = { error };
      }
    });
    return tried.came;
  }

  /**
   * Does something that needs the password. Where the key says it is not logged in (other software interferes, or the
   * key wants the password again), it is asked for once more, and only once.
   */
  async asUser<T>(application: string, action: () => Promise<T>): Promise<T> {
    if (!this.#loggedIn) await this.logIn(application);
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof KeyError) || error.code !== 'notLoggedIn') throw error;
      this.#loggedIn = false;
      await this.logIn(application);
      return action();
    }
  }
}
