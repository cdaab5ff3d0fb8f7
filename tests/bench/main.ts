/*
 * What the project's code costs beside others that do the same, and what a person waits for:
 * `npx tsx tests/bench/main.ts [--json FILE] [--out FOLDER] [MEASURE…]`. All in one run; ratios say more than times. In
 * the folder: the figures as bench.json, and pictures of how they grow.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleSizes } from './bundle-sizes.ts';
import { centresLoad } from './centres-load.ts';
import { certificateParse } from './certificate-parse.ts';
import { deadline } from './deadline-day.ts';
import { faqSearch } from './faq-search.ts';
import { growthPictures, type MeasureResult } from './growth.ts';
import { largeContent } from './large-content.ts';
import type { Goal, Measure, Row } from './measure.ts';
import { plugIn } from './plug-in.ts';
import { renewal } from './renewal.ts';
import { siteStart } from './site-start.ts';
import { smAlgorithms } from './sm-algorithms.ts';
import { systemCheck } from './system-check.ts';
import { transmitCanokey } from './transmit-canokey.ts';
import { transmitCcid } from './transmit-ccid.ts';
import { transmitLongmai } from './transmit-longmai.ts';

const measures: readonly Measure[] = [
  transmitCcid,
  transmitCanokey,
  transmitLongmai,
  smAlgorithms,
  certificateParse,
  plugIn,
  renewal,
  systemCheck,
  deadline,
  faqSearch,
  largeContent,
  bundleSizes,
  siteStart,
  centresLoad,
];

const digits = (value: number): string => (Number.isInteger(value) ? String(value) : value.toPrecision(4));
const said = ({ what, value, atMost }: Goal): string =>
  `${what} ${digits(value)}, goal ${atMost}: ${value <= atMost ? 'met' : 'MISSED'}`;
function lines({ name, unit, figures, goals }: Row): string {
  const shown = Object.entries(figures).map(([who, value]) => `${who} ${digits(value)}`);
  return [`  ${name}, ${unit}: ${shown.join('  ')}`, ...goals.map((goal) => `    ${said(goal)}`)].join('\n');
}

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' }, out: { type: 'string' } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !measures.some((measure) => measure.name === name));
if (unknown.length > 0) {
  console.error(`no measure ${unknown.join(', ')}; there are ${measures.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const results: MeasureResult[] = [];
for (const { name, title, run } of measures) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${name}: ${title}`);
  const rows = await run();
  results.push({ measure: name, rows });
  for (const row of rows) console.log(lines(row));
}
const machine = { node: process.version, processor: cpus()[0]?.model, processors: cpus().length };
const json = `${JSON.stringify({ ...machine, results }, undefined, 2)}\n`;
if (values.json !== undefined) writeFileSync(values.json, json);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(path.join(values.out, 'bench.json'), json);
  for (const [file, svg] of growthPictures(results)) writeFileSync(path.join(values.out, file), svg);
}
const missed = results.flatMap(({ rows }) => rows.flatMap(({ goals }) => goals)).filter((g) => !(g.value <= g.atMost));
if (missed.length > 0) process.exitCode = 1;
