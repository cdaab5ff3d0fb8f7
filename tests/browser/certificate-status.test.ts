import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { certificateStatusLine } from '../../src/app/certificate-status-line.ts';
import { setLocale } from '../../src/app/i18n.svelte.ts';
import { certificateStatusWords } from '../../src/app/messages/certificate-status.ts';
import { certificateStatuses, type KnownStatus } from '../../src/app/state/certificate-status.svelte.ts';
import type { Reading } from '../../src/app/state/key-reading.ts';
import { parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { issueCertificate, makeKey, makeName, type TestKey } from '../unit/pki/hierarchy.ts';
import { issueCrl } from '../unit/pki/revocation-answers.ts';

const words = certificateStatusWords['zh-CN'];
const at = new Date('2026-03-04T05:06:07Z');
const revoked: Extract<KnownStatus, { status: 'revoked' }> = {
  ...{ status: 'revoked', source: 'ocsp', thisUpdate: at, at, reason: 'unspecified' },
};

beforeEach(() => setLocale('zh-CN'));

describe('the line about a certificate at its authority', () => {
  test.each<[KnownStatus | undefined, string]>([
    [undefined, '正在向证书机构查询…'],
    [{ status: 'good', source: 'crl', thisUpdate: at }, '没有被吊销（证书机构 2026年3月4日 的记录）'],
    [revoked, '2026年3月4日 被证书机构吊销，不能再用'],
    [{ ...revoked, reason: 'superseded' }, '2026年3月4日 被证书机构吊销，不能再用（已由新的证书代替）'],
    [{ ...revoked, reason: 'certificateHold' }, '2026年3月4日 被证书机构暂停使用'],
    [{ status: 'unknown', because: 'unreachable' }, words.unknown.noAnswer],
    [{ status: 'unknown', because: 'refused' }, words.unknown.noAnswer],
    [{ status: 'unknown', because: 'notOffered' }, words.unknown.notOffered],
    [{ status: 'unknown', because: 'badSignature' }, words.unknown.notCredible],
    [{ status: 'unknown', because: 'stale' }, words.unknown.notCredible],
    [{ status: 'unknown', because: 'notKnownThere' }, words.unknown.notKnownThere],
    [{ status: 'unknown', because: 'noIssuer' }, words.unknown.noIssuer],
  ])('%o: %s', (known, line) => {
    expect(certificateStatusLine(known, words)).toBe(line);
  });

  test('never says of what is not known that it is good', () => {
    for (const { unknown, good } of Object.values(certificateStatusWords)) {
      for (const line of Object.values(unknown)) expect(line.startsWith(good('').slice(0, 5))).toBe(false);
    }
  });
});

describe('what the authority has said', () => {
  const names = { ca: makeName('CA'), holder: makeName('Holder') };
  const hour = 3_600_000;
  const [before, after] = [new Date(Date.now() - hour), new Date(Date.now() + hour)];
  let key: TestKey;
  let issuer: Certificate;
  let serialNumber = 0x100;

  const issue = async (): Promise<Certificate> => {
    serialNumber += 1;
    const parties = { subject: names.holder, issuer: names.ca, key, issuerKey: key };
    return parseCertificate(await issueCertificate({ ...parties, serialNumber, notBefore: before, notAfter: after }));
  };
  beforeAll(async () => {
    key = await makeKey('sm2');
    const parties = { subject: names.ca, issuer: names.ca, key, issuerKey: key };
    const life = { notBefore: before, notAfter: after };
    issuer = parseCertificate(await issueCertificate({ ...parties, ...life, isCa: true, keyUsage: [5, 6] }));
  });
  afterEach(() => vi.unstubAllGlobals());

  /** An operator's API that has lists only. */
  function offer(list: () => Promise<Uint8Array<ArrayBuffer>>): { asked: number } {
    const count = { asked: 0 };
    vi.stubGlobal('fetch', async (url: string): Promise<Response> => {
      if (!url.startsWith('/api/crl/')) return new Response(null, { status: 404 });
      count.asked += 1;
      return new Response(await list(), { headers: { 'Content-Type': 'application/pkix-crl' } });
    });
    return count;
  }
  const list = (...revokedNow: readonly Certificate[]): Promise<Uint8Array<ArrayBuffer>> =>
    issueCrl({
      ...{ issuer: names.ca, issuerKey: key, thisUpdate: before, nextUpdate: after, extensions: null },
      entries: revokedNow.map((one) => ({ serialNumber: one.serialNumber, at, reason: 4 })),
    });
  const readingOf = (...anchors: readonly Certificate[]): Pick<Reading, 'config' | 'trust'> => {
    const trust = {
      ...{ intermediates: [], oldIssuers: [], taxpayerNumberTypes: [] },
      anchors: anchors.map(({ der }) => der),
    };
    return {
      trust,
      config: { ...trust, ...{ version: 1, ca: null, api: '/api', holder: { taxpayerNumber: [] } }, ...rest },
    };
  };
  const offers = { appointments: false, hotlineMessages: false, maps: [], contentKeys: [] };
  const rest = { anchors: [], intermediates: [], oldIssuers: [], links: {}, models: [], ...offers };

  test('is asked once for a certificate that is good', async () => {
    const certificate = await issue();
    const operator = offer(() => list());

    const news = await Promise.all([1, 2].map(() => certificateStatuses.ask(certificate, readingOf(issuer))));
    await certificateStatuses.ask(certificate, readingOf(issuer));

    expect(news).toEqual([false, false]);
    expect(certificateStatuses.of(certificate)).toMatchObject({ status: 'good', source: 'crl' });
    expect(certificateStatuses.isRevoked(certificate)).toBe(false);
    expect(operator.asked).toBe(1);
  });

  test('is news once where it is revoked', async () => {
    const certificate = await issue();
    const operator = offer(() => list(certificate));

    const first = await certificateStatuses.ask(certificate, readingOf(issuer));
    const second = await certificateStatuses.ask(certificate, readingOf(issuer));

    expect([first, second]).toEqual([true, false]);
    expect(certificateStatuses.isRevoked(certificate)).toBe(true);
    expect(operator.asked).toBe(1);
  });

  test('is asked again with the next reading where it was nothing', async () => {
    const certificate = await issue();
    offer(() => Promise.resolve(Uint8Array.of(1, 2, 3)));
    await certificateStatuses.ask(certificate, readingOf(issuer));
    expect(certificateStatuses.of(certificate)).toEqual({ status: 'unknown', because: 'malformed' });

    offer(() => list());
    await certificateStatuses.ask(certificate, readingOf(issuer));
    expect(certificateStatuses.of(certificate)).toMatchObject({ status: 'good' });
  });

  test('does not count where no pinned anchor stands behind it', async () => {
    const certificate = await issue();
    const operator = offer(() => list());

    await certificateStatuses.ask(certificate, readingOf());

    expect(certificateStatuses.of(certificate)).toEqual({ status: 'unknown', because: 'noIssuer' });
    expect(operator.asked).toBe(0);
  });
});
