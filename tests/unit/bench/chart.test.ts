import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barsFrame, curvesFrame, drawBars, drawCurves, numeral } from '../../bench/chart.ts';
import { linearScale, logScale } from '../../bench/chart-scale.ts';
import { growthPictures } from '../../bench/growth.ts';

const above = fc.double({ min: 1e-6, max: 1e9, noNaN: true });
const values = fc.array(above, { minLength: 1, maxLength: 8 });

/** Every occurrence of an attribute, as numbers. */
const numbersOf = (svg: string, attribute: string): readonly number[] =>
  Array.from(svg.matchAll(new RegExp(` ${attribute}="(-?[\\d.]+)"`, 'gu')), ([, value]) => Number(value));
const elementsOf = (svg: string, name: string): readonly string[] =>
  svg.match(new RegExp(`<${name} [^>]*>`, 'gu')) ?? [];

/** Names of elements that are open at the end; what closes another one than the last throws. */
function openAtEnd(svg: string): readonly string[] {
  const open: string[] = [];
  for (const [tag, closing, name] of svg.matchAll(/<(\/?)([a-z]+)[^>]*>/gu)) {
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`${tag} closes another element`);
    } else if (!tag.endsWith('/>')) open.push(name ?? '');
  }
  return open;
}

describe.each([
  ['logarithmic', logScale],
  ['linear', linearScale],
] as const)('a %s axis', (_name, scale) => {
  it('keeps values in their order and within its marks', () => {
    fc.assert(
      fc.property(values, (list) => {
        const { place, ticks } = scale(list, 80, 560);
        const sorted = [...list].sort((a, b) => a - b);
        const places = sorted.map(place);

        expect(places).toEqual([...places].sort((a, b) => a - b));
        expect(place(ticks[0] ?? NaN)).toBeCloseTo(80, 6);
        expect(place(ticks.at(-1) ?? NaN)).toBeCloseTo(560, 6);
        for (const at of places) {
          expect(at).toBeGreaterThanOrEqual(80 - 1e-6);
          expect(at).toBeLessThanOrEqual(560 + 1e-6);
        }
      }),
    );
  });

  it('goes up the page where it ends above its beginning', () => {
    const { place } = scale([1, 1000], 390, 50);

    expect(place(1000)).toBeLessThan(place(1));
  });

  it('does not exist for what cannot be on it', () => {
    expect(() => scale([], 0, 1)).toThrow(RangeError);
    expect(() => scale([-1], 0, 1)).toThrow(RangeError);
    expect(() => scale([Number.NaN], 0, 1)).toThrow(RangeError);
  });
});

it.each([
  [
    [100, 3000, 30_000],
    [100, 1000, 10_000, 100_000],
  ],
  [[1000], [1000, 10_000]],
  [
    [0.02, 0.9],
    [0.01, 0.1, 1],
  ],
])('a logarithmic axis for %j is marked at the powers of ten around it', (list, ticks) => {
  const scale = logScale(list, 0, 300);

  expect(scale.ticks).toHaveLength(ticks.length);
  for (const [index, tick] of ticks.entries()) expect(scale.ticks[index]).toBeCloseTo(tick, 9);
});

it.each([
  [1.1, [0, 0.2, 0.4, 0.6, 0.8, 1, 1.2]],
  [8, [0, 1, 2, 3, 4, 5, 6, 7, 8]],
  [9, [0, 2, 4, 6, 8, 10]],
])('a linear axis for up to %d is marked in round steps', (most, ticks) => {
  expect(linearScale([most], 0, 100).ticks).toEqual(ticks);
});

it.each([
  [30_000, '30,000'],
  [0.01, '0.01'],
  [1.23456, '1.23'],
  [0, '0'],
  [1e-7, '1e-7'],
])('%d is written %s', (value, said) => {
  expect(numeral(value)).toBe(said);
});

describe('curves', () => {
  const { left, right, top, bottom, width, height } = curvesFrame;
  const svg = drawCurves({
    ...{ title: 'Growth <of> "all" & more', across: 'questions', up: 'median, ms' },
    curves: [
      {
        name: 'one query',
        points: [
          [10_000, 100],
          [100, 1],
          [1000, 10],
        ],
      },
      { name: 'index', points: [[100, 100]] },
    ],
  });

  it('go through the middle half-way along both powers of ten, from left to right', () => {
    const [first] = elementsOf(svg, 'polyline');

    expect(first).toContain(`points="${left},${bottom} ${(left + right) / 2},${(top + bottom) / 2} ${right},${top}"`);
  });

  it('have a mark for each value, in the plot, and each value in words', () => {
    const [xs, ys] = [numbersOf(svg, 'cx'), numbersOf(svg, 'cy')];

    expect(xs).toEqual([left, (left + right) / 2, right, left]);
    expect(ys).toEqual([bottom, (top + bottom) / 2, top, top]);
    expect(svg.match(/>10,000</gu)).toHaveLength(1);
  });

  it('name both axes with their units and every curve, within the picture', () => {
    for (const words of ['>questions<', '>median, ms<', '>one query<', '>index<']) expect(svg).toContain(words);
    for (const x of numbersOf(svg, 'x')) expect(x >= 0 && x < width).toBe(true);
    for (const y of numbersOf(svg, 'y')) expect(y > 0 && y < height).toBe(true);
  });

  it('are well-formed, whatever the words are', () => {
    expect(openAtEnd(svg)).toEqual([]);
    expect(svg).toContain('Growth &lt;of&gt; &quot;all&quot; &amp; more');
  });

  it('are told apart by more than their colour', () => {
    const dashes = elementsOf(svg, 'polyline').map((one) => /stroke-dasharray="([^"]*)"/u.exec(one)?.[1]);

    expect(new Set(dashes).size).toBe(2);
  });

  it('are not drawn of nothing', () => {
    expect(() => drawCurves({ title: '', across: '', up: '', curves: [] })).toThrow(RangeError);
  });
});

describe('bars', () => {
  const { left, right, top, row } = barsFrame;
  const svg = drawBars({
    ...{ title: 'Ratios', along: 'times', line: { name: 'goal 1.1', value: 1.1 } },
    bars: [
      { name: 'half', value: 0.5 },
      { name: 'one', value: 1 },
    ],
  });

  it('are as long as their values are to each other, from the axis on', () => {
    const bars = elementsOf(svg, 'rect').slice(1);
    const [half = 0, one = 0] = bars.flatMap((bar) => numbersOf(bar, 'width'));

    expect(one).toBeCloseTo(2 * half, 1);
    expect(one).toBeCloseTo((right - left) / 1.2, 1);
    expect(bars.flatMap((bar) => numbersOf(bar, 'x'))).toEqual([left, left]);
  });

  it('do not meet each other, and end above what is said below them', () => {
    const bars = elementsOf(svg, 'rect').slice(1);
    const [first = 0, second = 0] = bars.flatMap((bar) => numbersOf(bar, 'y'));
    const [height = 0] = bars.flatMap((bar) => numbersOf(bar, 'height'));

    expect(second - first).toBe(row);
    expect(height).toBeLessThan(row);
    expect(second + height).toBeLessThan(top + 2 * row);
  });

  it('have a line where it was said, and its name', () => {
    const at = left + (1.1 / 1.2) * (right - left);

    expect(svg).toContain(`x1="${at}" y1="${top - 6}" x2="${at}"`);
    expect(svg).toContain('>goal 1.1<');
    expect(openAtEnd(svg)).toEqual([]);
  });
});

describe('pictures of a run', () => {
  const row = (name: string, figures: Readonly<Record<string, number>>) =>
    ({ name, unit: 'ms', figures, goals: [] }) as const;
  const results = [
    {
      measure: 'faq',
      rows: [
        row('100 questions', { 'one query': 1, building: 10 }),
        row('30000 questions', { 'one query': 9, building: 99 }),
      ],
    },
    {
      measure: 'parse',
      rows: [row('sm2', { ours: 1, pkijs: 4 }), row('p256', { ours: 1, pkijs: 2, 'node:crypto': 0.5 })],
    },
    { measure: 'transmit-ccid', rows: [row('GenRandom', { ours: 11, bare: 10 })] },
  ];

  it('are of what was measured, and no others', () => {
    expect([...growthPictures(results).keys()]).toEqual(['faq-search.svg', 'parse-ratios.svg', 'exchange-ratios.svg']);
    expect(growthPictures([]).size).toBe(0);
  });

  it('show each ratio with whom it is to', () => {
    const pictures = growthPictures(results);

    expect(pictures.get('parse-ratios.svg')).toContain('>sm2 ÷ pkijs</text>');
    expect(pictures.get('parse-ratios.svg')).toContain('>0.25<');
    expect(pictures.get('parse-ratios.svg')).toContain('>p256 ÷ node:crypto</text>');
    expect(pictures.get('exchange-ratios.svg')).toContain('>ccid: GenRandom ÷ bare</text>');
    expect(elementsOf(pictures.get('faq-search.svg') ?? '', 'polyline')).toHaveLength(2);
  });
});
