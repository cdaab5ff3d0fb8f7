import { aesEncrypt } from './aes.ts';
import { type Tlv, tlv, valueOf } from './ber-tlv.ts';
import { hexToBytes, sameBytes } from './bytes.ts';
import { Refusal, statusWords as sw } from './status-words.ts';
import type { PivManagementAlgorithm, PivState } from './state.ts';
import { tripleDesEncrypt } from './triple-des.ts';

/** Algorithm identifiers (NIST SP 800-78-4 table 6-2). */
export const managementAlgorithmIds: Readonly<Record<PivManagementAlgorithm, number>> = {
  '3des': 0x03,
  aes128: 0x08,
  aes192: 0x0a,
  aes256: 0x0c,
};
/** What 3DES may be called as well. */
const defaultAlgorithm = 0x00;

/** The key that cards are delivered with, whatever its algorithm takes of it. */
export const defaultManagementKey = '010203040506070801020304050607080102030405060708';

type ManagementKey = PivState['managementKey'];

const blockBytes = ({ algorithm }: ManagementKey): number => (algorithm === '3des' ? 8 : 16);

function encrypt({ algorithm, key }: ManagementKey, block: Uint8Array): Uint8Array {
  return algorithm === '3des' ? tripleDesEncrypt(hexToBytes(key), block) : aesEncrypt(hexToBytes(key), block);
}

const dynamicTemplate = (tag: number, value: Uint8Array): Uint8Array => tlv(0x7c, tlv(tag, value));

/**
 * GENERAL AUTHENTICATE with the card management key 9B (NIST SP 800-73-4 part 2 §A.1, §A.2). The card only ever
 * encrypts. Volatile: a power cut takes the authentication away.
 */
export class ManagementAuthentication {
  #open: { readonly kind: 'challenge' | 'witness'; readonly plain: Uint8Array } | undefined;
  #authenticated = false;

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** A challenge or witness that was not answered at once is worth nothing. */
  interrupt(): void {
    this.#open = undefined;
  }

  /**
   * @param fields of the dynamic authentication template 7C
   * @throws Refusal 6A86 another algorithm, 6A80 nonsense, 6982 not the key
   */
  run(key: ManagementKey, algorithmId: number, fields: readonly Tlv[]): Uint8Array {
    const isDefault = algorithmId === defaultAlgorithm && key.algorithm === '3des';
    if (!isDefault && algorithmId !== managementAlgorithmIds[key.algorithm]) throw new Refusal(sw.wrongP1P2);
    const open = this.#open;
    this.#open = undefined;
    const [witness, challenge, response] = [0x80, 0x81, 0x82].map((tag) => valueOf(fields, tag));
    if (witness && witness.length > 0 && challenge && challenge.length > 0) {
      if (challenge.length !== blockBytes(key)) throw new Refusal(sw.wrongData);
      this.#check(open?.kind === 'witness' && sameBytes(open.plain, witness));
      return dynamicTemplate(0x82, encrypt(key, challenge));
    }
    if (response && response.length > 0) {
      this.#check(open?.kind === 'challenge' && sameBytes(encrypt(key, open.plain), response));
      return new Uint8Array(0);
    }
    const kind = witness?.length === 0 ? 'witness' : challenge?.length === 0 ? 'challenge' : undefined;
    if (!kind) throw new Refusal(sw.wrongData);
    this.#authenticated = false;
    const plain = crypto.getRandomValues(new Uint8Array(blockBytes(key)));
    this.#open = { kind, plain };
    return kind === 'witness' ? dynamicTemplate(0x80, encrypt(key, plain)) : dynamicTemplate(0x81, plain);
  }

  #check(right: boolean): void {
    this.#authenticated = right;
    if (!right) throw new Refusal(sw.notLoggedIn);
  }
}
