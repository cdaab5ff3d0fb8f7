import { expect, test } from 'vitest';
import { Login, type AskPassword } from '../../../src/renewal/login.ts';
import type { UsbKey } from '../../../src/usbkey/usbkey.ts';

test('of two answers to one question, given at once, the key gets only the first', async () => {
  const sent: number[] = [];
  const key: Partial<UsbKey> = {
    readPasswordTries: () => Promise.resolve({ remaining: 2, maximum: 6 }),
    verifyPassword: (_application, password) => {
      sent.push(password[0] ?? 0);
      return Promise.resolve();
    },
  };
  const twice: AskPassword = async (_question, use) => {
    await Promise.all([use(Uint8Array.of(1)), use(Uint8Array.of(2))]);
    return true;
  };

  await new Login(key as UsbKey, twice).logIn('TJTAX');

  expect(sent).toEqual([1]);
});
