import type { CertificateStatus } from '../ca/status.ts';
import type { KindState } from '../guidance/packs/state.ts';
import type { JournalRecord } from '../renewal/journal.ts';
import type { CertificateOnKey, KeyContents } from '../renewal/key-contents.ts';
import type { Trust } from '../renewal/trust.ts';
import type { Config, Policy } from '../service/config.ts';
import type { AttachedKey } from '../usbkey/connect.ts';
import type { PasswordTries } from '../usbkey/usbkey.ts';
import type { KeySession } from './key-session.ts';
import type { Restorable } from './restorable.ts';

/** What the checks of a run have come upon, for those after them and for the report. */
export interface Notebook {
  config?: Config;
  policy?: Policy;
  trust?: Trust;
  attached?: AttachedKey;
  session?: KeySession;
  contents?: KeyContents;
  /** Password tries. */
  tries?: PasswordTries;
  /** The key's own journal records; empty where they cannot be read. */
  records?: readonly JournalRecord[];
  /** The certificate that counts: what an unfinished run has written does not. */
  active?: CertificateOnKey;
  restorable?: readonly Restorable[];
  /** The operator's content packs. */
  content?: readonly KindState[];
  status?: CertificateStatus;
  /** Milliseconds that each server took. */
  latency?: Partial<Record<'config' | 'policy' | 'authority', number>>;
}

export const trustOf = ({ anchors, intermediates, oldIssuers, holder }: Config): Trust => ({
  anchors,
  intermediates,
  oldIssuers,
  taxpayerNumberTypes: holder.taxpayerNumber,
});
