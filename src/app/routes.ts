import type { PageName } from './later.ts';
import type { Page, Route } from './router.svelte.ts';

/** Where the other pages are is itself fetched when the first of them is wanted. */
const page = (name: PageName) => async (): Promise<{ default: Page }> => (await import('./later.ts')).pages[name]();

/** Every address of the site. Each page is its own chunk. */
export const routes: readonly Route[] = [
  { path: '/', load: () => import('./pages/Home.svelte') },
  { path: '/certificates', load: page('Certificates') },
  { path: '/renew', load: page('Renew') },
  { path: '/guide', load: page('Guides') },
  { path: '/guide/:flow', load: page('GuideFlow') },
  { path: '/faq', load: page('Faq') },
  { path: '/faq/:id', load: page('FaqEntry') },
  { path: '/centres', load: page('Centres') },
  { path: '/appointments', load: page('Appointments') },
  { path: '/letter', load: page('Letter') },
  { path: '/check', load: page('Check') },
  { path: '/code/:code', load: page('Code') },
  { path: '/privacy', load: page('Privacy') },
  { path: '/about', load: page('About') },
  { path: '/operator/key-acceptance', load: page('KeyAcceptance') },
];

export const notFound: Route = { path: '/not-found', load: page('NotFound') };
