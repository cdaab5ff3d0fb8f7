import type { Attachment, KeyState, Scenario } from '../virtual-key/state.ts';
import { caHandler } from './ca-handler.ts';
import { CmpResponder } from './cmp-responder.ts';
import { openHierarchy, type Hierarchy } from './hierarchy.ts';
import type { RequestHandler } from './http.ts';
import { Ledger } from './ledger.ts';
import { type KeyKind, Personaliser } from './personalise.ts';
import { defaultPolicy, type Policy } from './policy.ts';

export interface ReferenceCaOptions {
  /** Where authorities and ledger are kept; undefined: in memory. */
  readonly directory?: string;
  /** Authorities already open, to share them; default those of the directory, or new ones. */
  readonly hierarchy?: Hierarchy;
  /** What differs from the default policy. */
  readonly policy?: Partial<Policy>;
  readonly now?: () => Date;
}

/** A small certification authority: what the site is tested and shown against. */
export interface ReferenceCa {
  readonly hierarchy: Hierarchy;
  readonly ledger: Ledger;
  readonly responder: CmpResponder;
  /** `POST /ca/cmp`, `GET /api/policy`, `GET /api/enrolments/{id}`. */
  readonly handler: RequestHandler;
  /** Makes a USBKEY's content for a new sample taxpayer. */
  personalise(scenario: Scenario, attachment: Attachment, kind?: KeyKind): Promise<KeyState>;
  close(): Promise<void>;
}

/** Opens the authority of a data directory, or a new one in memory. @throws LedgerError */
export async function openReferenceCa(options: ReferenceCaOptions = {}): Promise<ReferenceCa> {
  const now = options.now ?? ((): Date => new Date());
  const hierarchy = options.hierarchy ?? (await openHierarchy(options.directory));
  const ledger = options.directory === undefined ? Ledger.inMemory(now) : await Ledger.open(options.directory, now);
  const responder = new CmpResponder({ hierarchy, ledger, policy: { ...defaultPolicy, ...options.policy }, now });
  const personaliser = new Personaliser(hierarchy, ledger, now);
  return {
    hierarchy,
    ledger,
    responder,
    handler: caHandler(responder, now),
    personalise: (scenario, attachment, kind) => personaliser.personalise(scenario, attachment, kind),
    close: async () => {
      await responder.idle();
      await ledger.close();
    },
  };
}
