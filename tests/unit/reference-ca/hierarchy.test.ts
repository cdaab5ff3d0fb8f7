import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import { openHierarchy, type Hierarchy } from '../../reference-ca/hierarchy.ts';
import type { Policy } from '../../reference-ca/policy.ts';
import { openReferenceCa } from '../../reference-ca/reference-ca.ts';
import { exchange, issuedCertificate, makeCsr, makeHolder, makeRequest, refusalIn, TestClock } from './holder.ts';

/* RSA key pairs are long in the making where others work too. */
const keyMaking = { timeout: 60_000 };

describe('a data directory', keyMaking, () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(os.tmpdir(), 'hierarchy-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('from before an authority came gets that one beside it, once, and keeps the others', async () => {
    const made = await openHierarchy(directory);
    const file = path.join(directory, 'hierarchy.json');
    const stored = JSON.parse(await readFile(file, 'utf8')) as { authorities: Record<string, unknown> };
    const older = { ...stored, authorities: { ...stored.authorities, rsa: undefined } };
    await writeFile(file, JSON.stringify(older));

    const opened = await openHierarchy(directory);
    const again = await openHierarchy(directory);

    expect((await readdir(directory)).sort()).toEqual(['hierarchy-rsa.json', 'hierarchy.json']);
    expect(opened.rsa.root).not.toEqual(made.rsa.root);
    expect(again.rsa).toMatchObject({
      root: opened.rsa.root,
      issuing: { certificate: opened.rsa.issuing.certificate },
    });
    expect([opened.sm2.root, opened.p256.root, opened.oldRsa.root, opened.foreign.root]).toEqual(
      [made.sm2, made.p256, made.oldRsa, made.foreign].map(({ root }) => root),
    );
    expect(await readFile(file, 'utf8')).toBe(JSON.stringify(older));
  });

  test('opened twice at once is one hierarchy', async () => {
    const [one, other] = await Promise.all([openHierarchy(directory), openHierarchy(directory)]);
    expect(one.sm2.root).toEqual(other.sm2.root);
    expect(await readdir(directory)).toEqual(['hierarchy.json']);
  });

  test('with a damaged file is not opened', async () => {
    await writeFile(path.join(directory, 'hierarchy.json'), '{"version":2}');
    await expect(openHierarchy(directory)).rejects.toThrow();
  });
});

describe('an upgrade from the old authority', keyMaking, () => {
  const clock = new TestClock();
  let hierarchies: Readonly<Record<'standing' | 'ended', Hierarchy>>;
  beforeAll(async () => {
    const standing = await openHierarchy(undefined);
    const { oldRsa } = await openHierarchy(undefined, { oldRsaEnds: new Date('2024-06-01T00:00:00Z') });
    hierarchies = { standing, ended: { ...standing, oldRsa } };
  }, keyMaking.timeout);
  const upgrade = async (hierarchy: keyof typeof hierarchies, policy: Partial<Policy>): Promise<unknown> => {
    const ca = await openReferenceCa({ now: clock.now, policy, hierarchy: hierarchies[hierarchy] });
    try {
      const holder = await makeHolder(ca, clock.now(), { authority: 'oldRsa', endsInDays: 40, livesDays: 3650 });
      const answer = await exchange(ca, await makeRequest(holder, await makeCsr(holder)));
      const refusal = refusalIn(answer);
      if (refusal) return refusal;
      const { issuer, keyAlgorithm } = parseCertificate(issuedCertificate(answer));
      expect(issuer.der).toEqual(ca.hierarchy.sm2.issuing.subject);
      return keyAlgorithm;
    } finally {
      await ca.close();
    }
  };
  const untrusted = { in: 'error', failInfo: ['signerNotTrusted'] };

  test.each([
    ['that still stands', 'standing', { acceptsExpiredSigner: false }, 'sm2'],
    ['that has ended, where ended ones are accepted', 'ended', {}, 'sm2'],
    ['that ended within the days accepted', 'ended', { maxExpiredDays: 1000 }, 'sm2'],
    ['that ended longer ago than accepted', 'ended', { maxExpiredDays: 100 }, untrusted],
    ['that has ended, where no ended one is accepted', 'ended', { acceptsExpiredSigner: false }, untrusted],
  ] as const)('%s', async (_what, hierarchy, policy, expected) => {
    expect(await upgrade(hierarchy, policy)).toEqual(expected);
  });
});
