import { weierstrass } from '@noble/curves/abstract/weierstrass.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sm2Curve } from '../../../src/pki/sm2-curve.ts';
import {
  combine,
  combineCarried,
  elementOf,
  isZero,
  multiply,
  newElement,
  type FieldElement,
} from '../../../src/pki/sm2-field.ts';
import { fromHex, toHex } from '../../../src/pki/bytes.ts';
import { sm2VerifyDigest } from '../../../src/pki/sm2.ts';
import { hasX, pointOf, sumOfMultiples, type CurvePoint } from '../../../src/pki/sm2-points.ts';

const { p, n } = sm2Curve;
const r = 1n << 264n;
const modulo = (value: bigint): bigint => ((value % p) + p) % p;
/** What the digits of an element say, by the definition alone. */
const digitsValue = (element: FieldElement): bigint =>
  element.reduce((sum, digit, index) => sum + (BigInt(digit) << BigInt(24 * index)), 0n);

/** Numbers near the borders as often as others. */
const below = (limit: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: 0n, max: limit - 1n }),
    fc.bigInt({ min: 0n, max: 20n }),
    fc.bigInt({ min: limit - 20n, max: limit - 1n }),
    fc.nat({ max: 255 }).map((bit) => (1n << BigInt(bit)) % limit),
  );

describe('the field of the SM2 curve', () => {
  /** Digits as large as the bound allows: 2^23 in every place but the last, which has what p leaves. */
  const element = (factor: number): fc.Arbitrary<FieldElement> =>
    fc
      .array(
        fc.oneof(
          fc.integer({ min: -factor * 2 ** 23, max: factor * 2 ** 23 }),
          fc.constantFrom(factor * 2 ** 23, -factor * 2 ** 23, 0, 1, -1),
        ),
        { minLength: 10, maxLength: 10 },
      )
      .chain((digits) =>
        fc
          .integer({ min: -factor * 2 ** 16, max: factor * 2 ** 16 })
          .map((last): FieldElement => Float64Array.of(...digits, last)),
      );

  it.each([
    [1, 1],
    [3, 3],
    [2, 5],
    [1, 8],
  ])('multiplies exactly with digits %i and %i times as large as its own', (k, l) => {
    fc.assert(
      fc.property(element(k), element(l), (a, b) => {
        const product = newElement();
        multiply(product, a, b);
        expect(modulo(digitsValue(product) * r)).toBe(modulo(digitsValue(a) * digitsValue(b)));
        for (const digit of product.subarray(0, 10)) expect(Math.abs(digit)).toBeLessThanOrEqual(2 ** 23);
        expect(Math.abs(Number(digitsValue(product)))).toBeLessThan(0.8 * Number(p));
      }),
      { numRuns: 500 },
    );
  });

  it('multiplies into one of its factors', () => {
    fc.assert(
      fc.property(below(p), below(p), (a, b) => {
        const [left, right] = [elementOf(a), elementOf(b)];
        multiply(left, left, right);
        multiply(right, right, elementOf(a));
        combine(left, 1, left, -1, right);
        expect(isZero(left)).toBe(true);
      }),
    );
  });

  it('adds with and without carrying', () => {
    fc.assert(
      fc.property(element(3), element(3), fc.integer({ min: -8, max: 8 }), (a, b, factor) => {
        const expected = modulo(3n * digitsValue(a) + BigInt(factor) * digitsValue(b));
        const [plain, carried] = [newElement(), newElement()];
        combine(plain, 3, a, factor, b);
        combineCarried(carried, 3, a, factor, b);
        expect(modulo(digitsValue(plain))).toBe(expected);
        expect(modulo(digitsValue(carried))).toBe(expected);
        for (const digit of carried.subarray(0, 10)) expect(Math.abs(digit)).toBeLessThanOrEqual(2 ** 23 + 64);
      }),
    );
  });

  it('knows zero in all its forms and nothing else', () => {
    fc.assert(
      fc.property(below(p), fc.integer({ min: -2, max: 2 }), (value, times) => {
        const same = elementOf(value);
        // elementOf may stand for its value less p; here p comes in digit by digit.
        const multiple = newElement();
        for (let i = 0; i < 11; i++) multiple[i] = Number((p >> BigInt(24 * i)) & 0xffffffn) * times;
        const difference = newElement();
        combine(difference, 1, same, -1, elementOf(value));
        combine(difference, 1, difference, 1, multiple);
        expect(isZero(difference)).toBe(true);
        combine(difference, 1, difference, 1, elementOf(1n));
        expect(isZero(difference)).toBe(false);
      }),
    );
  });
});

describe('points of the SM2 curve', () => {
  const Point = weierstrass(sm2Curve);
  const ours = (multiple: bigint): CurvePoint => {
    const { x, y } = Point.BASE.multiplyUnsafe(multiple).toAffine();
    const point = pointOf(x, y);
    if (!point) throw new RangeError('not on the curve');
    return point;
  };

  it('takes the points of the curve and no others', () => {
    fc.assert(
      fc.property(
        below(n).filter((multiple) => multiple > 0n),
        fc.bigInt({ min: 1n, max: p - 1n }),
        (multiple, wrong) => {
          const { x, y } = Point.BASE.multiplyUnsafe(multiple).toAffine();
          expect(pointOf(x, y)).toBeDefined();
          expect(pointOf(x, modulo(-y))).toBeDefined();
          expect(pointOf(x, modulo(y + wrong)) === undefined).toBe(modulo(y + wrong) !== modulo(-y));
          expect(pointOf(x + p, y)).toBeUndefined();
          expect(pointOf(x, y + p)).toBeUndefined();
        },
      ),
      { numRuns: 30 },
    );
    expect(pointOf(0n, 0n)).toBeUndefined();
  });

  // Keys that are small multiples of the base point, or their opposites, meet equal and opposite points on the way.
  it.each([1n, 2n, 3n, 5n, 127n, 129n, n - 1n, n - 2n, n - 3n, n >> 1n])(
    'adds multiples of the base point and of its multiple %s as another implementation does',
    (multiple) => {
      const point = ours(multiple);
      fc.assert(
        fc.property(below(n), below(n), (s, t) => {
          const expected = Point.BASE.mulAddUnsafe(s, Point.BASE.multiplyUnsafe(multiple), t);
          const sum = sumOfMultiples(s, t, point);
          expect(sum === undefined).toBe(expected.is0());
          if (!sum) return;
          const { x } = expected.toAffine();
          expect(hasX(sum, x)).toBe(true);
          expect(hasX(sum, (x + 1n) % p)).toBe(false);
        }),
        { numRuns: 15 },
      );
    },
  );

  it.each([
    [0n, 0n, 5n],
    [n - 5n, 1n, 5n],
    [5n, n - 1n, 5n],
    [1n, 1n, n - 1n],
  ])('comes to infinity with %s·G and %s times %s·G', (s, t, multiple) => {
    expect(sumOfMultiples(s, t, ours(multiple))).toBeUndefined();
  });

  it('adds multiples of any key as another implementation does', () => {
    fc.assert(
      fc.property(below(n), below(n), fc.bigInt({ min: 1n, max: n - 1n }), (s, t, multiple) => {
        const sum = sumOfMultiples(s, t, ours(multiple));
        const expected = Point.BASE.multiplyUnsafe((s + t * multiple) % n);
        expect(sum ? hasX(sum, expected.toAffine().x) : expected.is0()).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a signature whose point has an x that is no scalar', () => {
  const Point = weierstrass(sm2Curve);
  const { Fn } = Point;
  const bytes32 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
  /** The first point of the curve with an x from `from` on. */
  const pointFrom = (from: bigint): typeof Point.BASE => {
    for (let x = from; x < from + 50n; x++) {
      try {
        return Point.fromBytes(fromHex(`02${toHex(bytes32(x))}`));
      } catch {
        // No point has this x.
      }
    }
    throw new RangeError('no point found');
  };

  // No private key is needed to make one: the public key follows from the point, s and t.
  it.each([
    ['at n and above', pointFrom(n)],
    ['near p', pointFrom(p - 60n)],
    ['near zero', pointFrom(1n)],
    ['just below n', pointFrom(n - 60n)],
  ])('is good with its x %s', (_where, point) => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: n - 1n }), fc.bigInt({ min: 1n, max: n - 1n }), (s, t) => {
        fc.pre(s !== t);
        const key = point.subtract(Point.BASE.multiply(s)).multiply(Fn.inv(t));
        const r = Fn.create(t - s);
        const signature = fromHex(toHex(bytes32(r)) + toHex(bytes32(s)));
        const e = Fn.create(r - point.toAffine().x);
        expect(sm2VerifyDigest(bytes32(e), signature, key.toBytes(false))).toBe(true);
        expect(sm2VerifyDigest(bytes32(Fn.create(e + 1n)), signature, key.toBytes(false))).toBe(false);
      }),
      { numRuns: 10 },
    );
  });
});
