import { kiosk } from './kiosk.ts';

/** Small settings in localStorage. A browser that forbids storage simply forgets them, and a centre's computer has none. */
export function recall(name: string): string | undefined {
  if (kiosk) return undefined;
  try {
    return localStorage.getItem(`casupport.${name}`) ?? undefined;
  } catch {
    return undefined;
  }
}

export function remember(name: string, value: string | undefined): void {
  if (kiosk) return;
  try {
    if (value === undefined) localStorage.removeItem(`casupport.${name}`);
    else localStorage.setItem(`casupport.${name}`, value);
  } catch {
    // Forbidden or full: the setting lasts as long as the page.
  }
}
