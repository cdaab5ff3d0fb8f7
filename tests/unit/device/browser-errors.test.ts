import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { transferErrorFrom, transportErrorFrom, type DeviceStep } from '../../../src/device/browser-errors.ts';

/* Names of exceptions as Chromium was measured to give them; their messages are never read. */

describe('what the browser reports', () => {
  it.each<[string, DeviceStep, string, string]>([
    ['the USB chooser was cancelled', 'choose', 'NotFoundError', 'nothingChosen'],
    ['there was no click', 'choose', 'SecurityError', 'noGesture'],
    ['the device node cannot be opened', 'open', 'SecurityError', 'accessDenied'],
    ['a HID device cannot be opened', 'open', 'NotAllowedError', 'accessDenied'],
    ['a driver has the whole device', 'open', 'NetworkError', 'busy'],
    ['it was unplugged before it was opened', 'open', 'NotFoundError', 'disconnected'],
    ['the interface is of a protected class', 'claim', 'SecurityError', 'protectedClass'],
    ['a driver, a program or a tab has the interface', 'claim', 'NetworkError', 'busy'],
    ['it was unplugged before it was claimed', 'claim', 'NotFoundError', 'disconnected'],
    ['it was unplugged', 'transfer', 'NotFoundError', 'disconnected'],
    ['it was closed here', 'transfer', 'AbortError', 'cancelled'],
    ['the interface is of a protected class after all', 'transfer', 'SecurityError', 'accessDenied'],
    ['a transfer failed', 'transfer', 'NetworkError', 'failed'],
    ['a transfer was too long', 'transfer', 'DataError', 'failed'],
    ['something nobody has measured', 'claim', 'TypeError', 'failed'],
  ])('%s', (_what, step, name, code) => {
    const reason = new DOMException('in any words', name);
    const error = transportErrorFrom(reason, step);
    expect(error).toMatchObject({ name: 'TransportError', code, cause: reason });
  });

  it('is kept as it is when it was understood before', () => {
    const known = new TransportError('stalled', '');
    expect(transportErrorFrom(known, 'open')).toBe(known);
  });

  it('may be no error at all', () => {
    expect(transportErrorFrom('text', 'open')).toMatchObject({ code: 'failed', cause: 'text' });
  });
});

describe('a transfer that fails', () => {
  it('is an unplug where one is reported a moment later, as on Windows', async () => {
    const gone = new AbortController();
    const judged = transferErrorFrom(new DOMException('', 'NetworkError'), gone.signal);
    gone.abort();
    expect(await judged).toMatchObject({ code: 'disconnected' });
  });

  it('waits for no unplug where it says itself what happened', async () => {
    const { signal } = new AbortController();
    expect(await transferErrorFrom(new DOMException('', 'AbortError'), signal)).toMatchObject({ code: 'cancelled' });
    const known = new TransportError('failed', '');
    expect(await transferErrorFrom(known, signal)).toBe(known);
  });
});
