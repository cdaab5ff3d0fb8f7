export interface IdleSettings {
  /** Milliseconds without a sign of the person after which `onWarn` is called. */
  readonly warnAfterMs: number;
  /** Nothing counts as idle while this says true. */
  readonly busy: () => boolean;
  readonly onWarn: () => void;
}

/** What a person does that a program sees. */
const signs = ['pointerdown', 'keydown', 'input', 'wheel', 'touchstart', 'scroll'] as const;

/**
 * Watches for the time when nobody is there any more. It begins with the first sign of somebody: a page that nobody has
 * touched has nothing to clear. After the warning it rests until `again` is called.
 */
export function watchIdle({ warnAfterMs, busy, onWarn }: IdleSettings): { again: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let warned = false;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (busy()) {
        wait();
        return;
      }
      warned = true;
      onWarn();
    }, warnAfterMs);
  };
  const onSign = (): void => {
    if (!warned) wait();
  };
  for (const sign of signs) addEventListener(sign, onSign, { capture: true, passive: true });
  return {
    again: () => {
      warned = false;
      wait();
    },
    stop: () => {
      clearTimeout(timer);
      for (const sign of signs) removeEventListener(sign, onSign, { capture: true });
    },
  };
}
