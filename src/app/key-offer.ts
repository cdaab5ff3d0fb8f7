import type { Recommendation } from '../renewal/recommend.ts';
import type { KeyStateWords } from './messages/key-state.ts';

export interface KeyOffer {
  readonly href: string;
  readonly words: string;
}

/** The one link that leads on from the sentence about a key. Following it writes nothing: a password comes first. */
export function keyOffer({ action, flow }: Recommendation, t: KeyStateWords): KeyOffer {
  switch (action) {
    case 'onlineRenewal':
      return { href: '/renew', words: t.renew };
    case 'onlineUpgrade':
      return { href: '/renew', words: t.upgrade };
    case 'resume':
      return { href: '/renew', words: t.resume };
    case 'none':
    case 'callHotline':
    case 'fixEnvironment':
    case 'waitForNetwork':
      return { href: '/certificates', words: t.look };
    default:
      return { href: `/guide/${flow ?? 'renew'}`, words: t.whatToBring };
  }
}
