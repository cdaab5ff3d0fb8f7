/** Why something could not be kept on or read from this device. */
export type StorageErrorCode =
  /** The browser has no IndexedDB here, or it is forbidden (private mode, policy). */
  | 'unavailable'
  /** No room left for this site. */
  | 'quota'
  /** What was read back is not what this version writes. */
  | 'damaged'
  | 'failed';

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The typed error for whatever IndexedDB threw. */
export function storageError(cause: unknown, doing: string): StorageError {
  if (cause instanceof StorageError) return cause;
  const name = cause instanceof Error ? cause.name : '';
  const code: StorageErrorCode =
    name === 'QuotaExceededError'
      ? 'quota'
      : ['SecurityError', 'InvalidStateError', 'UnknownError', 'ReferenceError'].includes(name)
        ? 'unavailable'
        : 'failed';
  return new StorageError(code, `${doing}: ${name || 'unknown error'}`, { cause });
}
