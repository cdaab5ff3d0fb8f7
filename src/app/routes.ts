import type { Route } from './router.svelte.ts';

/** Every address of the site. Each page is its own chunk. */
export const routes: readonly Route[] = [
  { path: '/', load: () => import('./pages/Home.svelte') },
  { path: '/certificates', load: () => import('./pages/Certificates.svelte') },
  { path: '/renew', load: () => import('./pages/Renew.svelte') },
  { path: '/guide', load: () => import('./pages/Guides.svelte') },
  { path: '/guide/:flow', load: () => import('./pages/GuideFlow.svelte') },
  { path: '/faq', load: () => import('./pages/Faq.svelte') },
  { path: '/faq/:id', load: () => import('./pages/FaqEntry.svelte') },
  { path: '/centres', load: () => import('./pages/Centres.svelte') },
  { path: '/appointments', load: () => import('./pages/Appointments.svelte') },
  { path: '/letter', load: () => import('./pages/Letter.svelte') },
  { path: '/check', load: () => import('./pages/Check.svelte') },
  { path: '/code/:code', load: () => import('./pages/Code.svelte') },
  { path: '/privacy', load: () => import('./pages/Privacy.svelte') },
  { path: '/about', load: () => import('./pages/About.svelte') },
];

export const notFound: Route = { path: '/not-found', load: () => import('./pages/NotFound.svelte') };
