interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Turns of the event loop without any stir after which nothing but a timer can make the program go on. */
const quietTurns = 3;

/**
 * Timers that do not wait. The next one is due as soon as nothing else can happen: no exchange over HTTP and no
 * computation of WebCrypto is under way, and turns of the event loop pass without a call to a device. So a key that
 * keeps silent costs no time, and a busy machine never makes a timer fire early.
 */
export class VirtualTime {
  readonly #timers = new Map<number, Timer>();
  #next = 1;
  #now = 0;
  #busy = 0;
  #stirs = 0;
  #seen = 0;
  #quiet = 0;
  #turning = false;

  /** Puts itself in the place of the program's timers, for the rest of the process. */
  install(): void {
    const { setTimeout: realSet, clearTimeout: realClear } = globalThis;
    const set = (callback: () => void, milliseconds = 0): number => {
      const id = this.#next++;
      this.#timers.set(id, { at: this.#now + milliseconds, run: callback });
      this.stir();
      this.#turn();
      return id;
    };
    globalThis.setTimeout = Object.assign(set as unknown as typeof realSet, { __promisify__: realSet.__promisify__ });
    globalThis.clearTimeout = (id) => {
      if (typeof id === 'number') this.#timers.delete(id);
      else realClear(id);
    };
    // Whoever looks at the clock to see whether time is up looks at this one.
    Object.defineProperty(performance, 'now', { configurable: true, value: () => this.#now });
    const { subtle } = crypto;
    const watched = new Proxy(subtle, {
      get: (target, name) => {
        const value = Reflect.get(target, name, target) as unknown;
        if (typeof value !== 'function') return value;
        return (...parameters: unknown[]) =>
          this.during(Promise.resolve(Reflect.apply(value, target, parameters) as unknown));
      },
    });
    Object.defineProperty(crypto, 'subtle', { configurable: true, value: watched });
  }

  /** Grows whenever something happens. */
  get stirs(): number {
    return this.#stirs;
  }

  /** Milliseconds that timers have taken so far. */
  get elapsed(): number {
    return this.#now;
  }

  /** No timer is due while this work is under way. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#busy += 1;
    try {
      return await work;
    } finally {
      this.#busy -= 1;
      this.stir();
    }
  }

  /** Something happened: what follows from it comes first. */
  stir(): void {
    this.#stirs += 1;
  }

  #turn(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    if (this.#timers.size === 0) {
      this.#turning = false;
      return;
    }
    const still = this.#busy === 0 && this.#stirs === this.#seen;
    this.#quiet = still ? this.#quiet + 1 : 0;
    this.#seen = this.#stirs;
    if (this.#quiet >= quietTurns) this.#fire();
    setImmediate(this.#look);
  };

  #fire(): void {
    this.#quiet = 0;
    let first: [number, Timer] | undefined;
    for (const entry of this.#timers) if (!first || entry[1].at < first[1].at) first = entry;
    if (!first) return;
    this.#timers.delete(first[0]);
    this.#now = Math.max(this.#now, first[1].at);
    first[1].run();
  }
}
