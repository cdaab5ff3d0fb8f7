import { keptAppointments } from '../../appointments/kept-appointments.ts';
import { officeAt } from '../../appointments/office.ts';
import { sendOutbox, type AppointmentStore, type Office } from '../../appointments/outbox.ts';
import { clock } from '../../service/clock.ts';
import { loadConfig } from '../../service/config.ts';

/*
 * Sends what waits to be sent, from whatever page is open, and tells all tabs of every change. It is looked at when a page
 * has been open for a while, when the network comes back, when somebody asks, and when the time of the next attempt comes.
 */
const name = 'casupport.appointments';
/** Where it could not even be asked whether there is a service. */
const againMs = 60_000;
const longestTimerMs = 3_600_000;

const listeners = new Set<() => void>();
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(name) : undefined;
channel?.addEventListener('message', () => listeners.forEach((listener) => listener()));

function changed(): void {
  channel?.postMessage('changed');
  listeners.forEach((listener) => listener());
}

/** Calls back whenever an appointment has changed, in whichever tab. Returns how to stop. */
export function onAppointmentChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The appointments in this browser, with a word to all tabs after each change. */
export const appointmentStore: AppointmentStore = {
  all: () => keptAppointments.all(),
  add: async (appointment) => {
    await keptAppointments.add(appointment);
    changed();
  },
  change: async (id, change) => {
    const after = await keptAppointments.change(id, change);
    changed();
    return after;
  },
  remove: async (id) => {
    await keptAppointments.remove(id);
    changed();
  },
};

/** Milliseconds since 1970, by the server where one has answered. */
export const appointmentNow = (): number => clock.now().getTime();

/** An operator that takes no bookings any more has none to send to. */
const closed: Office = {
  book: () => Promise.resolve({ kind: 'refused', because: 'closed' }),
  cancel: () => Promise.resolve({ kind: 'lost', retryAfterMs: undefined }),
};

/** Tabs take turns. A browser without locks sends under the key alone, which books nothing twice either. */
const alone = (task: () => Promise<void>): Promise<void> =>
  'locks' in navigator ? navigator.locks.request(name, task) : task();

let timer: ReturnType<typeof setTimeout> | undefined;
const look = (afterMs: number): void => {
  clearTimeout(timer);
  timer = setTimeout(() => void sendWaiting(), Math.min(Math.max(afterMs, 0), longestTimerMs));
};

/**
 * Sends what is due, as far as there is a network.
 * @param hurry somebody asks for it, or the network has come back: pauses of our own are cut short
 */
export async function sendWaiting(hurry = false): Promise<void> {
  if (!navigator.onLine) return;
  try {
    const waiting = (await appointmentStore.all()).some(({ state }) => 'delivery' in state);
    if (!waiting) return;
    // Asked first, for its answer brings the right time as well.
    const config = await loadConfig();
    const ports = {
      store: appointmentStore,
      office: () => Promise.resolve(config.appointments ? officeAt(config.api) : closed),
      now: appointmentNow,
      random: Math.random,
      alone,
    };
    const next = await sendOutbox(ports, hurry);
    if (next !== undefined) look(next - appointmentNow());
  } catch {
    // No service to be found, or nothing can be kept here: the first changes by itself.
    look(againMs);
  }
}

let watching = false;

/** From now on what waits is sent by itself, as long as this page is open. */
export function watchOutbox(): void {
  if (watching) return;
  watching = true;
  addEventListener('online', () => void sendWaiting(true));
  void sendWaiting(true);
}
