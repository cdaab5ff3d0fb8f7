import { TransportError } from '../apdu/channel.ts';

/**
 * A signal that is aborted once the browser says that this very device was unplugged.
 * @param source `navigator.usb` or `navigator.hid`
 * @returns the signal, and `stop`, which ends the watching
 */
export function watchGone(source: EventTarget, device: USBDevice | HIDDevice): { gone: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  const onDisconnect = (event: Event) => {
    if ((event as Event & { readonly device?: unknown }).device !== device) return;
    stop();
    controller.abort(new TransportError('disconnected', 'the device was unplugged'));
  };
  const stop = () => source.removeEventListener('disconnect', onDisconnect);
  source.addEventListener('disconnect', onDisconnect);
  return { gone: controller.signal, stop };
}
