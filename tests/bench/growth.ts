import { drawBars, drawCurves } from './chart.ts';
import type { Row } from './measure.ts';

/** What a measure of this folder came to. */
export interface MeasureResult {
  readonly measure: string;
  readonly rows: readonly Row[];
}

interface Growth {
  readonly measure: string;
  readonly file: string;
  readonly title: string;
  readonly across: string;
}

/** Measures whose rows begin with how much there was. */
const growths: readonly Growth[] = [
  { measure: 'faq', file: 'faq-search.svg', title: 'Finding an answer among so many questions', across: 'questions' },
  {
    ...{ measure: 'centres', file: 'centres-load.svg', across: 'service centres' },
    title: 'A list of service centres out of IndexedDB in Chromium',
  },
];

/** Names with the unit of their row's figures. */
function curvesOf(rows: readonly Row[]): { name: string; points: (readonly [number, number])[] }[] {
  const curves = new Map<string, (readonly [number, number])[]>();
  for (const { name, figures } of rows) {
    const count = Number.parseInt(name, 10);
    for (const [what, value] of Object.entries(figures)) {
      curves.set(what, [...(curves.get(what) ?? []), [count, value]]);
    }
  }
  return Array.from(curves, ([name, points]) => ({ name, points }));
}

/** How many times as long as somebody else ours takes, row by row. */
const ratios = (rows: readonly Row[], against: string): { name: string; value: number }[] =>
  rows.flatMap(({ name, figures }) => {
    const [ours, other] = [figures['ours'], figures[against]];
    return ours === undefined || other === undefined ? [] : [{ name: `${name} ÷ ${against}`, value: ours / other }];
  });

/**
 * Pictures of what was measured: how search and loading grow, and how our reading of certificates and our exchanges
 * compare. Of what was not measured there is none.
 * @returns SVG by file name
 */
export function growthPictures(results: readonly MeasureResult[]): ReadonlyMap<string, string> {
  const pictures = new Map<string, string>();
  const rowsOf = (measure: string): readonly Row[] => results.find((one) => one.measure === measure)?.rows ?? [];
  for (const { measure, file, title, across } of growths) {
    const rows = rowsOf(measure);
    const [first] = rows;
    if (first) pictures.set(file, drawCurves({ title, across, up: `median, ${first.unit}`, curves: curvesOf(rows) }));
  }
  const parse = ['pkijs', 'node:crypto'].flatMap((other) => ratios(rowsOf('parse'), other));
  if (parse.length > 0) {
    const along = 'median time of ours ÷ of the other, times';
    const line = { name: 'as fast as the other', value: 1 };
    pictures.set('parse-ratios.svg', drawBars({ title: 'Reading a certificate', along, bars: parse, line }));
  }
  const exchange = ['ccid', 'canokey', 'longmai'].flatMap((framing) =>
    ratios(rowsOf(`transmit-${framing}`), 'bare').map(({ name, value }) => ({ name: `${framing}: ${name}`, value })),
  );
  if (exchange.length > 0) {
    const along = 'median time of ours ÷ of the bare wire, times';
    const line = { name: 'goal of CCID and CanoKey: 1.1', value: 1.1 };
    pictures.set('exchange-ratios.svg', drawBars({ title: 'An exchange with a key', along, bars: exchange, line }));
  }
  return pictures;
}
