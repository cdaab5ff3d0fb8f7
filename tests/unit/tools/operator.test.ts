import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as v from 'valibot';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestSchema, verifyPack } from '../../../src/service/content-pack.ts';
import { operator } from '../../tools/operator.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), '网点 import-'));
});
afterAll(() => rm(directory, { recursive: true }));

async function run(
  name: string,
  content: string | Uint8Array,
  ...more: string[]
): Promise<[number, string[], string[]]> {
  const file = path.join(directory, name);
  await writeFile(file, content);
  const out: string[] = [];
  const errors: string[] = [];
  const status = await operator(['import-centres', file, ...more], {
    out: (line) => out.push(line),
    error: (line) => errors.push(line.replace(file, 'FILE')),
  });
  return [status, out, errors];
}

const table = `编号,名称,区,地址,业务,电话
a1,示例一,和平区,示例路1号,renew;unlock,022-00000000
a2,示例二,120116,示例路2号,new,
`;

test('a sound table becomes the list the site reads', async () => {
  const target = path.join(directory, 'centres.json');
  const [status, out] = await run('centres.csv', table, '--out', target);
  expect(out).toEqual([`2 centres written to ${target}`]);
  expect(status).toBe(0);
  const centres = JSON.parse(await readFile(target, 'utf8')) as { id: string; district: string }[];
  expect(centres.map(({ id, district }) => [id, district])).toEqual([
    ['a1', '120101'],
    ['a2', '120116'],
  ]);
});

test('a table saved by a spreadsheet in GBK is read all the same', async () => {
  // 编号,名称,区,地址,业务 / a1,示例,和平区,示例路,renew
  const gbk = Buffer.from(
    'b1e0bac52cc3fbb3c62cc7f82cb5d8d6b72cd2b5cef10a61312ccabec0fd2cbacdc6bdc7f82ccabec0fdc2b72c72656e65770a',
    'hex',
  );
  const [status, out] = await run('gbk.csv', gbk);
  expect(status).toBe(0);
  expect(JSON.parse(out.join(''))).toMatchObject([{ name: '示例', district: '120101' }]);
});

test('errors are told by line and nothing is written', async () => {
  const bad = `${table.replace('120116', '朝阳区')}a1,示例三,和平区,示例路3号,new,\n`;
  const target = path.join(directory, 'never.json');
  const [status, , errors] = await run('bad.csv', bad, '--out', target);
  expect(status).toBe(1);
  expect(errors).toEqual([
    expect.stringMatching(/^FILE:3: district: .*16 districts/),
    expect.stringMatching(/^FILE:4: id: .*twice/),
    'errors: 2; nothing was written',
  ]);
  await expect(readFile(target)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.each([[[]], [['import-centres']], [['import-centres', 'x.csv', '--in', 'y']], [['sell-centres', 'x']]])(
  'the command %j is not understood, and said so',
  async (args) => {
    const errors: string[] = [];
    expect(await operator(args, { out: () => undefined, error: (line) => errors.push(line) })).toBe(2);
    expect(errors.join()).toContain('usage');
  },
);

async function say(...args: readonly string[]): Promise<[number, string, string]> {
  const out: string[] = [];
  const errors: string[] = [];
  const status = await operator(args, { out: (line) => out.push(line), error: (line) => errors.push(line) });
  return [status, out.join('\n'), errors.join('\n')];
}
async function fileOf(name: string, content: unknown): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
const rowOf = (out: string): { keyId: string; algorithm: string; publicKey: string } =>
  JSON.parse(out.split('\n').at(-1) ?? '') as { keyId: string; algorithm: string; publicKey: string };
const changed = { numbers: { replacementFeeFen: 3000 } };

test.each(['ed25519', 'sm2'] as const)('content signed with a new %s key is what the page takes', async (algorithm) => {
  const key = path.join(directory, `${algorithm}.pem`);
  const [made, keyOut] = await say('keygen', '--id', 'office', '--out', key, '--algorithm', algorithm);
  expect(made).toBe(0);
  const row = rowOf(keyOut);
  expect((await stat(key)).mode & 0o077).toBe(0);

  const file = await fileOf('changed.json', changed);
  const out = path.join(directory, algorithm);
  const signing = ['--kind', 'guidance', '--version', '4', '--key', key, '--id', 'office', '--out', out];
  expect((await say('sign-content', file, ...signing))[0]).toBe(0);

  const manifest = v.parse(
    manifestSchema,
    JSON.parse(await readFile(path.join(out, 'guidance.manifest.json'), 'utf8')),
  );
  const bytes = new Uint8Array(await readFile(path.join(out, 'guidance-4.json')));
  const publicKey = new Uint8Array(Buffer.from(row.publicKey, 'base64'));
  const pack = await verifyPack(manifest, bytes, { keyId: 'office', algorithm, publicKey });
  expect(pack).toMatchObject({ kind: 'guidance', version: 4, content: changed });
  expect(manifest).toMatchObject({ url: '/api/content/guidance/4', keyId: 'office' });

  const config = JSON.parse(await readFile('public/config.json', 'utf8')) as Record<string, unknown>;
  const pinned = await fileOf('pinned.json', { ...config, contentKeys: [row] });
  expect(await say('check-config', pinned)).toEqual([0, `${pinned}: well`, '']);
});

test('a key is never written over another', async () => {
  const key = await fileOf('precious.pem', 'the only copy');
  expect((await say('keygen', '--id', 'office', '--out', key))[0]).toBe(2);
  expect(await readFile(key, 'utf8')).toBe('the only copy');
});

test.each<[string, unknown, string]>([
  ['no JSON', '{', 'JSON'],
  ['a rule nobody knows', { rules: { 'R-9-9': { sentence: { 'zh-CN': 'x', en: 'x' } } } }, 'content.rules.R-9-9'],
  ['a fee that cannot be', { numbers: { replacementFeeFen: 0.5 } }, 'content.numbers.replacementFeeFen'],
  ['a member nobody reads', { number: {} }, 'content.number'],
])('content with %s is not signed, and told where', async (_what, content, where) => {
  const key = path.join(directory, 'refusing.pem');
  await rm(key, { force: true });
  await say('keygen', '--id', 'office', '--out', key);
  const file = await fileOf('wrong.json', content);
  const out = path.join(directory, 'nothing');
  const signing = ['--kind', 'guidance', '--version', '1', '--key', key, '--id', 'office', '--out', out];
  const [status, , errors] = await say('sign-content', file, ...signing);
  expect(status).toBe(1);
  expect(errors).toContain(where);
  await expect(stat(out)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a file that is no private key is told', async () => {
  const file = await fileOf('changed.json', changed);
  const key = await fileOf('no.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  const args = ['--kind', 'guidance', '--version', '1', '--key', key, '--id', 'a', '--out', directory];
  expect(await say('sign-content', file, ...args)).toMatchObject([1, '', expect.stringContaining('no.pem')]);
});

test.each<[string, Record<string, unknown>, string]>([
  ['a path to another host', { api: '//evil.example' }, 'api: must be a path on this origin'],
  [
    'a hot-line that is no number',
    { hotlines: [{ number: 'call us' }] },
    'hotlines.0.number: must be a telephone number',
  ],
  ['a map nobody knows', { maps: ['moon'] }, 'maps.0:'],
  ['an anchor that is no certificate', { anchors: ['MAA='] }, 'anchors.0: must be the DER of a certificate'],
  [
    'a key of another algorithm',
    { contentKeys: [{ keyId: 'a', algorithm: 'sm2', publicKey: 'MAA=' }] },
    'contentKeys.0.publicKey: must be a DER key of sm2',
  ],
  ['a misspelt member', { contentkeys: [] }, 'contentkeys: is not read; is it misspelt?'],
  ['an http link', { icp: { record: '津ICP备1号', link: 'http://a.example' } }, 'icp.link: must be an https address'],
])('a configuration with %s is told with its path and the reason', async (_what, change, expected) => {
  const config = JSON.parse(await readFile('public/config.json', 'utf8')) as Record<string, unknown>;
  const file = await fileOf('config.json', { ...config, ...change });
  const [status, , errors] = await say('check-config', file);
  expect(status).toBe(1);
  expect(errors).toContain(`${file}: ${expected}`);
});

test('the configuration that ships is well', async () => {
  expect((await say('check-config', 'public/config.json'))[0]).toBe(0);
});
