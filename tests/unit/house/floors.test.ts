import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const source = path.resolve(import.meta.dirname, '../../../src');

/** Rooms from the ground up. A room imports only rooms on lower floors. */
const floors: readonly (readonly string[])[] = [
  ['apdu', 'pki', 'storage'],
  ['device', 'ca', 'service'],
  ['usbkey', 'guidance', 'appointments'],
  ['renewal'],
  ['diagnosis'],
  ['app'],
];
const floorOf = (room: string): number => floors.findIndex((rooms) => rooms.includes(room));

interface Import {
  readonly from: string;
  readonly to: string;
  /** A type leaves no trace at run time, so it cannot close a circle there. */
  readonly typeOnly: boolean;
  readonly lazy: boolean;
}

const files = readdirSync(source, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(ts|svelte)$/.test(entry.name))
  .map((entry) => path.relative(source, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'));

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(source, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statics = [...text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'";]*?(?:from\s*)?'(\.[^']+)'/gm)];
  const lazies = [...text.matchAll(/import\(\s*'(\.[^']+)'\s*\)/g)];
  const resolve = (to: string): string => path.posix.join(path.posix.dirname(file), to.replace(/\?.*$/, ''));
  return [
    ...statics.map((m) => ({ from: file, to: resolve(m[2] ?? ''), typeOnly: Boolean(m[1]), lazy: false })),
    ...lazies.map((m) => ({ from: file, to: resolve(m[1] ?? ''), typeOnly: false, lazy: true })),
  ];
}
const imports = files.flatMap(importsOf);
const roomOf = (file: string): string | undefined => (file.includes('/') ? file.split('/')[0] : undefined);

test('every folder under src is a room with a floor', () => {
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined));
  expect([...rooms].filter((room) => floorOf(room) < 0)).toEqual([]);
});

test('a room imports only rooms on lower floors', () => {
  const wrong = imports.filter(({ from, to }) => {
    const above = roomOf(from);
    const below = roomOf(to);
    if (above === undefined || below === undefined || above === below) return false;
    return floorOf(below) >= floorOf(above);
  });
  expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
});

test('no module imports itself through others', () => {
  const graph = new Map<string, string[]>();
  for (const { from, to, typeOnly, lazy } of imports)
    if (!typeOnly && !lazy) graph.set(from, [...(graph.get(from) ?? []), to]);
  const circles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) {
      circles.push([...trail.slice(start), file].join(' -> '));
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test('only the application knows Svelte', () => {
  const wrong = files.filter((file) => {
    const text = readFileSync(path.join(source, file), 'utf8');
    return roomOf(file) !== 'app' && roomOf(file) !== undefined && /from 'svelte|\$state\(/.test(text);
  });
  expect(wrong).toEqual([]);
});
