import type { Appointment, Place, Visitor } from '../../appointments/model.ts';
import { afterLook, cancel, chooseOther, isStale, newAppointment } from '../../appointments/stages.ts';
import type { Slot } from '../../appointments/slots.ts';
import { tidyVisitor } from '../../appointments/visitor.ts';
import type { Centre } from '../../guidance/centres/centre.ts';
import { readAppointment, type Business } from '../../service/appointments.ts';
import { ServiceError } from '../../service/errors.ts';
import { appointmentNow, appointmentStore, onAppointmentChange, sendWaiting, watchOutbox } from './outbox.ts';

const tickMs = 10_000;

export const placeOf = ({ id, name, address, phone, sample }: Centre): Place => ({ id, name, address, phone, sample });

/** The appointments of this browser as the page shows them. */
export class Appointments {
  /** Undefined until they have been read. */
  list = $state.raw<readonly Appointment[] | undefined>();
  /** They cannot be kept in this browser. */
  unavailable = $state(false);
  now = $state(appointmentNow());
  readonly #looked = new Set<string>();

  /** Reads them, follows every change in any tab, and lets what waits be sent. Returns how to stop. */
  follow(): () => void {
    const stop = onAppointmentChange(() => void this.#read());
    const timer = setInterval(() => (this.now = appointmentNow()), tickMs);
    void this.#read();
    watchOutbox();
    return () => {
      stop();
      clearInterval(timer);
    };
  }

  async #read(): Promise<void> {
    try {
      const all = await appointmentStore.all();
      this.now = appointmentNow();
      const stale = all.filter((one) => isStale(one, this.now));
      this.list = all.filter((one) => !stale.includes(one));
      for (const { id } of stale) await appointmentStore.remove(id);
    } catch {
      this.unavailable = true;
      this.list ??= [];
    }
  }

  /**
   * Keeps a wish and sends it, if it can be sent now.
   * @returns its id
   * @throws StorageError where it cannot be kept: it is not sent either
   */
  async book(wish: {
    readonly business: Business;
    readonly place: Place;
    readonly slot: Slot;
    readonly visitor: Visitor;
  }): Promise<string> {
    const id = crypto.randomUUID();
    const { id: slotId, start, end } = wish.slot;
    await appointmentStore.add(
      newAppointment(
        { ...wish, slot: { id: slotId, start, end }, visitor: tidyVisitor(wish.visitor) },
        { id, key: crypto.randomUUID(), now: appointmentNow() },
      ),
    );
    void sendWaiting(true);
    return id;
  }

  /** Takes another slot after a conflict, and sends it. */
  async choose(id: string, { id: slotId, start, end }: Slot): Promise<void> {
    const slot = { id: slotId, start, end };
    await appointmentStore.change(id, (one) => chooseOther(one, slot, crypto.randomUUID(), appointmentNow()));
    void sendWaiting(true);
  }

  async cancel(id: string): Promise<void> {
    await appointmentStore.change(id, (one) => cancel(one, appointmentNow()));
    void sendWaiting(true);
  }

  send = (): void => void sendWaiting(true);
  remove = (id: string): Promise<void> => appointmentStore.remove(id);

  /** Asks once a visit what the centre says of a booking. Without an answer it stays as it is known. */
  async look(api: string, { id, state }: Appointment): Promise<void> {
    if (state.stage !== 'booked' || this.#looked.has(id) || !navigator.onLine) return;
    this.#looked.add(id);
    try {
      const { status } = await readAppointment(api, state.receipt.number, state.receipt.token);
      await appointmentStore.change(id, (one) => afterLook(one, status));
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  }
}
