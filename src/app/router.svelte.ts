import { tick, type Component } from 'svelte';
import { notFound, routes } from './routes.ts';
import { activity } from './state/activity.svelte.ts';

/** Pages take no props: they read `router.params` and `router.query`. */
export type Page = Component<Record<string, never>>;
export type Params = Readonly<Record<string, string>>;
export interface Route {
  /** Segments; one that starts with a colon is a parameter. */
  readonly path: string;
  readonly load: () => Promise<{ default: Page }>;
}

/** The parameters if the path fits the pattern. A segment that is not valid percent-encoding fits nothing. */
export function match(pattern: string, path: string): Params | undefined {
  const wanted = pattern.split('/').filter(Boolean);
  const given = path.split('/').filter(Boolean);
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [i, segment] of given.entries()) {
    const name = wanted[i] ?? '';
    try {
      if (name.startsWith(':')) params[name.slice(1)] = decodeURIComponent(segment);
      else if (name !== segment) return undefined;
    } catch {
      return undefined;
    }
  }
  return params;
}

/** The history API, one page at a time. The old page stays until the new one is there. */
export class Router {
  path = $state('');
  params = $state.raw<Params>({});
  query = $state.raw(new URLSearchParams());
  /** Undefined until the first page is there. */
  Page = $state.raw<Page | undefined>();
  loading = $state(false);
  /** The page's code could not be fetched. */
  failed = $state(false);

  readonly #routes: readonly Route[];
  readonly #notFound: Route;
  readonly #scroll = new Map<number, number>();
  #entry = 0;
  #visit = 0;

  constructor(table: readonly Route[], fallback: Route) {
    this.#routes = table;
    this.#notFound = fallback;
  }

  /** Shows the page of the address bar and follows links and the back button from now on. Returns how to stop. */
  start(): () => void {
    history.scrollRestoration = 'manual';
    history.replaceState({ entry: this.#entry }, '');
    const onPop = (event: PopStateEvent): void => {
      const state = event.state as { entry?: unknown } | null;
      if (state === null) {
        // A jump within the page made this entry: the browser has scrolled already.
        this.#entry += 1;
        history.replaceState({ entry: this.#entry }, '');
        return;
      }
      this.#scroll.set(this.#entry, scrollY);
      this.#entry = typeof state.entry === 'number' ? state.entry : 0;
      void this.#show(new URL(location.href), this.#scroll.get(this.#entry) ?? 0);
    };
    // On a reload the browser restores the position itself.
    const onHide = (): void => void (history.scrollRestoration = 'auto');
    addEventListener('popstate', onPop);
    addEventListener('pagehide', onHide);
    document.addEventListener('click', this.#onClick);
    void this.#show(new URL(location.href), undefined);
    return () => {
      removeEventListener('popstate', onPop);
      removeEventListener('pagehide', onHide);
      document.removeEventListener('click', this.#onClick);
    };
  }

  /** Goes to an address of this site. `replace`: without an entry in the history, for what only filters the page. */
  async go(to: string, { replace = false } = {}): Promise<void> {
    const url = new URL(to, location.href);
    if (replace) history.replaceState(history.state, '', url);
    else {
      this.#scroll.set(this.#entry, scrollY);
      this.#entry += 1;
      history.pushState({ entry: this.#entry }, '', url);
    }
    await this.#show(url, replace ? undefined : 0);
  }

  /** Tries again to fetch the page that failed. */
  retry(): Promise<void> {
    return this.#show(new URL(location.href), 0);
  }

  async #show(url: URL, scroll: number | undefined): Promise<void> {
    const visit = ++this.#visit;
    if (this.Page && !this.failed && url.pathname === this.path) {
      this.query = url.searchParams;
      this.loading = false;
      this.#settle(url, scroll);
      return;
    }
    let route = this.#notFound;
    let params: Params = {};
    for (const candidate of this.#routes) {
      const found = match(candidate.path, url.pathname);
      if (found) [route, params] = [candidate, found];
    }
    this.loading = true;
    let Page: Page | undefined;
    try {
      Page = (await route.load()).default;
    } catch {
      // A file of an older build is gone after a deployment: one reload brings the new build, never during a write.
      if (visit === this.#visit && navigator.onLine && !activity.writing && this.#mayReload(url)) {
        location.reload();
        return;
      }
    }
    if (visit !== this.#visit) return;
    const first = this.path === '';
    this.loading = false;
    this.failed = Page === undefined;
    this.Page = Page;
    this.path = url.pathname;
    this.params = params;
    this.query = url.searchParams;
    await tick();
    if (!first) document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
    this.#settle(url, scroll);
  }

  #settle(url: URL, scroll: number | undefined): void {
    const target = url.hash.length > 1 ? document.getElementById(decodeHash(url.hash)) : null;
    if (target && !scroll) target.scrollIntoView();
    else if (scroll !== undefined) scrollTo(0, scroll);
  }

  #mayReload(url: URL): boolean {
    try {
      if (sessionStorage.getItem('casupport.reloaded') === url.href) return false;
      sessionStorage.setItem('casupport.reloaded', url.href);
      return true;
    } catch {
      return false;
    }
  }

  /** Plain left clicks on links of this site become navigations; all others are the browser's. */
  readonly #onClick = (event: MouseEvent): void => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    // A jump within the page (skip link, table of contents) is the browser's own.
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
    event.preventDefault();
    void this.go(link.href, { replace: link.href === location.href });
  };
}

function decodeHash(hash: string): string {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return '';
  }
}

export const router = new Router(routes, notFound);
export const go = (to: string, options?: { replace?: boolean }): Promise<void> => router.go(to, options);
