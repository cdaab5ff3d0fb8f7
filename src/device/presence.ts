/** Part of the first screen: no imports, and small. */

type Source = Pick<USB & HID, 'addEventListener' | 'removeEventListener'> & { getDevices(): Promise<unknown[]> };

/**
 * Says whether a device that the person has granted to this site is plugged in: once at the start, then on every change.
 * Asks for nothing and opens nothing.
 * @returns ends the watching
 */
export function watchPresence(onChange: (present: boolean) => void): () => void {
  const { usb, hid } = navigator as { readonly usb?: Source; readonly hid?: Source };
  const sources = [usb, hid].filter((source) => source !== undefined);
  let last: boolean | undefined;
  let latest = 0;
  const look = async () => {
    const mine = ++latest;
    // A policy may forbid the interface: then there is nothing to see.
    const lists = await Promise.all(sources.map((source) => source.getDevices().catch(() => [])));
    const present = lists.some((list) => list.length > 0);
    if (mine !== latest || present === last) return;
    onChange((last = present));
  };
  const onEvent = () => void look();
  for (const source of sources) {
    source.addEventListener('connect', onEvent);
    source.addEventListener('disconnect', onEvent);
  }
  onEvent();
  return () => {
    latest = -1;
    for (const source of sources) {
      source.removeEventListener('connect', onEvent);
      source.removeEventListener('disconnect', onEvent);
    }
  };
}
