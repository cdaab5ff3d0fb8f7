import { decodeEncryptedValue, encodeEncryptedValue } from '../../src/ca/encrypted-value.ts';
import { parseMessage } from '../../src/ca/cmp-messages.ts';
import { readSpki } from '../../src/pki/algorithms.ts';
import { copyBytes, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import type { EnvelopedKey } from '../../src/pki/enveloped-key.ts';
import type { Unacceptable } from '../../src/renewal/outcome.ts';
import { envelopeFor, makeEncryptionKeyPair } from '../reference-ca/encryption-key.ts';
import { generateKey } from '../reference-ca/keys.ts';
import { MessageDraft, type HostileMessage } from './messages.ts';

/*
 * Encryption key pairs that do not fit the certificate beside them, which is right, in messages protected by the
 * authority's own key. Nothing in an envelope tells: the USBKEY does, when it imports.
 */

export interface HostileEnvelope {
  readonly name: string;
  readonly stoppedBy: readonly Unacceptable[];
  readonly message: Pick<HostileMessage, 'make' | 'lookUps'>;
}

/** @param spki DER SubjectPublicKeyInfo of the certificate beside it; @param wrapFor that of the new signing key */
type Change = (
  right: EnvelopedKey,
  keys: { readonly spki: Bytes; readonly wrapFor: () => Uint8Array },
) => Promise<EnvelopedKey | undefined>;

const envelope = (
  name: string,
  stoppedBy: readonly Unacceptable[],
  wrapFor: () => Uint8Array,
  change: Change,
): HostileEnvelope => ({
  name,
  stoppedBy,
  message: {
    lookUps: 'changed',
    make: async (answer, { hierarchy }) => {
      const { body } = parseMessage(answer);
      const [response] = body.type === 'cp' ? body.responses : [];
      // Every other answer is left alone.
      if (!response || !('certificate' in response) || !response.certificate || !response.privateKey) return answer;
      const { spki } = parseCertificate(response.certificate);
      const right = decodeEncryptedValue(response.privateKey, copyBytes(readSpki(spki).publicKey));
      const wrong = await change(right, { spki, wrapFor });
      const draft = new MessageDraft(answer);
      draft.encryptedKey = wrong && encodeEncryptedValue(wrong);
      return draft.protectedBy(hierarchy.sm2.issuing.key);
    },
  },
});

/** @param wrapFor DER SubjectPublicKeyInfo of the new signing key, once there is one */
export const hostileEnvelopes = (wrapFor: () => Uint8Array): readonly HostileEnvelope[] => [
  envelope('wrapped for somebody else', ['notOpened'], wrapFor, async (_right, { spki }) => {
    const { privateKey } = await makeEncryptionKeyPair();
    return envelopeFor({ privateKey, spki }, (await generateKey('sm2')).spki);
  }),
  envelope('with another private key', ['notOpened'], wrapFor, async (_right, { spki, wrapFor: to }) => {
    const { privateKey } = await makeEncryptionKeyPair();
    return envelopeFor({ privateKey, spki }, to());
  }),
  envelope('whose wrapped key was changed', ['notOpened'], wrapFor, (right) => {
    const hash = copyBytes(right.wrappedKey.hash);
    hash[0] = (hash[0] ?? 0) ^ 1;
    return Promise.resolve({ ...right, wrappedKey: { ...right.wrappedKey, hash } });
  }),
  envelope('whose private key was changed', ['notOpened'], wrapFor, (right) => {
    const encryptedPrivateKey = copyBytes(right.encryptedPrivateKey);
    encryptedPrivateKey[40] = (encryptedPrivateKey[40] ?? 0) ^ 1;
    return Promise.resolve({ ...right, encryptedPrivateKey });
  }),
  envelope('with a private key of half the length', ['noKeyPair'], wrapFor, (right) =>
    Promise.resolve({ ...right, encryptedPrivateKey: right.encryptedPrivateKey.slice(0, 16) }),
  ),
  envelope('wrapped with what is no point of the curve', ['noKeyPair'], wrapFor, (right) =>
    Promise.resolve({ ...right, wrappedKey: { ...right.wrappedKey, x: right.wrappedKey.y } }),
  ),
  envelope('that is missing', ['noKeyPair'], wrapFor, () => Promise.resolve(undefined)),
];
