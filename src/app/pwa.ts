import { activity } from './state/activity.svelte.ts';
import { update } from './state/update.svelte.ts';
import { scriptUrl } from './trusted.ts';

const { serviceWorker } = navigator;
const hourMs = 3_600_000;
/** Long after the first screen: nothing a person waits for is held up. */
const prefetchAfterMs = 5_000;
/** 现在更新 was pressed: nothing more is fetched for a page that is about to go. */
let goes: boolean | undefined;

/**
 * Registers the service worker and offers a new build once it waits. The person decides when, and even then it does not
 * take over while a USBKEY is written to.
 */
export async function registerServiceWorker(): Promise<void> {
  try {
    watchForUpdates(await serviceWorker.register(scriptUrl('/sw.js')));
    void serviceWorker.ready.then(prefetchLater);
  } catch {
    // Private windows and some policies refuse service workers: the site works, only not offline.
    prefetchLater();
  }
}

/** The build's own files are kept by the service worker; the rest is fetched here. */
function prefetchLater(): void {
  setTimeout(() => {
    if (!goes) void import('./after-load.ts').then(({ afterLoad }) => afterLoad()).catch(() => undefined);
  }, prefetchAfterMs);
}

function watchForUpdates(registration: ServiceWorkerRegistration): void {
  const offer = (worker: ServiceWorker): void => {
    // Without a controller this is the first visit: nothing is being replaced.
    if (worker.state !== 'installed' || !serviceWorker.controller) return;
    update.offer(() => {
      if (activity.writing) return;
      goes = true;
      serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      // Only now: the first screen does without the library, and the old worker still has its chunk.
      void import('workbox-window').then(({ messageSW }) => messageSW(worker, { type: 'SKIP_WAITING' }));
    });
  };
  const watch = (worker: ServiceWorker | null): void => {
    if (!worker) return;
    offer(worker);
    worker.addEventListener('statechange', () => offer(worker));
  };
  watch(registration.waiting);
  watch(registration.installing);
  registration.addEventListener('updatefound', () => watch(registration.installing));
  // An office leaves its tabs open for days, and the browser looks for a new build only when a page is loaded.
  setInterval(() => void registration.update().catch(() => undefined), hourMs);
}
