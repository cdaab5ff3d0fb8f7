/**
 * Which passwords the key has turned away, so that the same one does not cost a second try. Only digests under a random
 * key that no script can read are kept, in memory, for one key and as long as it is plugged in. For the password box alone.
 */
export class WrongPasswords {
  #key: Promise<CryptoKey> | undefined;
  readonly #wrong = new Set<string>();
  #sent: string | undefined;

  /** Whether these bytes were wrong before; if not, they count as sent now. */
  async isKnown(password: Uint8Array<ArrayBuffer>): Promise<boolean> {
    this.#key ??= crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    const digest = new Uint8Array(await crypto.subtle.sign('HMAC', await this.#key, password)).join();
    if (this.#wrong.has(digest)) return true;
    this.#sent = digest;
    return false;
  }

  /** The key has answered that the password sent last is wrong. */
  lastWasWrong(): void {
    if (this.#sent !== undefined) this.#wrong.add(this.#sent);
    this.#sent = undefined;
  }
}

const ofKeys = new WeakMap<object, WrongPasswords>();

/** Those of one key, for as long as it is plugged in. @param key the object that stands for it until then */
export function wrongPasswordsOf(key: object): WrongPasswords {
  const wrong = ofKeys.get(key) ?? new WrongPasswords();
  ofKeys.set(key, wrong);
  return wrong;
}

/** The key was pulled out: where the same object comes back, it may have any password. */
export function forgetWrongPasswords(key: object): void {
  ofKeys.delete(key);
}
