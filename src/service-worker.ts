import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
  type PrecacheEntry,
} from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';

declare const self: ServiceWorkerGlobalScope;
/** Written in by the build: every file of the site that is the same for all operators. */
declare const __WB_MANIFEST__: PrecacheEntry[];
declare const __DEMO__: boolean;

precacheAndRoute(__WB_MANIFEST__);
cleanupOutdatedCaches();

// Every address of the site is the one page; the operator's API, the authority and the demo's helpers are not pages.
registerRoute(
  new NavigationRoute(createHandlerBoundToURL('/index.html'), { denylist: [/^\/(api|ca|demo)\//, /\.[a-z]+$/] }),
);

// config.json and the API are left to the network: the page keeps the last good copy itself, and an answer out of a cache
// would carry an old `Date`, from which the page tells the time.

// The page sends this only on the person's word and never while a USBKEY is written to.
self.addEventListener('message', (event) => {
  const data: unknown = event.data;
  if (typeof data === 'object' && data !== null && 'type' in data && data.type === 'SKIP_WAITING')
    void self.skipWaiting();
});

// In the demo a stale build only confuses.
if (__DEMO__) self.addEventListener('install', () => void self.skipWaiting());
