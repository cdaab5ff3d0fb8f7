import type { Policy } from '../service/config.ts';
import type { StopReason } from './outcome.ts';
import { isRolledOut } from './rollout.ts';

/**
 * Why nothing new is begun with a key today; undefined where it may be. What is under way already, with a request that
 * may have arrived, goes on all the same.
 */
export function whyNothingNew(
  { enrolment, rolloutPercent }: Pick<Policy, 'enrolment' | 'rolloutPercent'>,
  serialNumber: string,
): Extract<StopReason, 'closed' | 'notRolledOut'> | undefined {
  if (enrolment === 'closed') return 'closed';
  return isRolledOut(serialNumber, rolloutPercent) ? undefined : 'notRolledOut';
}
