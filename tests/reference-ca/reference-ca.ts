import type { Attachment, KeyState, Scenario } from '../virtual-key/state.ts';
import { caHandler } from './ca-handler.ts';
import { CmpResponder } from './cmp-responder.ts';
import { Faults, type Fault } from './faults.ts';
import { openHierarchy, type Hierarchy } from './hierarchy.ts';
import type { RequestHandler } from './http.ts';
import { Issuance } from './issuance.ts';
import { Ledger, type RevocationReason } from './ledger.ts';
import { type KeyKind, Personaliser } from './personalise.ts';
import { defaultPolicy, type Policy } from './policy.ts';
import { restHandler } from './rest-handler.ts';
import { RestResponder } from './rest-responder.ts';
import { statusHandler } from './status-handler.ts';
import { StatusResponder } from './status-responder.ts';

export interface ReferenceCaOptions {
  /** Where authorities and ledger are kept; undefined: in memory. */
  readonly directory?: string;
  /** Authorities already open, to share them; default those of the directory, or new ones. */
  readonly hierarchy?: Hierarchy;
  /** When the old authority ends, if it is made now; default far ahead. */
  readonly oldRsaEnds?: Date;
  /** What differs from the default policy. */
  readonly policy?: Partial<Policy>;
  readonly now?: () => Date;
  /** What goes wrong over HTTP with the first messages; more by `ReferenceCa.faults`. */
  readonly faults?: readonly Fault[];
}

/** A small certification authority: what the site is tested and shown against. */
export interface ReferenceCa {
  readonly hierarchy: Hierarchy;
  readonly ledger: Ledger;
  readonly responder: CmpResponder;
  readonly rest: RestResponder;
  /** Everything it answers over HTTP: see `caHandler`, `restHandler` and `statusHandler`. */
  readonly handler: RequestHandler;
  /** What goes wrong with the messages to come; nothing unless told. */
  readonly faults: Faults;
  /** Takes a certificate back. @throws RangeError for one that is not of this authority */
  revoke(certificate: Uint8Array, reason?: RevocationReason): Promise<void>;
  /** Makes a USBKEY's content for a new sample taxpayer. */
  personalise(scenario: Scenario, attachment: Attachment, kind?: KeyKind): Promise<KeyState>;
  close(): Promise<void>;
}

/** Opens the authority of a data directory, or a new one in memory. @throws LedgerError */
export async function openReferenceCa(options: ReferenceCaOptions = {}): Promise<ReferenceCa> {
  const now = options.now ?? ((): Date => new Date());
  const hierarchy = options.hierarchy ?? (await openHierarchy(options.directory, { oldRsaEnds: options.oldRsaEnds }));
  const ledger = options.directory === undefined ? Ledger.inMemory(now) : await Ledger.open(options.directory, now);
  const faults = new Faults(options.faults);
  const issuance = new Issuance({ hierarchy, ledger, policy: { ...defaultPolicy, ...options.policy }, now, faults });
  const responder = new CmpResponder(issuance);
  const answerCmp = caHandler(responder, issuance, faults);
  const rest = new RestResponder(issuance);
  const answerRest = restHandler(rest, issuance, faults);
  const answerStatus = statusHandler(new StatusResponder(hierarchy, ledger, now), () => issuance.settle(), now);
  const personaliser = new Personaliser(hierarchy, ledger, now);
  return {
    hierarchy,
    ledger,
    responder,
    rest,
    faults,
    handler: async (request, response) =>
      (await answerCmp(request, response)) ||
      (await answerRest(request, response)) ||
      (await answerStatus(request, response)),
    revoke: (certificate, reason = 'unspecified') => issuance.revoke(certificate, reason),
    personalise: (scenario, attachment, kind) => personaliser.personalise(scenario, attachment, kind),
    close: async () => {
      await issuance.idle();
      await ledger.close();
    },
  };
}
