import { activity } from './activity.svelte.ts';

let lock: WakeLockSentinel | undefined;

/** While a key is written to, the page asks before it closes and the screen stays awake. */
export function holdPage(writing: boolean): void {
  if (writing === activity.writing) return;
  activity.writing = writing;
  if (writing) {
    window.onbeforeunload = ask;
    document.addEventListener('visibilitychange', keepAwake);
    keepAwake();
  } else {
    window.onbeforeunload = null;
    document.removeEventListener('visibilitychange', keepAwake);
    void lock?.release().catch(() => undefined);
    lock = undefined;
  }
}

/** A hidden page loses its wake lock, so it is asked for again when the page is seen. Refused or absent: no harm. */
function keepAwake(): void {
  if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
  navigator.wakeLock.request('screen').then(
    (granted) => {
      if (activity.writing) lock = granted;
      else void granted.release();
    },
    () => undefined,
  );
}

/** Chrome before 119 asks only when the handler returns something. */
function ask(event: BeforeUnloadEvent): boolean {
  event.preventDefault();
  return true;
}
