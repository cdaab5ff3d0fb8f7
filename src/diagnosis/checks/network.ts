import { CaError } from '../../ca/authority.ts';
import { ServiceError } from '../../service/errors.ts';
import { checksOf, fine, found, type Finding, type Look } from '../check.ts';
import type { Cause } from '../causes.ts';
import { trustOf } from '../notebook.ts';
import type { ServicePort } from '../ports.ts';

const minuteMs = 60_000;
const slowMs = 3_000;
/** From a day on nothing is said about a certificate's end. */
const longestSkewMs = 24 * 60 * minuteMs;
const noticeableSkewMs = 5 * minuteMs;
const transactionIdBytes = 16;
const limitMs = 10_000;

/** `status`: an error answer, whatever it says of itself. */
type Trouble = 'unreachable' | 'status' | 'malformed';

/** A document, and what stood in the way of fetching it where this is an old copy, or none. */
interface Fetched<T> {
  readonly value: T | undefined;
  readonly trouble: Trouble | undefined;
  readonly ms: number;
}

/**
 * Loads a document, and asks for it besides, to know whether what was loaded is the server's word of now: a copy of an
 * earlier visit takes the place of an answer that does not come, or is no such document.
 */
async function fetchDocument<T>({ ports, signal }: Look, path: string, load: () => Promise<T>): Promise<Fetched<T>> {
  const { clock, service } = ports;
  const begun = clock.elapsed();
  const asked = ask(service, path, signal).then((answer) => ({ answer, ms: Math.round(clock.elapsed() - begun) }));
  let value: T | undefined;
  let failure: Trouble | undefined;
  try {
    value = await load();
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    failure = troubleOf(error);
  }
  const { answer, ms } = await asked;
  if (answer.trouble) return { value, trouble: answer.trouble, ms };
  const copy = value === undefined ? undefined : await service.copyOf(path).catch(() => undefined);
  return { value, trouble: copy && copy.text !== answer.text ? 'malformed' : failure, ms };
}

function troubleOf({ code }: ServiceError): Trouble {
  return code === 'unreachable' || code === 'malformed' ? code : 'status';
}

type Answer =
  { readonly trouble: Exclude<Trouble, 'malformed'> } | { readonly trouble?: undefined; readonly text: string };

async function ask({ fetch }: ServicePort, path: string, signal: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(path, { cache: 'no-store', signal });
    const text = await response.text();
    return response.ok ? { text } : { trouble: 'status' };
  } catch {
    return { trouble: 'unreachable' };
  }
}

function judge({ trouble, ms }: Fetched<unknown>, causes: Readonly<Record<Trouble, Cause>>): Finding {
  if (trouble) return found(causes[trouble]);
  return ms > slowMs ? found('slow', { ms }) : fine({ ms });
}

/** The operator's server, its word, the time, and the authority behind it. */
export const networkChecks = checksOf(
  {
    ...{ id: 'network', group: 'network', needs: [], after: [], limitMs },
    async detect(look) {
      const { ports, notes } = look;
      const fetched = await fetchDocument(look, '/config.json', () => ports.service.loadConfig());
      if (fetched.value) {
        notes.config = fetched.value;
        notes.trust = trustOf(fetched.value);
      }
      notes.latency = { ...notes.latency, config: fetched.ms };
      if (!ports.browser.online()) return found('offline');
      return judge(fetched, { unreachable: 'serverUnreachable', status: 'serverError', malformed: 'badConfig' });
    },
  },
  {
    ...{ id: 'service', group: 'network', needs: ['network'], after: [], limitMs },
    async detect(look) {
      const { ports, notes } = look;
      const { config } = notes;
      if (!config) return { outcome: 'skipped', because: 'network' };
      const fetched = await fetchDocument(look, `${config.api}/policy`, () => ports.service.loadPolicy(config));
      if (fetched.value) notes.policy = fetched.value;
      notes.latency = { ...notes.latency, policy: fetched.ms };
      return judge(fetched, { unreachable: 'apiUnreachable', status: 'apiError', malformed: 'badPolicy' });
    },
  },
  {
    ...{ id: 'clock', group: 'network', needs: [], after: ['network', 'service'], limitMs },
    detect({ ports: { clock } }) {
      const skewMs = clock.skewMs();
      if (skewMs === undefined) return found('clockUnknown');
      const minutes = Math.round(skewMs / minuteMs);
      if (Math.abs(skewMs) >= longestSkewMs) return found('clockWrong', { minutes });
      return Math.abs(skewMs) >= noticeableSkewMs ? found('clockOff', { minutes }) : fine();
    },
  },
  {
    ...{ id: 'authority', group: 'network', needs: ['network'], after: ['service'], limitMs: 15_000 },
    async detect({ ports, notes, signal }) {
      const { config, policy } = notes;
      if (!config) return { outcome: 'skipped', because: 'network' };
      const { ca } = config;
      if (!ca || policy?.enrolment === 'closed') return found('caClosed');
      const begun = ports.clock.elapsed();
      try {
        // A transaction that nobody has begun: the answer changes nothing there, and has to be the authority's own.
        const authority = await ports.service.authority({ ...config, ca });
        await authority.lookUp(ports.randomBytes(transactionIdBytes), signal);
      } catch (error) {
        if (!(error instanceof CaError)) throw error;
        return found(authorityCause(error));
      }
      const ms = Math.round(ports.clock.elapsed() - begun);
      notes.latency = { ...notes.latency, authority: ms };
      return ms > slowMs ? found('slow', { ms }) : fine({ ms });
    },
  },
);

function authorityCause({ code }: CaError): Cause {
  switch (code) {
    case 'unreachable':
    case 'timeout':
    case 'cancelled':
      return 'caUnreachable';
    case 'unavailable':
      return 'caBusy';
    case 'malformed':
    case 'notTrusted':
    case 'mismatch':
    case 'rejected':
      return 'caUntrusted';
  }
}
