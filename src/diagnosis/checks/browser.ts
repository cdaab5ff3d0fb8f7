import type { KindState } from '../../guidance/packs/state.ts';
import type { PackRefusal } from '../../service/content-pack.ts';
import { causes, type Cause } from '../causes.ts';
import { checksOf, fine, found, type Finding } from '../check.ts';

/** The oldest Chromium that the site is built for. */
const oldestChromium = 109;
const leastBytes = 5_000_000;
const contentDays = 30;
const dayMs = 86_400_000;
/** Documents that are kept for days without a network. */
const keptDocuments = ['/config.json', '/api/policy', '/api/centres'];

const limitMs = 4_000;

/** The browser and the computer it runs on: nothing here needs a network or a key. */
export const browserChecks = checksOf(
  {
    ...{ id: 'secureContext', group: 'browser', needs: [], after: [], limitMs },
    detect: ({ ports: { browser } }) => (browser.secureContext ? fine() : found('insecure')),
  },
  {
    ...{ id: 'browser', group: 'browser', needs: [], after: [], limitMs },
    detect({ ports: { browser } }) {
      const { system, version, browser: program } = browser.identity;
      const details = version === undefined ? {} : { name: String(version) };
      if (system === 'phone') return found('mobile');
      return program !== 'other' && version !== undefined && version < oldestChromium
        ? found('oldBrowser', details)
        : fine(details);
    },
  },
  {
    ...{ id: 'interfaces', group: 'browser', needs: ['secureContext', 'browser'], after: [], limitMs },
    async detect({ ports: { browser } }) {
      const doors = await Promise.all([browser.door('usb'), browser.door('hid')]);
      if (doors.every((door) => door === 'ready')) return fine();
      if (doors.includes('ready')) return doors.includes('forbidden') ? found('oneWayForbidden') : fine();
      return found(doors.includes('forbidden') ? 'apiForbidden' : 'noApi');
    },
  },
  {
    ...{ id: 'storage', group: 'browser', needs: [], after: [], limitMs },
    async detect({ ports: { browser } }) {
      const { state, bytesLeft, looksPrivate } = await browser.storage();
      if (state === 'unavailable') return found('noStorage');
      if (state === 'quota' || (bytesLeft !== undefined && bytesLeft < leastBytes)) return found('storageFull');
      if (state === 'failed') return found('storageFailed');
      return looksPrivate ? found('privateMode') : fine();
    },
  },
  {
    ...{ id: 'serviceWorker', group: 'browser', needs: ['secureContext'], after: [], limitMs },
    async detect({ ports: { browser } }) {
      switch (await browser.serviceWorker()) {
        case 'unsupported':
          return found('noServiceWorker');
        case 'none':
          return found('notKeptOffline');
        case 'waiting':
          return found('updateWaiting');
        case 'active':
          return fine();
      }
    },
  },
  {
    // After the network: what was fetched anew a moment ago is fresh.
    ...{ id: 'content', group: 'browser', needs: ['storage'], after: ['network', 'service'], limitMs },
    async detect({ ports: { service, clock }, notes }) {
      let copies: readonly ({ readonly storedAt: number } | undefined)[];
      try {
        copies = await Promise.all(keptDocuments.map((path) => service.copyOf(path)));
        notes.content = await service.contentState();
      } catch {
        return found('brokenCache');
      }
      const refused = refusedContent(notes.content);
      if (refused && causes[refused.cause].severity === 'warn') return refused;
      const known = copies.flatMap((copy) => copy?.storedAt ?? []);
      const days = Math.floor((clock.now().getTime() - Math.min(...known)) / dayMs);
      return known.length > 0 && days > contentDays ? found('oldContent', { days }) : (refused ?? fine());
    },
  },
);

/** Other bytes than those that were announced, or announced by somebody else: on the way, or on the server. */
const tampered = new Set<PackRefusal>(['hash', 'signature', 'unknownKey', 'size']);

function causeOfRefusal(reason: PackRefusal): Cause {
  if (tampered.has(reason)) return 'contentTampered';
  return reason === 'olderVersion' ? 'contentOlder' : 'contentRefused';
}

/** New content that was not taken, the most serious first. */
function refusedContent(content: readonly KindState[]): Extract<Finding, { outcome: 'found' }> | undefined {
  const findings = content.flatMap(({ refused }) => {
    if (!refused) return [];
    const { reason, version } = refused;
    const details = version === undefined ? {} : { name: String(version) };
    return [{ outcome: 'found', cause: causeOfRefusal(reason), details } as const];
  });
  return findings.find(({ cause }) => causes[cause].severity === 'warn') ?? findings[0];
}
