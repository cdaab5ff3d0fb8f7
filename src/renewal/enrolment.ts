import { type Enrolment, enrolments } from '../device/models.ts';

/** What the operator's policy says of a model: all of it, or one firmware version, or those that begin alike (`1.*`). */
export interface ModelRule {
  readonly vendorId: number;
  readonly productId: number;
  readonly firmware?: string;
  readonly enrolment: Enrolment;
}

export interface EnrolmentQuestion {
  readonly vendorId: number;
  readonly productId: number;
  /** The table's row for it; undefined for a key no table knows. */
  readonly model: { readonly enrolment: Enrolment } | undefined;
  /** As the key says it; empty where it does not say. */
  readonly firmwareVersion: string;
  /** Undefined where the operator could not be asked. */
  readonly policy: { readonly models: readonly ModelRule[] } | undefined;
}

/**
 * What may be done with a key: the strictest of what the table of models and all rules that apply to it say. A key that no
 * table knows is read and never written to. A rule for one firmware applies as well to a key that does not say its own.
 */
export function enrolmentMode({ vendorId, productId, model, firmwareVersion, policy }: EnrolmentQuestion): Enrolment {
  const rules = (policy?.models ?? []).filter(
    (rule) =>
      rule.vendorId === vendorId &&
      rule.productId === productId &&
      (rule.firmware === undefined || firmwareVersion === '' || matches(rule.firmware, firmwareVersion)),
  );
  const said = [model?.enrolment ?? 'readOnly', ...rules.map(({ enrolment }) => enrolment)];
  return enrolments.find((mode) => said.includes(mode)) ?? 'off';
}

function matches(pattern: string, version: string): boolean {
  return pattern.endsWith('*') ? version.startsWith(pattern.slice(0, -1)) : version === pattern;
}
