import { recall, remember } from './state/local-store.ts';

export const locales = ['zh-CN', 'en'] as const;
export type Locale = (typeof locales)[number];
/** A page's words: a message is a string or a function of its values; `en` has the type of the Chinese. */
export type Dictionary<Messages> = Readonly<Record<Locale, Messages>>;

const isLocale = (value: string | undefined): value is Locale => locales.some((locale) => locale === value);
const stored = recall('locale');

const first: Locale = isLocale(stored) ? stored : 'zh-CN';
document.documentElement.lang = first;
let locale = $state<Locale>(first);

export const i18n = {
  get locale(): Locale {
    return locale;
  },
};

export function setLocale(next: Locale): void {
  locale = next;
  document.documentElement.lang = next;
  remember('locale', next);
}

/**
 * A dictionary whose English is fetched when somebody wants it: for the words of the first screen. Until they are there
 * the Chinese ones stand.
 */
export function withEnglish<Messages>(zh: Messages, load: () => Promise<{ en: Messages }>): Dictionary<Messages> {
  let english = $state.raw<Messages | undefined>();
  let asked = false;
  return {
    'zh-CN': zh,
    get en() {
      if (!asked) {
        asked = true;
        load().then(
          ({ en }) => (english = en),
          () => (asked = false),
        );
      }
      return english ?? zh;
    },
  };
}

/** The words in the current language. Inside `$derived` or a template it follows a change of language. */
export function say<Messages>(dictionary: Dictionary<Messages>): Messages {
  return dictionary[locale];
}
