import { newAppointment } from '../../../src/appointments/stages.ts';
import type { Appointment, Receipt, State } from '../../../src/appointments/model.ts';
import type { Slot } from '../../../src/appointments/slots.ts';

/** Monday, 23 November 2026, 10:00 in Beijing. */
export const now = Date.parse('2026-11-23T10:00:00+08:00');
export const hour = 3_600_000;

export const slot = (id: string, minutes = 30): Slot => {
  const start = Date.parse(`${id}:00+08:00`);
  const stamp = (ms: number): string => `${new Date(ms + 8 * hour).toISOString().slice(0, 19)}+08:00`;
  return { id, start: stamp(start), end: stamp(start + minutes * 60_000) };
};
export const tomorrow = slot('2026-11-24T09:00');
export const receipt: Receipt = { number: 'A1B2-0001', token: 't'.repeat(22), confirmed: false };

export const wish = (id = 'one', change: Partial<Appointment> = {}): Appointment => ({
  ...newAppointment(
    {
      business: 'renew',
      place: { id: 'hexi', name: '河西服务中心', address: '某路 1 号', phone: '', sample: false },
      slot: tomorrow,
      visitor: { surname: '张', phone: '13800138000' },
    },
    { id, key: `key-${id}`, now },
  ),
  ...change,
});

export const inState = (state: State): Appointment => wish('one', { state });
export const idle = { attempts: 0, unanswered: false, notBefore: now, busy: false, sendingSince: undefined };
