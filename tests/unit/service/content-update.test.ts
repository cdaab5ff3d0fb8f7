import 'fake-indexeddb/auto';
import { createHash, sign } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { readContent } from '../../../src/guidance/packs/read.ts';
import { verifyPack } from '../../../src/service/content-pack.ts';
import { contentInUse, updatePack } from '../../../src/service/content-update.ts';
import { clearDocuments } from '../../../src/storage/documents.ts';
import { recallPackCheck, recallPacks } from '../../../src/storage/packs.ts';
import { aServer, type Answer, type AServer } from './a-server.ts';
import { makePack, newSigner, type MadePack } from './pack-maker.ts';

const signer = newSigner('office-2026');
const keys = [signer.pinned];
const check = (content: unknown): void => void readContent.guidance(content);
const fee = (replacementFeeFen: number): unknown => ({ numbers: { replacementFeeFen } });

let server: AServer;
let published: { manifest: string; bytes: Uint8Array } | undefined;
const publish = ({ manifest, bytes }: MadePack): void => {
  published = { manifest: JSON.stringify(manifest), bytes };
};
const tag = (content: Uint8Array | string): string => `"${createHash('md5').update(content).digest('hex')}"`;

function answer({ url, headers }: { url: string; headers: Record<string, unknown> }): Answer {
  if (!published || !url.startsWith('/api/content/')) return { status: 404 };
  const body = url === '/api/content/guidance' ? published.manifest : published.bytes;
  if (headers['if-none-match'] === tag(body)) return { status: 304, headers: { ETag: tag(body) } };
  return { status: 200, headers: { ETag: tag(body) }, body };
}

beforeAll(async () => {
  server = await aServer();
});
afterAll(() => {
  vi.unstubAllGlobals();
  server.close();
});
beforeEach(async () => {
  await clearDocuments();
  published = undefined;
  server.asked.length = 0;
  server.answer = answer;
});

const update = (pinned = keys): ReturnType<typeof updatePack> => updatePack('/api', 'guidance', pinned, check);
const feeInUse = async (): Promise<unknown> => (await contentInUse('guidance', readContent.guidance))?.content;

describe('a pack that is as it should be', () => {
  test('is taken, and the one before is kept', async () => {
    publish(makePack(signer, 'guidance', 1, fee(2700)));
    expect(await update()).toEqual({ outcome: 'switched', version: 1 });
    publish(makePack(signer, 'guidance', 3, fee(3000)));
    expect(await update()).toEqual({ outcome: 'switched', version: 3 });
    expect(await feeInUse()).toEqual(fee(3000));
    const { current, former } = await recallPacks('guidance');
    expect([current?.version, former?.version]).toEqual([3, 1]);
  });

  test('is not fetched twice: the manifest has not changed', async () => {
    publish(makePack(signer, 'guidance', 1, fee(2700)));
    await update();
    server.asked.length = 0;
    expect(await update()).toEqual({ outcome: 'current' });
    expect(server.asked.map(({ url, headers }) => [url, typeof headers['if-none-match']])).toEqual([
      ['/api/content/guidance', 'string'],
    ]);
  });

  test('gives way to the one before when this version of the site cannot read it any more', async () => {
    for (const [version, fen] of [
      [1, 2700],
      [2, 2800],
    ] as const) {
      publish(makePack(signer, 'guidance', version, fee(fen)));
      await update();
    }
    const read = (content: unknown): unknown => {
      if (JSON.stringify(content).includes('2800')) throw new TypeError('another form');
      return content;
    };
    expect((await contentInUse('guidance', read))?.content).toEqual(fee(2700));
  });

  test('goes with the key that signed it', async () => {
    publish(makePack(signer, 'guidance', 1, fee(2700)));
    await update();
    const other = newSigner('office-2027');
    published = undefined;
    expect(await update([other.pinned])).toEqual({ outcome: 'current' });
    expect(await feeInUse()).toBeUndefined();
  });

  test('an operator without keys is asked for nothing', async () => {
    expect(await update([])).toEqual({ outcome: 'current' });
    expect(server.asked).toEqual([]);
  });
});

const good = makePack(signer, 'guidance', 2, fee(2800));
const stranger = newSigner('office-2026');
const flipped = (bytes: Uint8Array<ArrayBuffer>, at: number): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(bytes, (byte, index) => (index === at ? byte ^ 1 : byte));
const rehashed = ({ manifest }: MadePack, bytes: Uint8Array<ArrayBuffer>): MadePack => ({
  bytes,
  manifest: { ...manifest, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') },
});
const signedText = (text: string): MadePack => {
  const bytes = new TextEncoder().encode(text);
  const signature = sign(null, bytes, signer.privateKey).toString('base64');
  const made = rehashed(good, bytes);
  return { ...made, manifest: { ...made.manifest, signature } };
};

describe('a pack that is not as it should be changes nothing and is told', () => {
  test.each<[string, string, MadePack]>([
    ['bytes changed on the way', 'hash', { ...good, bytes: flipped(good.bytes, 80) }],
    ['bytes changed and the hash with them', 'signature', rehashed(good, flipped(good.bytes, 80))],
    ['cut short', 'size', { ...good, bytes: good.bytes.slice(0, -1) }],
    ['cut short and said so', 'signature', rehashed(good, good.bytes.slice(0, -1))],
    ['longer than said', 'size', { ...good, bytes: new Uint8Array([...good.bytes, 0x20]) }],
    ['signed by somebody else with the same name', 'signature', makePack(stranger, 'guidance', 2, fee(1))],
    ['signed by a key that is not pinned', 'unknownKey', makePack(newSigner('other'), 'guidance', 2, fee(1))],
    ['of another kind', 'manifest', { ...good, manifest: { ...good.manifest, kind: 'faq' } }],
    ['announced under a higher number', 'envelope', { ...good, manifest: { ...good.manifest, version: 9 } }],
    ['signed, but no pack', 'envelope', signedText('{"kind":"guidance","version":2}')],
    ['signed, but no JSON', 'envelope', signedText('hello')],
    ['with a rule nobody knows', 'content', makePack(signer, 'guidance', 2, { rules: { 'R-9-9': {} } })],
    ['with a fee that cannot be', 'content', makePack(signer, 'guidance', 2, fee(-1))],
    [
      'with HTML in it',
      'content',
      makePack(signer, 'guidance', 2, { rules: { 'R-1-2': { sentence: { 'zh-CN': '<b>x</b>', en: 'x' } } } }),
    ],
  ])('%s: %s', async (_what, reason, made) => {
    publish(makePack(signer, 'guidance', 1, fee(2700)));
    await update();
    publish(made);
    expect(await update()).toMatchObject({ outcome: 'refused', error: { name: 'PackError', reason } });
    expect(await feeInUse()).toEqual(fee(2700));
    expect(await recallPackCheck('guidance')).toMatchObject({ kind: 'guidance', refused: { reason } });
  });

  test('an older one, once a newer is in use', async () => {
    publish(makePack(signer, 'guidance', 5, fee(2700)));
    await update();
    publish(makePack(signer, 'guidance', 4, fee(1)));
    expect(await update()).toMatchObject({ outcome: 'refused', error: { reason: 'olderVersion', version: 4 } });
    expect(await feeInUse()).toEqual(fee(2700));
  });

  test('one whose file is missing', async () => {
    publish(good);
    server.answer = (asked) => (asked.url === '/api/content/guidance' ? answer(asked) : { status: 404 });
    expect(await update()).toMatchObject({ outcome: 'refused', error: { reason: 'missing', version: 2 } });
  });

  test('any single bit', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(good.bytes.length - 1), fc.nat(7), async (at, bit) => {
        const bytes = Uint8Array.from(good.bytes, (byte, index) => (index === at ? byte ^ (1 << bit) : byte));
        const { manifest } = rehashed(good, bytes);
        await expect(verifyPack(manifest, bytes, signer.pinned)).rejects.toMatchObject({ reason: 'signature' });
      }),
      { numRuns: 25 },
    );
  });

  test('is told no longer once a good one has come', async () => {
    publish({ ...good, bytes: good.bytes.slice(1) });
    await update();
    publish(good);
    expect(await update()).toEqual({ outcome: 'switched', version: 2 });
    expect((await recallPackCheck('guidance'))?.refused).toBeUndefined();
  });
});

test('without the network the last good one stays', async () => {
  publish(good);
  await update();
  server.answer = () => ({ status: 200, body: '{"kind":', cutAfter: 2 });
  expect(await update()).toEqual({ outcome: 'unreachable' });
  expect(await feeInUse()).toEqual(fee(2800));
});

test('a pack that breaks off on the way is asked for again another time', async () => {
  publish(good);
  server.answer = (asked) =>
    asked.url === '/api/content/guidance' ? answer(asked) : { status: 200, body: good.bytes, cutAfter: 10 };
  expect(await update()).toEqual({ outcome: 'unreachable' });
  expect(await feeInUse()).toBeUndefined();
  server.answer = answer;
  expect(await update()).toEqual({ outcome: 'switched', version: 2 });
});

test('two tabs at once end with the newer pack', async () => {
  publish(makePack(signer, 'guidance', 7, fee(2700)));
  const both = await Promise.all([update(), update()]);
  expect(both.map(({ outcome }) => outcome).sort()).toEqual(['current', 'switched']);
  expect((await recallPacks('guidance')).former).toBeUndefined();
});
