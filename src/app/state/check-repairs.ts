import { TransportError } from '../../apdu/channel.ts';
import { updatePacks } from '../../guidance/packs/update.ts';
import { loadConfig, loadPolicy } from '../../service/config.ts';
import { ServiceError } from '../../service/errors.ts';
import { clock } from '../../service/clock.ts';
import { clearDocuments } from '../../storage/documents.ts';
import { StorageError } from '../../storage/errors.ts';
import type { AttachedKey } from '../../usbkey/connect.ts';
import { loadCentres } from '../pages/guide-parts/load-centres.ts';
import { activity } from './activity.svelte.ts';
import { update } from './update.svelte.ts';

/* Repairs of the browser's side and of the way to the key. Each leaves things as they were where it cannot be done. */

/** Fetches what the operator says anew, and newer content packs. Without a network the copies stay. */
export async function refreshContent(): Promise<void> {
  const config = await loadConfig().catch(staysAsItIs);
  if (!config) return;
  await loadPolicy(config).catch(staysAsItIs);
  await loadCentres(() => clock.now()).catch(staysAsItIs);
  await updatePacks(config).catch(staysAsItIs);
}

function staysAsItIs(error: unknown): undefined {
  if (!(error instanceof ServiceError) && !(error instanceof StorageError)) throw error;
  return undefined;
}

const readyMs = 20_000;

/**
 * Throws away the site's copies on this computer and fetches them again: only with a network, since the old ones are
 * better than none. Transactions and everything else of the person stay.
 */
export async function rebuildCache(): Promise<void> {
  if (!(await serverAnswers())) return;
  await clearDocuments().catch(() => undefined);
  if ('caches' in globalThis) for (const name of await caches.keys()) await caches.delete(name);
  if ('serviceWorker' in navigator) {
    const registration = await navigator.serviceWorker.getRegistration('/').catch(() => undefined);
    await registration?.unregister();
    // As the first screen does: a chunk of its own, which it need not share.
    const { registerServiceWorker } = await import('../pwa.ts');
    await registerServiceWorker();
    const late = new Promise<void>((resolve) => setTimeout(resolve, readyMs));
    const ready = navigator.serviceWorker.ready.then(() => undefined);
    if (await navigator.serviceWorker.getRegistration('/').catch(() => undefined)) await Promise.race([ready, late]);
  }
  await refreshContent();
}

async function serverAnswers(): Promise<boolean> {
  try {
    const { ok } = await fetch('/index.html', { cache: 'no-store', signal: AbortSignal.timeout(8_000) });
    return ok;
  } catch {
    return false;
  }
}

const handOverMs = 60_000;

/**
 * The person's word for the new build, never during a write to a key. The page opens anew, and looks at itself once more,
 * as soon as the old worker is at rest; should that take too long, this resolves.
 */
export async function updateApp(): Promise<void> {
  if (activity.writing || !('serviceWorker' in navigator)) return;
  const waiting = (await navigator.serviceWorker.getRegistration('/').catch(() => undefined))?.waiting;
  if (!waiting) return;
  history.replaceState(history.state, '', '/check?from=serviceWorker');
  update.take();
  // A page that was loaded past its worker has none that could change, and is offered nothing.
  waiting.addEventListener('statechange', () => {
    if (waiting.state === 'activated' && !navigator.serviceWorker.controller) location.reload();
  });
  if (!navigator.serviceWorker.controller) waiting.postMessage({ type: 'SKIP_WAITING' });
  await new Promise((resolve) => setTimeout(resolve, handOverMs));
}

/** Has the computer reset the key's USB device. Over WebHID there is no such thing: it is opened anew by the recheck. */
export async function resetDevice(attached: AttachedKey | undefined): Promise<void> {
  try {
    await attached?.device.reset?.();
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
  }
}
