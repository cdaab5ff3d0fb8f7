/** Times outside are no server's: milliseconds since 1970. */
const earliest = Date.UTC(2020, 0);
const latest = Date.UTC(2100, 0);

/**
 * The time by the server, since an office computer's clock may be years wrong: HTTP `Date` plus a monotonic offset.
 * Accuracy: `Date` has whole seconds, and half the round trip is taken off.
 */
export class ServerClock {
  /** Server time minus `performance.now()`, in milliseconds; undefined until a server has answered. */
  private offset: number | undefined;
  private readonly monotonic: () => number;
  private readonly local: () => number;

  /** @param monotonic milliseconds, never going back @param local milliseconds since 1970 by this computer */
  constructor(monotonic: () => number = () => performance.now(), local: () => number = () => Date.now()) {
    this.monotonic = monotonic;
    this.local = local;
  }

  /** Takes the time from a response's `Date` header; a missing, unreadable or impossible one changes nothing. */
  observe(response: Response, sentAt: number): void {
    const header = response.headers.get('Date');
    const at = header === null ? Number.NaN : Date.parse(header);
    // A cached answer carries the time of its first delivery.
    if (!(at >= earliest && at < latest) || response.headers.has('Age')) return;
    const received = this.monotonic();
    this.offset = at + 500 + (received - sentAt) / 2 - received;
  }

  /** A `fetch` that takes the time from every answer. */
  readonly fetch: typeof fetch = async (input, init) => {
    const sentAt = this.monotonic();
    const response = await fetch(input, init);
    this.observe(response, sentAt);
    return response;
  };

  /** True once a server's time is known. */
  get known(): boolean {
    return this.offset !== undefined;
  }

  /** Server time, or this computer's as long as no server has answered. */
  now(): Date {
    return new Date(this.offset === undefined ? this.local() : this.offset + this.monotonic());
  }

  /** This computer's clock minus the server's, in milliseconds; undefined while no server has answered. */
  get skewMs(): number | undefined {
    return this.offset === undefined ? undefined : this.local() - (this.offset + this.monotonic());
  }
}

/** The site's one clock. */
export const clock = new ServerClock();
