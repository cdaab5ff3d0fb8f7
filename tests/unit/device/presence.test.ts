import { readFile } from 'node:fs/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { transformWithOxc } from 'vite';
import { watchPresence } from '../../../src/device/presence.ts';
import { FakeHid, FakeUsb, ScriptedHidDevice, ScriptedUsbDevice } from './fakes.ts';

afterEach(() => void vi.unstubAllGlobals());

it('tells at the start, then only of changes, over both ways', async () => {
  const usb = new FakeUsb();
  const hid = new FakeHid();
  vi.stubGlobal('navigator', { usb, hid });
  const seen: boolean[] = [];
  const [key, other] = [new ScriptedUsbDevice().device, new ScriptedHidDevice().device];
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

  const stop = watchPresence((present) => seen.push(present));
  await settled();
  usb.announce('connect', key);
  await settled();
  hid.announce('connect', other);
  await settled();
  usb.announce('disconnect', key);
  await settled();
  hid.announce('disconnect', other);
  await settled();
  stop();
  usb.announce('connect', key);
  await settled();

  expect(seen).toEqual([false, true, false]);
});

it('says no in a browser without WebUSB and WebHID, and under a policy that forbids them', async () => {
  vi.stubGlobal('navigator', {});
  await expect(new Promise<boolean>((resolve) => void watchPresence(resolve))).resolves.toBe(false);
  const usb = new FakeUsb();
  usb.getDevices = () => Promise.reject(new DOMException('', 'SecurityError'));
  vi.stubGlobal('navigator', { usb });
  await expect(new Promise<boolean>((resolve) => void watchPresence(resolve))).resolves.toBe(false);
});

it('is less than a kilobyte and imports nothing, for it is on the first screen', async () => {
  const source = await readFile(new URL('../../../src/device/presence.ts', import.meta.url), 'utf8');

  const { code } = await transformWithOxc(source, 'presence.ts');

  expect(code).not.toMatch(/^import/mu);
  expect(code.replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$|^\s+/gmu, '').length).toBeLessThan(1024);
});
