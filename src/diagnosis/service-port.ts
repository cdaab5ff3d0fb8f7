import { openAuthority } from '../ca/open-authority.ts';
import { setModelAdditions } from '../device/models.ts';
import { contentState } from '../guidance/packs/state.ts';
import { clock } from '../service/clock.ts';
import { loadConfig, loadPolicy } from '../service/config.ts';
import { cacheDatabase } from '../storage/database.ts';
import type { ClockPort, ServicePort } from './ports.ts';

const answerTimeoutMs = 8_000;

/** The operator's server and the authority, as every page of the site reaches them. */
export const servicePort: ServicePort = {
  loadConfig: async () => {
    const config = await loadConfig();
    // Before it is judged what is plugged in.
    setModelAdditions(config.models);
    return config;
  },
  loadPolicy,
  copyOf: async (path) => (await cacheDatabase()).get('documents', path),
  contentState,
  fetch: (url, init) => clock.fetch(url, init),
  authority: ({ ca, anchors, intermediates }) =>
    openAuthority(ca, {
      ...{ anchors, intermediates },
      fetch: (url, init) => clock.fetch(url, init),
      now: () => clock.now(),
      timeoutMs: answerTimeoutMs,
    }),
};

export const clockPort: ClockPort = {
  now: () => clock.now(),
  skewMs: () => clock.skewMs,
  elapsed: () => performance.now(),
};
