import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
