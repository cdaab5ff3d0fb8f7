import { createPrivateKey, randomBytes } from 'node:crypto';
import { toHex } from '../../src/pki/bytes.ts';
import { defaultManagementKey } from '../virtual-key/piv-management.ts';
import {
  cardCapabilityContainer,
  cardHolderUniqueIdentifier,
  certificateObject,
  certificateTag,
  discoveryObject,
  keyHistory,
  objectTags,
  protectedKey,
  protectedKeyNote,
  tagName,
} from '../virtual-key/piv-objects.ts';
import type { Attachment, PivAlgorithm, PivFeatures, PivState, Scenario } from '../virtual-key/state.ts';
import type { SoftwareKey } from './keys.ts';

/** The management key of the one key that neither has the default nor keeps its own: it has to be asked for. */
export const sampleManagementKey = '0123456789abcdeffedcba98765432100011223344556677';

/** CanoKey's algorithm identifier of SM2 as delivered. */
const sm2Algorithm = 0x54;
const retiredSlots = Array.from({ length: 20 }, (_, index) => 0x82 + index);

/** What a PIV key of that kind does beyond the standard. @param algorithm of its certificate */
export function pivFeatures(attachment: Attachment, algorithm: PivAlgorithm): PivFeatures {
  return attachment === 'canokey'
    ? { metadata: false, moveKey: false, sm2Algorithm, retiredSlots: [0x82, 0x83] }
    : { metadata: true, moveKey: true, ...(algorithm === 'sm2' ? { sm2Algorithm } : {}), retiredSlots };
}

const withDefaultKey: readonly Scenario[] = ['old-issuer', 'empty', 'foreign', 'ca-refuses'];

/** `expired` has to be asked for its management key; the others have the default, or keep their own behind the PIN. */
function managementKeyFor(scenario: Scenario, attachment: Attachment): PivState['managementKey'] {
  const isCanokey = attachment === 'canokey';
  if (scenario === 'expired')
    return { algorithm: isCanokey ? '3des' : 'aes192', key: sampleManagementKey, pinProtected: false };
  // CanoKey has no place for the note that the printed information holds the key.
  if (isCanokey || withDefaultKey.includes(scenario))
    return { algorithm: '3des', key: defaultManagementKey, pinProtected: false };
  return { algorithm: 'aes192', key: toHex(randomBytes(24)), pinProtected: true };
}

/** A key pair with its certificate, for the slot it is to lie in. */
export interface SlotContent {
  readonly key: SoftwareKey;
  readonly certificate: Uint8Array;
}

/** A card as personalisation leaves it: 9A, or 9C with a PIN for every signature where the holder has to wait. */
export function pivContents(
  scenario: Scenario,
  attachment: Attachment,
  algorithm: PivAlgorithm,
  content: SlotContent | undefined,
): Pick<PivState, 'managementKey' | 'slots' | 'objects' | 'features'> {
  const managementKey = managementKeyFor(scenario, attachment);
  const isCanokey = attachment === 'canokey';
  const slot = scenario === 'ca-waits' && !isCanokey ? 0x9c : 0x9a;
  const object = (tag: number, data: Uint8Array): PivState['objects'][number] => ({
    tag: tagName(tag),
    data: toHex(data),
  });
  const { administratorData, discovery, printedInformation } = objectTags;
  return {
    managementKey,
    features: pivFeatures(attachment, algorithm),
    slots: content ? [{ ...slotKey(content), slot: tagName(slot), pinPolicy: slot === 0x9c ? 'always' : 'once' }] : [],
    objects: [
      object(objectTags.cardHolderUniqueIdentifier, cardHolderUniqueIdentifier(randomBytes(16))),
      object(objectTags.cardCapabilityContainer, cardCapabilityContainer(randomBytes(14))),
      object(discovery, discoveryObject()),
      ...(isCanokey ? [] : [object(objectTags.keyHistory, keyHistory(0, 0))]),
      ...(managementKey.pinProtected
        ? [
            object(administratorData, protectedKeyNote()),
            object(printedInformation, protectedKey(Buffer.from(managementKey.key, 'hex'))),
          ]
        : []),
      ...(content ? [object(certificateTag(slot), certificateObject(content.certificate))] : []),
    ],
  };
}

function slotKey({ key }: SlotContent): Pick<PivState['slots'][number], 'algorithm' | 'privateKey' | 'publicKey'> {
  if (key.type === 'rsa')
    return { algorithm: 'rsa2048', privateKey: toHex(key.privateKey), publicKey: toHex(key.spki) };
  const privateKey = key.type === 'sm2' ? key.privateKey : scalarOf(key.privateKey);
  // The SubjectPublicKeyInfo of a point ends in X ‖ Y.
  return { algorithm: key.type, privateKey: toHex(privateKey), publicKey: toHex(key.spki.subarray(-64)) };
}

/** d of an elliptic curve key in DER PKCS #8. */
function scalarOf(pkcs8: Uint8Array): Uint8Array {
  const { d } = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'jwk' });
  return Buffer.from(d ?? '', 'base64url');
}
