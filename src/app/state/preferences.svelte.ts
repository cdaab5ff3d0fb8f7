import { recall, remember } from './local-store.ts';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** How the person wants the site to look; shown on <html> as data attributes that tokens.css reads. */
class Preferences {
  #large = $state(recall('type') === 'large');
  #theme = $state<Theme>(themes.find((theme) => theme === recall('theme')) ?? 'system');

  get largeType(): boolean {
    return this.#large;
  }
  set largeType(large: boolean) {
    this.#large = large;
    remember('type', large ? 'large' : undefined);
    this.show();
  }

  get theme(): Theme {
    return this.#theme;
  }
  set theme(theme: Theme) {
    this.#theme = theme;
    remember('theme', theme === 'system' ? undefined : theme);
    this.show();
  }

  /** Puts the choice on <html>: called once before the first paint, then on every change. */
  show(): void {
    const { dataset } = document.documentElement;
    if (this.#large) dataset['type'] = 'large';
    else delete dataset['type'];
    if (this.#theme === 'system') delete dataset['theme'];
    else dataset['theme'] = this.#theme;
  }
}

export const preferences = new Preferences();
