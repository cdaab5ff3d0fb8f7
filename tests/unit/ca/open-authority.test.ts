import { expect, test } from 'vitest';
import { openAuthority, type AuthorityChoice } from '../../../src/ca/open-authority.ts';

const id = new Uint8Array(16);

/** Where an authority of this choice asks what became of a transaction. */
async function askedUnder(choice: AuthorityChoice): Promise<string | undefined> {
  const asked: string[] = [];
  const authority = await openAuthority(choice, {
    anchors: [],
    fetch: (url) => {
      asked.push(url);
      return Promise.reject(new TypeError('offline'));
    },
    now: () => new Date(),
    timeoutMs: 1000,
  });
  await expect(authority.lookUp(id)).rejects.toMatchObject({ code: 'unreachable' });
  return asked[0]?.replace(/nonce=[0-9a-f]+$/u, 'nonce=');
}

test.each([
  [
    { protocol: 'cmp', url: '/ca/cmp', enrolments: '/api/enrolments' },
    '/api/enrolments/00000000000000000000000000000000?nonce=',
  ],
  [{ protocol: 'rest-enrolment', url: '/ca/rest' }, '/ca/rest/enrolments/00000000000000000000000000000000?nonce='],
] as const)('the authority of %j asks at its own place', async (choice, place) => {
  expect(await askedUnder(choice)).toBe(place);
});

test.each([
  [{ protocol: 'cmp', url: '/ca/cmp', enrolments: '/api/enrolments' }, true],
  [{ protocol: 'rest-enrolment', url: '/ca/rest', csr: 'cfca' }, false],
] as const)('%j: an encryption certificate is confirmed by itself: %s', async (choice, confirmsEncryption) => {
  const ports = { anchors: [], fetch, now: () => new Date(), timeoutMs: 1000 };
  const authority = await openAuthority(choice, ports);
  expect(authority).toMatchObject({ protocol: choice.protocol, confirmsEncryption });
});
