import { addAppointment, allAppointments, changeAppointment, removeAppointment } from '../storage/appointments.ts';
import { readAppointment } from './model.ts';
import type { AppointmentStore } from './outbox.ts';

/** The appointments in this browser's database. Rows that this version did not write are passed over, and stay. */
export const keptAppointments: AppointmentStore = {
  all: async () =>
    (await allAppointments())
      .map(readAppointment)
      .filter((row) => row !== undefined)
      .sort((a, b) => b.createdAt - a.createdAt),
  add: addAppointment,
  change: async (id, change) => {
    const row = await changeAppointment(id, (before) => {
      const appointment = readAppointment(before);
      return appointment && change(appointment);
    });
    return readAppointment(row);
  },
  remove: removeAppointment,
};
