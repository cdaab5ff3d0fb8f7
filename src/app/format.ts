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

/** `14:05:09`. */
export function formatTime(date: Date): string {
  return new Intl.DateTimeFormat('zh-CN', { timeZone, timeStyle: 'medium', hourCycle: 'h23' }).format(date);
}
