import { concat, toHex, type Bytes } from './bytes.ts';
import { verifySignature, type SignatureToVerify } from './signature.ts';

/**
 * Remembers which signatures were found good, so that the same certificates need not be verified again and again. A claim
 * is known by a SHA-256 over all of it: key, algorithm, message, signature, and what it was accepted for. Only what
 * verified is kept, of the last `limit` used.
 */
export class VerifiedSignatures {
  readonly #limit: number;
  readonly #verify: (claim: SignatureToVerify) => Promise<boolean>;
  /** In order of last use. */
  readonly #known = new Set<string>();

  constructor(limit = 256, verify: (claim: SignatureToVerify) => Promise<boolean> = verifySignature) {
    this.#limit = limit;
    this.#verify = verify;
  }

  /** As `verifySignature`. */
  async verify({ spki, algorithm, message, signature, acceptSha1For }: SignatureToVerify): Promise<boolean> {
    // What is verified are these copies: the caller's bytes might change in the meantime.
    const [own, ownMessage, ownSignature] = [concat(spki), concat(message), concat(signature)];
    const name = await fingerprint(`${algorithm} ${acceptSha1For ?? ''}`, own, ownMessage, ownSignature);
    if (this.#known.delete(name)) {
      this.#known.add(name);
      return true;
    }
    if (!(await this.#verify({ spki: own, algorithm, message: ownMessage, signature: ownSignature, acceptSha1For }))) {
      return false;
    }
    this.#known.add(name);
    for (const oldest of this.#known) {
      if (this.#known.size <= this.#limit) break;
      this.#known.delete(oldest);
    }
    return true;
  }
}

/** Each part goes in with its length, so that no byte can move from one into the next. */
async function fingerprint(header: string, ...parts: readonly Bytes[]): Promise<string> {
  const all = [new TextEncoder().encode(header), ...parts].flatMap((part) => [length(part), part]);
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...all))));
}

function length({ length: bytes }: Uint8Array): Bytes {
  const field = new Uint8Array(4);
  new DataView(field.buffer).setUint32(0, bytes);
  return field;
}
