/*
 * What a check, or a page, can find to be wrong: each cause with its number in fault codes, how serious it is, and what
 * can be done about it from here. The words for each are in `app/messages`.
 */

/** `bad`: nothing goes on before it is dealt with. `warn`: to be dealt with soon. `note`: good to know. */
export type Severity = 'bad' | 'warn' | 'note';

/** What a page can do about a cause, each at the press of a button. */
export type RepairId =
  /** Opens the browser's chooser. */
  | 'connect'
  /** The same for the browser's other door. */
  | 'connectOtherWay'
  /** Lets go of the key and opens it anew. */
  | 'reopen'
  /** Resets the USB device, then opens it anew. */
  | 'resetDevice'
  /** Waits for the tab that has the key, and goes on as soon as it is done or closed. */
  | 'takeOver'
  /** Throws away the site's copies on this computer and fetches them again. */
  | 'rebuildCache'
  | 'refreshContent'
  | 'updateApp'
  /** Looks again: what there is to be mended is not here. */
  | 'lookAgain'
  /** Writes a certificate back from the journal, or from the authority. */
  | 'restoreCertificate'
  /** Goes on with what was begun. */
  | 'resume'
  /** Deletes our own containers that a broken attempt has left empty. */
  | 'tidy';

/** Where a person goes for what a page cannot mend. */
export type WayOut = 'certificates' | 'unlock' | 'renewAtCentre' | 'replace' | 'hotline' | 'originalProgram';

/** A picture to the steps a person takes. */
export type StepPicture = 'insert' | 'replug' | 'locked';

export interface CauseFacts {
  /** 1 to 97; never given anew. 98 and 99 are for what a check does not come to. */
  readonly number: number;
  readonly severity: Severity;
  readonly repair?: RepairId;
  readonly wayOut?: WayOut;
  readonly picture?: StepPicture;
}

const table = {
  insecure: { number: 1, severity: 'bad' },
  mobile: { number: 2, severity: 'bad', wayOut: 'renewAtCentre' },
  noApi: { number: 3, severity: 'bad', wayOut: 'renewAtCentre' },
  nothingChosen: { number: 4, severity: 'warn', repair: 'connect', picture: 'insert' },
  protectedClass: { number: 5, severity: 'bad', wayOut: 'originalProgram' },
  massStorage: { number: 6, severity: 'bad', wayOut: 'originalProgram' },
  fidoOnly: { number: 7, severity: 'bad', repair: 'connect', picture: 'insert' },
  unknownDevice: { number: 8, severity: 'bad', repair: 'connect', picture: 'insert' },
  accessDenied: { number: 9, severity: 'bad', repair: 'reopen', picture: 'replug' },
  busy: { number: 10, severity: 'bad', repair: 'reopen' },
  otherTab: { number: 11, severity: 'warn', repair: 'takeOver' },
  several: { number: 12, severity: 'warn' },
  unplugged: { number: 13, severity: 'warn', repair: 'lookAgain', picture: 'replug' },
  noAnswer: { number: 14, severity: 'bad', repair: 'resetDevice', picture: 'replug' },
  noConfig: { number: 15, severity: 'bad', repair: 'lookAgain' },
  unexpected: { number: 16, severity: 'bad', repair: 'lookAgain' },
  noGesture: { number: 17, severity: 'warn', repair: 'connect' },
  otherWay: { number: 18, severity: 'warn', repair: 'connectOtherWay' },
  notAKey: { number: 19, severity: 'bad', repair: 'connect', picture: 'insert' },
  heldBack: { number: 20, severity: 'bad', wayOut: 'originalProgram' },
  unpluggedForgotten: { number: 21, severity: 'warn', repair: 'connect', picture: 'replug' },
  stalled: { number: 22, severity: 'bad', repair: 'resetDevice', picture: 'replug' },
  badAnswer: { number: 23, severity: 'bad', repair: 'resetDevice', picture: 'replug' },
  ownTask: { number: 24, severity: 'warn', repair: 'lookAgain' },

  oldBrowser: { number: 30, severity: 'warn' },
  apiForbidden: { number: 32, severity: 'bad' },
  oneWayForbidden: { number: 33, severity: 'note' },
  noStorage: { number: 34, severity: 'bad' },
  storageFull: { number: 35, severity: 'bad', repair: 'rebuildCache' },
  storageFailed: { number: 36, severity: 'bad', repair: 'lookAgain' },
  privateMode: { number: 37, severity: 'warn' },
  noServiceWorker: { number: 38, severity: 'note' },
  notKeptOffline: { number: 39, severity: 'note', repair: 'rebuildCache' },
  updateWaiting: { number: 40, severity: 'warn', repair: 'updateApp' },
  oldContent: { number: 41, severity: 'warn', repair: 'refreshContent' },
  brokenCache: { number: 42, severity: 'warn', repair: 'rebuildCache' },

  offline: { number: 43, severity: 'bad', repair: 'lookAgain' },
  serverUnreachable: { number: 44, severity: 'bad', repair: 'lookAgain' },
  serverError: { number: 45, severity: 'bad', repair: 'lookAgain', wayOut: 'hotline' },
  badConfig: { number: 46, severity: 'bad', repair: 'refreshContent', wayOut: 'hotline' },
  apiUnreachable: { number: 47, severity: 'bad', repair: 'lookAgain' },
  apiError: { number: 48, severity: 'bad', repair: 'lookAgain', wayOut: 'hotline' },
  badPolicy: { number: 49, severity: 'bad', repair: 'refreshContent', wayOut: 'hotline' },
  caUnreachable: { number: 50, severity: 'bad', repair: 'lookAgain' },
  caBusy: { number: 51, severity: 'warn', repair: 'lookAgain' },
  caUntrusted: { number: 52, severity: 'bad', repair: 'lookAgain', wayOut: 'hotline' },
  caClosed: { number: 53, severity: 'warn', wayOut: 'renewAtCentre' },
  slow: { number: 54, severity: 'note', repair: 'lookAgain' },
  clockWrong: { number: 55, severity: 'bad', repair: 'lookAgain' },
  clockOff: { number: 56, severity: 'note', repair: 'lookAgain' },
  clockUnknown: { number: 57, severity: 'note' },

  notPermitted: { number: 58, severity: 'warn', repair: 'connect', picture: 'insert' },
  notPluggedIn: { number: 59, severity: 'warn', repair: 'connect', picture: 'insert' },
  noApplication: { number: 60, severity: 'bad', wayOut: 'hotline' },
  locked: { number: 61, severity: 'bad', wayOut: 'unlock', picture: 'locked' },
  lastTry: { number: 62, severity: 'warn', wayOut: 'unlock' },
  triesUnknown: { number: 63, severity: 'note' },
  noCertificate: { number: 64, severity: 'bad', wayOut: 'hotline' },
  tornCertificate: { number: 65, severity: 'bad', wayOut: 'hotline' },
  tornEncryption: { number: 66, severity: 'warn', wayOut: 'hotline' },
  otherKeyPair: { number: 67, severity: 'bad', wayOut: 'hotline' },
  foreign: { number: 68, severity: 'bad', wayOut: 'hotline' },
  brokenChain: { number: 69, severity: 'bad', wayOut: 'hotline' },
  badSignature: { number: 70, severity: 'bad', wayOut: 'replace' },
  expired: { number: 71, severity: 'bad', wayOut: 'certificates' },
  due: { number: 72, severity: 'warn', wayOut: 'certificates' },
  notYetValid: { number: 73, severity: 'bad', wayOut: 'hotline' },
  upgradeDue: { number: 74, severity: 'warn', wayOut: 'certificates' },
  revoked: { number: 75, severity: 'bad', wayOut: 'hotline' },
  statusUnknown: { number: 76, severity: 'note', repair: 'lookAgain' },
  pending: { number: 77, severity: 'warn', repair: 'resume' },
  pendingOther: { number: 78, severity: 'warn', picture: 'insert' },
  brokenJournal: { number: 79, severity: 'note' },
  lostCertificate: { number: 80, severity: 'bad', repair: 'restoreCertificate' },
  leftover: { number: 81, severity: 'note', repair: 'tidy' },
  readOnlyModel: { number: 82, severity: 'note', wayOut: 'renewAtCentre' },
  noTestSignature: { number: 83, severity: 'note' },
  /** New content of the operator's was not taken, and what is in use stays: not as it should be … */
  contentRefused: { number: 84, severity: 'note', repair: 'refreshContent' },
  /** … or other bytes than the operator has signed … */
  contentTampered: { number: 85, severity: 'warn', repair: 'refreshContent', wayOut: 'hotline' },
  /** … or older than what is in use. */
  contentOlder: { number: 86, severity: 'note', repair: 'refreshContent' },

  page: { number: 90, severity: 'bad' },
  /** A check that was given up after its time. */
  timedOut: { number: 98, severity: 'bad', repair: 'lookAgain' },
  /** A check that failed by itself: a defect of this software. */
  failed: { number: 99, severity: 'bad', repair: 'lookAgain' },
} as const satisfies Readonly<Record<string, CauseFacts>>;

export type Cause = keyof typeof table;

export const causes: Readonly<Record<Cause, CauseFacts>> = table;

const byNumber = new Map((Object.keys(table) as Cause[]).map((cause) => [causes[cause].number, cause]));

/** @returns undefined for a number that was never given */
export const causeOf = (number: number): Cause | undefined => byNumber.get(number);
