import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filesBelow } from '../deploy/sealed-build.ts';

const repository = path.resolve(import.meta.dirname, '../..');
/** All that a build reads. */
const sources = [
  'src',
  'public',
  'tests/deploy',
  'tests/tools',
  'index.html',
  'vite.config.ts',
  'package.json',
  'tsconfig.json',
];

/** Builds the site from a copy of the sources in this folder. @returns where the site is */
async function buildIn(directory: string): Promise<string> {
  for (const source of sources)
    await cp(path.join(repository, source), path.join(directory, source), { recursive: true });
  await symlink(path.join(repository, 'node_modules'), path.join(directory, 'node_modules'), 'junction');
  const vite = path.join(repository, 'node_modules/vite/bin/vite.js');
  const environment = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_ENV|TEST|DEV|PROD|MODE)/u.test(name),
  );
  const child = spawn(process.execPath, [vite, 'build', '--logLevel', 'warn'], {
    cwd: directory,
    env: Object.fromEntries(environment),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`the build ended with ${String(code)}`);
  return path.join(directory, 'dist');
}

describe('the build', () => {
  let parent: string;
  let sites: readonly [string, string];
  beforeAll(async () => {
    parent = await mkdtemp(path.join(tmpdir(), 'reproducible-'));
    sites = [await buildIn(path.join(parent, 'one')), await buildIn(path.join(parent, '另一个 folder'))];
  }, 600_000);
  afterAll(() => rm(parent, { recursive: true, force: true }));

  it('gives the same bytes in two folders', async () => {
    const [one, other] = sites;
    const names = await filesBelow(one);
    expect(names.length).toBeGreaterThan(50);
    expect(await filesBelow(other)).toEqual(names);
    for (const name of names)
      expect((await readFile(path.join(one, name))).equals(await readFile(path.join(other, name))), name).toBe(true);
  });

  it('names in SHA256SUMS every file but itself and the operator’s, and sha256sum agrees', async () => {
    const [site] = sites;
    const { stdout } = await promisify(execFile)('sha256sum', ['--check', 'SHA256SUMS'], { cwd: site });
    const checked = stdout
      .trim()
      .split('\n')
      .map((line) => line.replace(/: OK$/u, ''));
    const expected = (await filesBelow(site)).filter((name) => name !== 'SHA256SUMS' && name !== 'config.json');
    expect([...checked].sort()).toEqual(expected);
  });

  it('gives every script and style sheet that the page names the hash of its file', async () => {
    const [site] = sites;
    const page = await readFile(path.join(site, 'index.html'), 'utf8');
    const tags = page.match(/<(?:script|link)[^>]*assets\/[^>]*>/gu) ?? [];
    expect(tags.length).toBeGreaterThan(2);
    for (const tag of tags) {
      const [, name = ''] = /(?:src|href)="\/([^"]+)"/u.exec(tag) ?? [];
      const hash = createHash('sha384').update(await readFile(path.join(site, name)));
      expect(tag).toContain(` integrity="sha384-${hash.digest('base64')}"`);
    }
  });

  it('says nothing of the folder it was built in', async () => {
    const [site] = sites;
    for (const name of await filesBelow(site))
      expect((await readFile(path.join(site, name))).includes('reproducible-'), name).toBe(false);
  });
});
