import { expect, test } from 'vitest';
import { TransportError, type TransportErrorCode } from '../../../src/apdu/channel.ts';
import {
  HeldBack,
  OtherTab,
  OwnTask,
  provesNoKey,
  troubleOf,
  unpluggedTrouble,
} from '../../../src/app/state/key-trouble.ts';
import { ServiceError } from '../../../src/service/errors.ts';
import type { AttachedKey } from '../../../src/usbkey/connect.ts';
import { KeyError } from '../../../src/usbkey/usbkey.ts';

const attached = (way: 'usb' | 'hid', serialNumber: string): AttachedKey =>
  ({ way, device: { serialNumber } }) as AttachedKey;

test.each<[TransportErrorCode, string]>([
  ['nothingChosen', 'nothingChosen'],
  ['noGesture', 'noGesture'],
  ['unsupported', 'noApi'],
  ['accessDenied', 'accessDenied'],
  ['protectedClass', 'protectedClass'],
  ['busy', 'busy'],
  ['disconnected', 'unplugged'],
  ['timeout', 'noAnswer'],
  ['stalled', 'stalled'],
  ['malformed', 'badAnswer'],
])('%s on the wire is told the person as %s', (code, trouble) => {
  expect(troubleOf(new TransportError(code, ''))).toBe(trouble);
});

test.each<[string, Error, string]>([
  ['a tab of this site', new OtherTab(), 'otherTab'],
  ['this page itself', new OwnTask(), 'ownTask'],
  ['another program', new TransportError('busy', ''), 'busy'],
  ['the operator', new HeldBack(), 'heldBack'],
  ['a key that contradicts itself', new KeyError('malformed', ''), 'badAnswer'],
  ['a server out of reach', new ServiceError('unreachable', ''), 'noConfig'],
  ['a defect', new TypeError(''), 'unexpected'],
])('%s in the way has words of its own', (_who, error, trouble) => {
  expect(troubleOf(error)).toBe(trouble);
});

test.each([
  ['usb', 'S1', 'unplugged'],
  ['hid', '', 'unplugged'],
  ['usb', '', 'unpluggedForgotten'],
] as const)('over %s with serial number “%s” an unplugged key is %s', (way, serialNumber, trouble) => {
  const key = attached(way, serialNumber);
  expect(unpluggedTrouble(key)).toBe(trouble);
  expect(troubleOf(new TransportError('disconnected', ''), key)).toBe(trouble);
});

test('a guessed device that is silent, stalls or makes no sense is no key; one in other hands may be', () => {
  expect((['noAnswer', 'stalled', 'badAnswer'] as const).every(provesNoKey)).toBe(true);
  expect((['busy', 'accessDenied', 'otherTab', 'unplugged', 'noConfig'] as const).some(provesNoKey)).toBe(false);
});
