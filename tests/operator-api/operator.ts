import { sampleCentres } from '../../src/guidance/centres/sample.ts';
import type { RequestHandler } from '../reference-ca/http.ts';
import { operatorApi, type OperatorApiOptions } from './api.ts';

/** Who runs the site, as far as the site sees it: the API, and what `config.json` says besides the authority. */
export interface Operator {
  readonly api: RequestHandler;
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * The operator of the demo. It has published no centres, so that the page shows its own samples and says so; those can be
 * visited.
 * @param demo false: as an operator who takes no bookings
 */
export function openOperator(
  demo: boolean,
  options: OperatorApiOptions = {},
  config: Readonly<Record<string, unknown>> = {},
): Operator {
  const appointments = demo ? { appointments: { centres: () => sampleCentres } } : {};
  return {
    api: operatorApi({ ...appointments, ...options }),
    config: { appointments: demo, ...config },
  };
}
