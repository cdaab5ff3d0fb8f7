/*
 * How much the project's own layers cost: `npx tsx tests/bench/main.ts [--json FILE] [MEASURE…]`. Every measure compares
 * our way with the barest one that does the same work, in one run.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Measure, Row } from './measure.ts';
import { transmitCanokey } from './transmit-canokey.ts';
import { transmitCcid } from './transmit-ccid.ts';
import { transmitLongmai } from './transmit-longmai.ts';

const measures: readonly Measure[] = [transmitCcid, transmitCanokey, transmitLongmai];

const { values, positionals } = parseArgs({ options: { json: { type: 'string' } }, allowPositionals: true });
const unknown = positionals.filter((name) => !measures.some((measure) => measure.name === name));
if (unknown.length > 0) {
  console.error(`no measure ${unknown.join(', ')}; there are ${measures.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const results: { readonly measure: string; readonly rows: readonly Row[] }[] = [];
for (const { name, title, run } of measures) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const rows = await run();
  results.push({ measure: name, rows });
  console.log(`\n${name}: ${title}`);
  console.table(
    Object.fromEntries(
      rows.map((row) => [
        row.name,
        {
          'ours, µs': row.ours.toFixed(2),
          'bare, µs': row.bare.toFixed(2),
          ratio: row.ratio.toFixed(3),
          goal: row.goal === undefined ? '' : `${row.goal.toFixed(2)} ${row.ratio <= row.goal ? 'met' : 'MISSED'}`,
        },
      ]),
    ),
  );
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, results }, undefined, 2)}\n`);
}
if (results.some(({ rows }) => rows.some(({ ratio, goal }) => goal !== undefined && ratio > goal)))
  process.exitCode = 1;
