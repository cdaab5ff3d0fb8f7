import type { Component } from 'svelte';
import type { Page } from './router.svelte.ts';

type Load<Part> = () => Promise<{ default: Part }>;

export type PageName =
  | 'Certificates'
  | 'Renew'
  | 'Guides'
  | 'GuideFlow'
  | 'Faq'
  | 'FaqEntry'
  | 'Centres'
  | 'Appointments'
  | 'Letter'
  | 'Check'
  | 'Code'
  | 'Privacy'
  | 'About'
  | 'KeyAcceptance'
  | 'NotFound';

/** Its heading is the question, and has to be there with the page: else the focus finds nowhere to go. */
async function faqEntry(): Promise<{ default: Page }> {
  const questions = import('../guidance/faq/in-use.ts').then(({ loadFaq }) => loadFaq());
  // The page says so itself when they could not be fetched.
  const [page] = await Promise.all([import('./pages/FaqEntry.svelte'), questions.catch(() => undefined)]);
  return page;
}

/*
 * Everything but the home page, each in its own chunk. This file is a chunk too, for the lists of what each of them needs
 * are long, and the home page is not to wait for them.
 */
const own: Readonly<Record<PageName, Load<Page>>> = {
  Certificates: () => import('./pages/Certificates.svelte'),
  Renew: () => import('./pages/Renew.svelte'),
  Guides: () => import('./pages/Guides.svelte'),
  GuideFlow: () => import('./pages/GuideFlow.svelte'),
  Faq: () => import('./pages/Faq.svelte'),
  FaqEntry: faqEntry,
  Centres: () => import('./pages/Centres.svelte'),
  Appointments: () => import('./pages/Appointments.svelte'),
  Letter: () => import('./pages/Letter.svelte'),
  Check: () => import('./pages/Check.svelte'),
  Code: () => import('./pages/Code.svelte'),
  Privacy: () => import('./pages/Privacy.svelte'),
  About: () => import('./pages/About.svelte'),
  KeyAcceptance: () => import('./pages/KeyAcceptance.svelte'),
  NotFound: () => import('./pages/NotFound.svelte'),
};

/** A page, once the operator's words have been put in the place of the site's own. */
async function open(name: PageName): Promise<{ default: Page }> {
  const [page] = await Promise.all([
    own[name](),
    import('./state/operator-words.ts').then(({ operatorWords }) => operatorWords()),
  ]);
  return page;
}

export const pages: Readonly<Record<PageName, Load<Page>>> = {
  Certificates: () => open('Certificates'),
  Renew: () => open('Renew'),
  Guides: () => open('Guides'),
  GuideFlow: () => open('GuideFlow'),
  Faq: () => open('Faq'),
  FaqEntry: () => open('FaqEntry'),
  Centres: () => open('Centres'),
  Appointments: () => open('Appointments'),
  Letter: () => open('Letter'),
  Check: () => open('Check'),
  Code: () => open('Code'),
  Privacy: () => open('Privacy'),
  About: () => open('About'),
  KeyAcceptance: () => open('KeyAcceptance'),
  NotFound: () => open('NotFound'),
};

/** Parts of the shell that few visits need. */
export const parts: {
  readonly ClearData: Load<Component<{ onclose: () => void }>>;
  readonly KeyState: Load<Component<{ fallback?: string }>>;
  readonly KioskBar: Load<Component>;
} = {
  ClearData: () => import('./components/ClearData.svelte'),
  KeyState: () => import('./components/KeyState.svelte'),
  KioskBar: () => import('./components/KioskBar.svelte'),
};
