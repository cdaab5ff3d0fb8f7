import * as v from 'valibot';
import { centreSchema, maxCentres, type Centre } from '../../../guidance/centres/centre.ts';
import { loadConfig } from '../../../service/config.ts';
import { ServiceError } from '../../../service/errors.ts';
import { loadDocument } from '../../../service/load-document.ts';

/** What the operator publishes at `{api}/centres`. */
const centreListSchema = v.pipe(v.array(centreSchema), v.maxLength(maxCentres));

/** A copy older than this is told as a copy: the network gave nothing newer. */
const freshMs = 60_000;

export interface CentreList {
  /** `none`: the operator has published no list. `sample`: the demo's made-up ones. */
  readonly source: 'operator' | 'sample' | 'none';
  readonly centres: readonly Centre[];
  /** When the copy was stored that is shown for want of the network; undefined for a fresh list. */
  readonly copyFrom: Date | undefined;
  /** When this list was fetched; undefined for what was not fetched. */
  readonly fetchedAt?: Date | undefined;
}

/**
 * The service centres as the operator publishes them; where there is no such list, the demo shows samples.
 * @throws ServiceError when neither the list nor a copy of it could be had
 */
export async function loadCentres(now: () => Date): Promise<CentreList> {
  try {
    const { api } = await loadConfig();
    const { value, storedAt } = await loadDocument(`${api}/centres`, centreListSchema);
    const copyFrom = now().getTime() - storedAt > freshMs ? new Date(storedAt) : undefined;
    if (value.length > 0) return { source: 'operator', centres: value, copyFrom, fetchedAt: new Date(storedAt) };
  } catch (error) {
    // Only an answer says that there is no list; a network that is down says nothing.
    const unpublished = error instanceof ServiceError && error.code !== 'unreachable';
    if (!unpublished && !__DEMO__) throw error;
  }
  if (!__DEMO__) return { source: 'none', centres: [], copyFrom: undefined };
  const { sampleCentres } = await import('../../../guidance/centres/sample.ts');
  return { source: 'sample', centres: sampleCentres, copyFrom: undefined };
}
