import { PowerCutError, type FaultPlan } from './faults.ts';
import type { KeyState } from './state.ts';

/** Keeps a state for the next power-up. Returns once it is safe. */
export type Persist = (state: KeyState) => void;

/** The key's non-volatile memory. One write is atomic: after a power cut it has happened wholly or not at all. */
export class Memory {
  readonly #state: KeyState;
  readonly #persist: Persist;
  readonly #faults: FaultPlan;

  constructor(state: KeyState, persist: Persist, faults: FaultPlan) {
    this.#state = structuredClone(state);
    this.#persist = persist;
    this.#faults = faults;
  }

  get state(): KeyState {
    return this.#state;
  }

  /** @throws PowerCutError when a fault strikes at this write */
  write(change: () => void): void {
    const fault = this.#faults.next('write');
    if (fault === 'before') this.#cut();
    change();
    this.#persist(this.#state);
    if (fault === 'after') this.#cut();
  }

  #cut(): never {
    this.#faults.cut();
    throw new PowerCutError();
  }
}
