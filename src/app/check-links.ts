import type { CheckId } from '../diagnosis/check.ts';
import type { StopReason } from '../renewal/outcome.ts';
import type { KeyTrouble } from './state/key-trouble.ts';

/** Which check looks at what stood in the way, where it is not the key's answers. */
const ofTrouble: Partial<Record<KeyTrouble, CheckId>> = {
  insecure: 'secureContext',
  mobile: 'browser',
  noApi: 'interfaces',
  nothingChosen: 'permission',
  noGesture: 'permission',
  several: 'permission',
  protectedClass: 'model',
  massStorage: 'model',
  fidoOnly: 'model',
  otherWay: 'model',
  heldBack: 'model',
  unknownDevice: 'model',
  accessDenied: 'interface',
  busy: 'interface',
  otherTab: 'interface',
  ownTask: 'interface',
  unplugged: 'permission',
  unpluggedForgotten: 'permission',
  notAKey: 'interface',
  noConfig: 'network',
};

const ofStop: Partial<Record<StopReason, CheckId>> = {
  locked: 'password',
  unplugged: 'permission',
  noRoom: 'leftovers',
  unsupportedAlgorithm: 'model',
  modelStopped: 'model',
  noCertificate: 'certificates',
  closed: 'authority',
  notRolledOut: 'authority',
  certificateRevoked: 'status',
  caUnreachable: 'authority',
  caUntrusted: 'authority',
  caRejected: 'status',
  withdrawn: 'leftovers',
  goneFromKey: 'leftovers',
  checkFailed: 'certificates',
  storageFailed: 'storage',
};

const checkLink = (id: CheckId): string => `/check?from=${id}`;

/** The system check, beginning with what is about this trouble. */
export const checkOfTrouble = (trouble: KeyTrouble): string => checkLink(ofTrouble[trouble] ?? 'exchange');

export const checkOfStop = (reason: StopReason): string => checkLink(ofStop[reason] ?? 'exchange');
