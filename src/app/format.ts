import { i18n } from './i18n.svelte.ts';

/** The service counts days in Beijing, wherever the browser thinks it is. */
const timeZone = 'Asia/Shanghai';

/** `2025年3月2日` / `2 March 2025`. */
export function formatDate(date: Date): string {
  return new Intl.DateTimeFormat(i18n.locale === 'en' ? 'en-GB' : 'zh-CN', {
    timeZone,
    year: 'numeric',
    month: 'long',
    day: 'numeric',
  }).format(date);
}

/** `2025年3月2日 14:05` / `2 March 2025 at 14:05`. */
export function formatDateTime(date: Date): string {
  return new Intl.DateTimeFormat(i18n.locale === 'en' ? 'en-GB' : 'zh-CN', {
    timeZone,
    year: 'numeric',
    month: 'long',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(date);
}

const dayMs = 86_400_000;
const beijingOffsetMs = 8 * 3_600_000;

/** The calendar day in Beijing as a count of days since 1970-01-01. China has kept UTC+8 without summer time since 1991. */
export function beijingDay(date: Date): number {
  return Math.floor((date.getTime() + beijingOffsetMs) / dayMs);
}

/** Midnight in Beijing at the start of the given day count. */
export function fromBeijingDay(day: number): Date {
  return new Date(day * dayMs - beijingOffsetMs);
}
