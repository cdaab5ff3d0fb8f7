/** A new build waits for the person's word. `pwa.ts` sets `offer`; the shell shows it; nobody is interrupted. */
class Update {
  #take = $state.raw<(() => void) | undefined>();
  #put = $state(false);

  get ready(): boolean {
    return this.#take !== undefined && !this.#put;
  }
  offer(take: () => void): void {
    this.#take = take;
  }
  take(): void {
    this.#take?.();
  }
  /** Not now: the new build takes over when the last tab of the old one is closed. */
  later(): void {
    this.#put = true;
  }
}
export const update = new Update();
