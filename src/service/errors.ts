import type { Problem } from './problem.ts';

/** Why the operator's service could not give what was asked. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** `problem`: an error answer that says what it is; `status`: one that does not. */
  readonly code: 'unreachable' | 'status' | 'problem' | 'malformed';
  /** HTTP status when `code` is `status` or `problem`. */
  readonly status: number | undefined;
  /** What the service says about it when `code` is `problem`. */
  readonly problem: Problem | undefined;
  /** After how many seconds to ask again, where the answer says so. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    code: ServiceError['code'],
    message: string,
    status?: number,
    options?: ErrorOptions & { readonly problem?: Problem; readonly retryAfterSeconds?: number | undefined },
  ) {
    super(message, options);
    this.code = code;
    this.status = status;
    this.problem = options?.problem;
    this.retryAfterSeconds = options?.retryAfterSeconds ?? options?.problem?.retryAfterSeconds;
  }
}
