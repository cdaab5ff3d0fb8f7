import type { Component } from 'svelte';
import { watchPresence } from '../../device/presence.ts';

/** Whether a key that was granted before is in, and what is said of it outside the pages about keys. */
class Presence {
  now = $state(false);
  /** Reads the key and says how it stands. Fetched when there is a key, once the browser has nothing better to do. */
  KeyState = $state.raw<Component<{ fallback?: string }> | undefined>();

  constructor() {
    watchPresence((now) => {
      this.now = now;
      if (!now || this.KeyState) return;
      const load = (): void =>
        void import('../later.ts')
          .then(({ parts }) => parts.KeyState())
          .then(
            (part) => (this.KeyState = part.default),
            () => undefined,
          );
      // Browsers that know of keys have this; plugging in again tries again.
      requestIdleCallback(load, { timeout: 2_000 });
    });
  }
}

export const presence = new Presence();
