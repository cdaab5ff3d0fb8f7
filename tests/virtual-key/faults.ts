/** The power went away in the middle: the device does nothing more and answers nothing. */
export class PowerCutError extends Error {
  override readonly name = 'PowerCutError';
  constructor() {
    super('the key has no power');
  }
}

/** What a fault is counted in: USB transfers and HID reports in both directions, or writes to the key's memory. */
export type FaultPlace = 'transfer' | 'write';

/**
 * - `before`: unplugged before the transfer or write has its effect
 * - `after`: unplugged after the whole effect; a command that arrived is carried out, its answer is lost
 * - `stall`: the endpoint stalls and stays halted until it is cleared (USB transfers only)
 * - `lost`: the bytes vanish and nobody is told (transfers only)
 */
export type FaultKind = 'before' | 'after' | 'stall' | 'lost';

export interface Fault {
  readonly place: FaultPlace;
  /** 1 is the next one. */
  readonly n: number;
  readonly kind: FaultKind;
}

/** Counts what happens on the wire and in the memory, and says where an armed fault strikes. Each strikes once. */
export class FaultPlan {
  /** Pulls the key; set by its owner. */
  cut: () => void = () => undefined;
  readonly #armed: { place: FaultPlace; at: number; kind: FaultKind }[] = [];
  readonly #counts: Record<FaultPlace, number> = { transfer: 0, write: 0 };

  get transfers(): number {
    return this.#counts.transfer;
  }

  get writes(): number {
    return this.#counts.write;
  }

  arm(fault: Fault): void {
    this.#armed.push({ place: fault.place, at: this.#counts[fault.place] + fault.n, kind: fault.kind });
  }

  disarm(): void {
    this.#armed.length = 0;
  }

  /** Counts one transfer or write and returns the fault that is due at it. */
  next(place: FaultPlace): FaultKind | undefined {
    const at = (this.#counts[place] += 1);
    const index = this.#armed.findIndex((fault) => fault.place === place && fault.at === at);
    return index < 0 ? undefined : this.#armed.splice(index, 1)[0]?.kind;
  }
}
