import type { Slot } from '../appointments/slots.ts';
import { i18n } from './i18n.svelte.ts';

const timeZone = 'Asia/Shanghai';
const language = (): string => (i18n.locale === 'en' ? 'en-GB' : 'zh-CN');

/** `11月24日星期二` / `Tuesday 24 November`. @param day `2026-11-24` */
export const formatSlotDay = (day: string): string =>
  new Intl.DateTimeFormat(language(), { timeZone, month: 'long', day: 'numeric', weekday: 'long' }).format(
    new Date(`${day}T12:00:00+08:00`),
  );

/** `周二`, `11月24日` / `Tue`, `24 Nov`, for a row of days. */
export function formatShortDay(day: string): readonly [weekday: string, date: string] {
  const at = new Date(`${day}T12:00:00+08:00`);
  const format = (parts: Intl.DateTimeFormatOptions): string =>
    new Intl.DateTimeFormat(language(), { timeZone, ...parts }).format(at);
  return [format({ weekday: 'short' }), format({ month: 'short', day: 'numeric' })];
}

/** `09:00–09:30`. */
export const formatSlotTime = ({ start, end }: Slot): string => `${start.slice(11, 16)}–${end.slice(11, 16)}`;

/** Day and time, in as few words as they go. */
export const formatShortSlot = (slot: Slot): string => {
  const [weekday, date] = formatShortDay(slot.start.slice(0, 10));
  return `${date} ${weekday} ${formatSlotTime(slot)}`;
};

/** Day and time. */
export const formatSlot = (slot: Slot): string => `${formatSlotDay(slot.start.slice(0, 10))} ${formatSlotTime(slot)}`;

/** `14:05:09`. @param at milliseconds since 1970 */
export const formatClock = (at: number): string =>
  new Intl.DateTimeFormat(language(), {
    timeZone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  }).format(at);
