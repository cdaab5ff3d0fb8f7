import { Workbox } from 'workbox-window';
import { activity } from './state/activity.svelte.ts';
import { update } from './state/update.svelte.ts';
import { scriptUrl } from './trusted.ts';

/**
 * Registers the service worker and offers a new build once it waits. The person decides when, and even then it does not
 * take over while a USBKEY is written to.
 */
export async function registerServiceWorker(): Promise<void> {
  const workbox = new Workbox(scriptUrl('/sw.js'), { scope: '/' });
  workbox.addEventListener('waiting', () => {
    update.offer(() => {
      if (activity.writing) return;
      workbox.addEventListener('controlling', () => location.reload());
      workbox.messageSkipWaiting();
    });
  });
  try {
    await workbox.register();
  } catch {
    // Private windows and some policies refuse service workers: the site works, only not offline.
  }
}
