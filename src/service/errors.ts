/** Why the operator's service could not give what was asked. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: 'unreachable' | 'status' | 'malformed';
  /** HTTP status when `code` is `status`. */
  readonly status: number | undefined;
  constructor(code: ServiceError['code'], message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}
