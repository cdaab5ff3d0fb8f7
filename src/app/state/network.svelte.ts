/** Whether the browser believes it has a network. `false` is certain, `true` is a hope. */
class Network {
  #online = $state(navigator.onLine);
  constructor() {
    addEventListener('online', () => (this.#online = true));
    addEventListener('offline', () => (this.#online = false));
  }
  get online(): boolean {
    return this.#online;
  }
}
export const network = new Network();
