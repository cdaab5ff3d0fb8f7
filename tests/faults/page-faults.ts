import type { Attachment, Scenario } from '../virtual-key/state.ts';
import { situations } from './fault.ts';

/**
 * A fault as a page in a real browser can be given it: the key is cut at a write to its memory or in the middle of a
 * transfer, an exchange with the authority fails, or the page is reloaded.
 */
export type PageFault =
  /** `n`-th write to the key's memory since the password was typed: container, key pair, certificate. */
  | { readonly place: 'write'; readonly n: 1 | 2 | 3; readonly kind: 'before' | 'after' }
  /** At this share of the transfers between the password and the end of a clean run. */
  | { readonly place: 'transfer'; readonly share: number; readonly kind: 'before' | 'after' }
  /** The first exchange is p10cr, the second certConf. */
  | {
      readonly place: 'ca';
      readonly n: 1 | 2;
      readonly kind: 'requestDropped' | 'answerDropped' | 'error500' | 'garbage';
    }
  /** The page is reloaded when the journal's record first shows this stage. */
  | { readonly place: 'reload'; readonly stage: 'generate' | 'request' | 'write' | 'confirm' };

export interface PageTrial {
  readonly name: string;
  readonly purpose: 'renewal' | 'upgrade';
  readonly scenario: Scenario;
  readonly attachment: Attachment;
  readonly fault: PageFault;
}

const faults: readonly PageFault[] = [
  { place: 'write', n: 1, kind: 'after' },
  { place: 'write', n: 2, kind: 'after' },
  { place: 'write', n: 3, kind: 'before' },
  { place: 'write', n: 3, kind: 'after' },
  { place: 'transfer', share: 0.35, kind: 'before' },
  { place: 'transfer', share: 0.6, kind: 'after' },
  { place: 'ca', n: 1, kind: 'requestDropped' },
  { place: 'ca', n: 1, kind: 'answerDropped' },
  { place: 'ca', n: 2, kind: 'answerDropped' },
  { place: 'ca', n: 2, kind: 'error500' },
  { place: 'reload', stage: 'request' },
  { place: 'reload', stage: 'write' },
  { place: 'reload', stage: 'confirm' },
];

const say = (fault: PageFault): string => Object.values(fault).join(' ');

/** {renewal, upgrade} × {HID, CCID} of GM/T 0017 × the points above: 52 trials through the real page. */
export const pageTrials: readonly PageTrial[] = situations
  .filter(
    ({ full, face, authority, encryption }) =>
      full && face.commandSet === 'gmt0017' && authority === 'cmp' && !encryption,
  )
  .flatMap(({ name, purpose, scenario, face: { attachment } }) =>
    faults.map((fault) => ({ name: `${name}: ${say(fault)}`, purpose, scenario, attachment, fault })),
  );
