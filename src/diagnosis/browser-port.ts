import { userDatabase } from '../storage/database.ts';
import { storageError } from '../storage/errors.ts';
import { identifyBrowser } from './browser-identity.ts';
import type { BrowserPort, Door, StorageState } from './ports.ts';

/** What this page's own window says. Everything is read, nothing is changed. */
export function browserPort(): BrowserPort {
  return {
    secureContext: isSecureContext,
    identity: identifyBrowser(navigator.userAgent),
    online: () => navigator.onLine,
    door,
    storage,
    serviceWorker,
  };
}

async function door(way: 'usb' | 'hid'): Promise<Door> {
  const { usb, hid } = navigator as { readonly usb?: USB; readonly hid?: HID };
  const face = way === 'usb' ? usb : hid;
  if (!face) return 'absent';
  try {
    await face.getDevices();
    return 'ready';
  } catch {
    // A Permissions-Policy, of the site's server or of a page around it, or the computer's administrator.
    return 'forbidden';
  }
}

interface Quota {
  readonly quota?: number | undefined;
  readonly usage?: number | undefined;
}

/**
 * Until Chrome 136 a window that forgets had a quota below twice its script heap; later ones hide the difference, and then
 * nothing is said.
 */
export const looksPrivate = ({ quota }: Quota, heapLimit: number | undefined): boolean =>
  quota !== undefined && heapLimit !== undefined && quota > 0 && quota < 2 * heapLimit;

async function storage(): Promise<StorageState> {
  // Not there in a page that is not secure.
  const { storage: manager } = navigator as { readonly storage?: StorageManager };
  const estimate: Quota = (await manager?.estimate().catch(() => undefined)) ?? {};
  const { memory } = performance as Performance & { readonly memory?: { readonly jsHeapSizeLimit: number } };
  const { quota, usage } = estimate;
  const facts = {
    bytesLeft: quota === undefined || usage === undefined ? undefined : Math.max(0, quota - usage),
    looksPrivate: looksPrivate(estimate, memory?.jsHeapSizeLimit),
  };
  try {
    await (await userDatabase()).count('transactions');
    return { state: 'ok', ...facts };
  } catch (error) {
    // Where it is forbidden, some browsers throw before there is anything to wait for.
    const { code } = storageError(error, 'opening the user database');
    return { state: code === 'damaged' ? 'failed' : code, ...facts };
  }
}

async function serviceWorker(): Promise<'unsupported' | 'none' | 'active' | 'waiting'> {
  if (!('serviceWorker' in navigator)) return 'unsupported';
  try {
    const registration = await navigator.serviceWorker.getRegistration('/');
    if (registration?.waiting) return 'waiting';
    return registration?.active || registration?.installing ? 'active' : 'none';
  } catch {
    return 'unsupported';
  }
}
