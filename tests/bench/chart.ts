import { linearScale, logScale, type Scale } from './chart-scale.ts';

/*
 * Charts as SVG, drawn by hand. Curves have a logarithmic axis either way: a straight line is a power of what grows.
 */

export interface Curves {
  readonly title: string;
  /** What grows, with its unit. */
  readonly across: string;
  /** What is measured, with its unit. */
  readonly up: string;
  readonly curves: readonly { readonly name: string; readonly points: readonly (readonly [x: number, y: number])[] }[];
}

export interface Bars {
  readonly title: string;
  /** What is measured, with its unit. */
  readonly along: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
  /** A line across all bars, e.g. what none should exceed. */
  readonly line: { readonly name: string; readonly value: number };
}

/** Where everything is, in the units of the view box; y goes down the page. */
export const curvesFrame = { width: 760, height: 460, left: 80, right: 550, top: 50, bottom: 390 } as const;
export const barsFrame = { width: 760, left: 330, right: 690, top: 50, row: 22, bar: 14, below: 70 } as const;

/** Told apart in print and by eyes that see fewer colours, with the dashes (Okabe and Ito). */
const strokes = [
  { colour: '#0072b2', dashes: 'none' },
  { colour: '#d55e00', dashes: '7 4' },
  { colour: '#009e73', dashes: '2 3' },
  { colour: '#cc79a7', dashes: '9 3 2 3' },
] as const;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const rounded = (value: number): string => String(Number(value.toFixed(2)));

type Attributes = Readonly<Record<string, string | number>>;
function element(name: string, attributes: Attributes, content?: string): string {
  const said = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escaped(typeof value === 'number' ? rounded(value) : value)}"`)
    .join('');
  return content === undefined ? `<${name}${said}/>` : `<${name}${said}>${content}</${name}>`;
}
const text = (content: string, attributes: Attributes): string => element('text', attributes, escaped(content));
const line = (x1: number, y1: number, x2: number, y2: number, attributes: Attributes): string =>
  element('line', { x1, y1, x2, y2, ...attributes });

const grid = { stroke: '#d0d0d0', 'stroke-width': 1 } as const;
/** Readable on whatever is below it. */
const figure = { 'font-size': 11, 'paint-order': 'stroke', stroke: '#ffffff', 'stroke-width': 3 } as const;
const axis = { stroke: '#333333', 'stroke-width': 1 } as const;

/** `0.01`, `1`, `30,000`: without an exponent as far as people read one. */
export const numeral = (value: number): string =>
  value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9)
    ? value.toExponential(0)
    : value.toLocaleString('en-US', { maximumSignificantDigits: 3 });

function picture(width: number, height: number, title: string, parts: readonly string[]): string {
  const attributes = {
    ...{ xmlns: 'http://www.w3.org/2000/svg', viewBox: `0 0 ${width} ${height}`, width, height },
    ...{ role: 'img', 'font-family': 'sans-serif', 'font-size': 13, fill: '#222222' },
  };
  const heading = text(title, { x: 16, y: 28, 'font-size': 17, 'font-weight': 'bold' });
  const paper = element('rect', { width, height, fill: '#ffffff' });
  const content = [element('title', {}, escaped(title)), paper, heading, ...parts];
  return `${element('svg', attributes, `\n${content.join('\n')}\n`)}\n`;
}

/** @throws RangeError where there is nothing to draw, or a value that is not above zero */
export function drawCurves({ title, across, up, curves }: Curves): string {
  const { width, height, left, right, top, bottom } = curvesFrame;
  const points = curves.flatMap((curve) => curve.points);
  const xs = logScale(
    points.map(([x]) => x),
    left,
    right,
  );
  const ys = logScale(
    points.map(([, y]) => y),
    bottom,
    top,
  );
  const verticals = xs.ticks.flatMap((tick) => [
    line(xs.place(tick), top, xs.place(tick), bottom, grid),
    text(numeral(tick), { x: xs.place(tick), y: bottom + 20, 'text-anchor': 'middle' }),
  ]);
  const horizontals = ys.ticks.flatMap((tick) => [
    line(left, ys.place(tick), right, ys.place(tick), grid),
    text(numeral(tick), { x: left - 8, y: ys.place(tick) + 4, 'text-anchor': 'end' }),
  ]);
  const middle = (top + bottom) / 2;
  return picture(width, height, title, [
    ...verticals,
    ...horizontals,
    line(left, bottom, right, bottom, axis),
    line(left, top, left, bottom, axis),
    text(across, { x: (left + right) / 2, y: bottom + 46, 'text-anchor': 'middle' }),
    text(up, { x: 22, y: middle, 'text-anchor': 'middle', transform: `rotate(-90 22 ${middle})` }),
    ...curves.flatMap((curve, index) => drawCurve(curve, index, xs, ys)),
  ]);
}

function drawCurve({ name, points }: Curves['curves'][number], index: number, xs: Scale, ys: Scale): string[] {
  const { right, top } = curvesFrame;
  const { colour, dashes } = strokes[index % strokes.length] ?? strokes[0];
  const sorted = [...points].sort(([a], [b]) => a - b);
  const stroke = { stroke: colour, 'stroke-width': 2, 'stroke-dasharray': dashes, fill: 'none' };
  const key = top + 10 + index * 22;
  return [
    element('polyline', {
      points: sorted.map(([x, y]) => `${rounded(xs.place(x))},${rounded(ys.place(y))}`).join(' '),
      ...stroke,
    }),
    ...sorted.flatMap(([x, y]) => [
      element('circle', { cx: xs.place(x), cy: ys.place(y), r: 4, fill: colour }),
      // Beside what rises to the right.
      text(numeral(y), { x: xs.place(x) + 8, y: ys.place(y) + 13, ...figure }),
    ]),
    line(right + 16, key, right + 42, key, stroke),
    text(name, { x: right + 50, y: key + 4 }),
  ];
}

/** Bars that begin at zero, each with its value at its end. @throws RangeError where there is nothing to draw */
export function drawBars({ title, along, bars, line: limit }: Bars): string {
  const { width, left, right, top, row, bar, below } = barsFrame;
  if (bars.length === 0) throw new RangeError('no bars');
  const bottom = top + bars.length * row;
  const xs = linearScale([limit.value, ...bars.map(({ value }) => value)], left, right);
  return picture(width, bottom + below, title, [
    ...xs.ticks.flatMap((tick) => [
      line(xs.place(tick), top, xs.place(tick), bottom, grid),
      text(numeral(tick), { x: xs.place(tick), y: bottom + 20, 'text-anchor': 'middle' }),
    ]),
    ...bars.flatMap(({ name, value }, index) => {
      const y = top + index * row + (row - bar) / 2;
      return [
        text(name, { x: left - 8, y: y + bar - 3, 'text-anchor': 'end', 'font-size': 12 }),
        element('rect', { x: left, y, width: xs.place(value) - left, height: bar, fill: strokes[0].colour }),
      ];
    }),
    line(left, top, left, bottom, axis),
    line(left, bottom, right, bottom, axis),
    line(xs.place(limit.value), top - 6, xs.place(limit.value), bottom, {
      ...{ stroke: strokes[1].colour, 'stroke-width': 2, 'stroke-dasharray': '5 3' },
    }),
    ...bars.map((one, index) => {
      const y = top + index * row + (row + bar) / 2 - 3;
      return text(numeral(one.value), { x: xs.place(one.value) + 5, y, ...figure });
    }),
    text(limit.name, { x: xs.place(limit.value), y: top - 10, 'text-anchor': 'middle', fill: strokes[1].colour }),
    text(along, { x: (left + right) / 2, y: bottom + 46, 'text-anchor': 'middle' }),
  ]);
}
