/** What the shell must know of a procedure that is running, whichever page started it. */
class Activity {
  /** A write to a key is under way: nothing may close, reload or replace this page. */
  #writing = $state(false);
  /** Where the running procedure is shown; the shell links there from every other page. */
  page = $state<string | undefined>();
  /** A procedure is under way that waits for nobody in front of the screen. */
  running = false;
  #lock: WakeLockSentinel | undefined;

  get writing(): boolean {
    return this.#writing;
  }

  set writing(writing: boolean) {
    if (writing === this.#writing) return;
    this.#writing = writing;
    if (writing) {
      window.onbeforeunload = hold;
      document.addEventListener('visibilitychange', this.#keepAwake);
      this.#keepAwake();
    } else {
      window.onbeforeunload = null;
      document.removeEventListener('visibilitychange', this.#keepAwake);
      void this.#lock?.release().catch(() => undefined);
      this.#lock = undefined;
    }
  }

  /** A hidden page loses its wake lock, so it is asked for again when the page is seen. Refused or absent: no harm. */
  readonly #keepAwake = (): void => {
    if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return;
    navigator.wakeLock.request('screen').then(
      (lock) => {
        if (this.#writing) this.#lock = lock;
        else void lock.release();
      },
      () => undefined,
    );
  };
}

/** Chrome before 119 asks only when the handler returns something. */
function hold(event: BeforeUnloadEvent): boolean {
  event.preventDefault();
  return true;
}

export const activity = new Activity();
