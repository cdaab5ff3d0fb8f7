import { findModel, type Enrolment } from '../../device/models.ts';
import { enrolmentMode } from '../../renewal/enrolment.ts';
import { loadPolicy, type Policy } from '../../service/config.ts';
import type { Reading } from './key-reading.ts';

/**
 * The operator's policy, asked anew before a key is written to: a page may have stood open for long, and a model may have
 * been stopped since. Out of reach, it is the one of the reading.
 * @throws ServiceError where there is none
 */
export async function latestPolicy({ config, policy }: Reading): Promise<Policy> {
  return loadPolicy(config).catch((error: unknown) => {
    if (policy) return policy;
    throw error;
  });
}

/** What that policy lets be done with the key of a reading. */
export function enrolmentUnder(policy: Policy, { attached, contents }: Reading): Enrolment {
  const { vendorId, productId } = attached;
  const { firmwareVersion } = contents.info;
  return enrolmentMode({ vendorId, productId, model: findModel(vendorId, productId), firmwareVersion, policy });
}
