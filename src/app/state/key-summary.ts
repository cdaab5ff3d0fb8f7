import { recall, remember } from './local-store.ts';

/**
 * What the home page may say of the key that was read last, without opening a database: no name, no number, only dates.
 */
export interface KeySummary {
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  readonly readAt: number;
  readonly needUpgrade: boolean;
}

export function loadKeySummary(): KeySummary | undefined {
  try {
    const value: unknown = JSON.parse(recall('key') ?? 'null');
    if (typeof value !== 'object' || value === null) return undefined;
    const { notAfter, readAt, needUpgrade } = value as Partial<Record<keyof KeySummary, unknown>>;
    if (typeof notAfter !== 'number' || typeof readAt !== 'number' || typeof needUpgrade !== 'boolean')
      return undefined;
    return Number.isFinite(notAfter) && Number.isFinite(readAt) ? { notAfter, readAt, needUpgrade } : undefined;
  } catch {
    return undefined;
  }
}

export function saveKeySummary(summary: KeySummary | undefined): void {
  remember('key', summary && JSON.stringify(summary));
}
