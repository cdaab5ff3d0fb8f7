import { sm2Curve } from './sm2-curve.ts';
import { combine, combineCarried, elementOf, isZero, multiply, newElement, type FieldElement } from './sm2-field.ts';

/*
 * Points of the SM2 curve for verifying signatures: nothing secret. Coordinates are Jacobian, x = X ÷ Z², y = Y ÷ Z³; the
 * formulas are dbl-2001-b and add-2007-bl's of the Explicit-Formulas Database for a = −3. All digits of a stored
 * coordinate are such as `multiply` or `combineCarried` leave them; how far sums grow is said where they are multiplied.
 */

/** A point other than the one at infinity. */
export interface CurvePoint {
  readonly x: FieldElement;
  readonly y: FieldElement;
  readonly z: FieldElement;
}

const one = elementOf(1n);
const b = elementOf(sm2Curve.b);
const base: CurvePoint = { x: elementOf(sm2Curve.Gx), y: elementOf(sm2Curve.Gy), z: one };

/** @returns undefined where no point of the curve has these coordinates */
export function pointOf(x: bigint, y: bigint): CurvePoint | undefined {
  if (x >= sm2Curve.p || y >= sm2Curve.p) return undefined;
  const point = { x: elementOf(x), y: elementOf(y), z: one };
  const [left, right] = [newElement(), newElement()];
  multiply(left, point.y, point.y);
  multiply(right, point.x, point.x);
  // (x² − 3)·x + b
  combine(right, 1, right, -3, one);
  multiply(right, right, point.x);
  combine(right, 1, right, 1, b);
  combine(right, 1, right, -1, left);
  return isZero(right) ? point : undefined;
}

/** Room for what is in between: everything here ends before anything else begins. */
const [t0, t1, t2, t3, t4, t5, t6] = [0, 1, 2, 3, 4, 5, 6].map(newElement) as [
  FieldElement,
  FieldElement,
  FieldElement,
  FieldElement,
  FieldElement,
  FieldElement,
  FieldElement,
];

/** A sum of points in the making. */
class Sum {
  readonly x = newElement();
  readonly y = newElement();
  readonly z = newElement();
  /** The point at infinity: the coordinates say nothing. */
  isInfinity = true;

  set(point: CurvePoint): void {
    this.x.set(point.x);
    this.y.set(point.y);
    this.z.set(point.z);
    this.isInfinity = false;
  }

  double(): void {
    // The order is odd: no point but infinity is its own opposite.
    if (this.isInfinity) return;
    const { x, y, z } = this;
    multiply(t0, z, z); // δ
    multiply(t1, y, y); // γ
    multiply(t2, x, t1); // β
    combine(t3, 1, x, -1, t0);
    combine(t4, 1, x, 1, t0);
    multiply(t3, t3, t4); // 2·2
    combineCarried(t3, 3, t3, 0, t3); // α
    combine(t4, 2, z, 0, z);
    multiply(z, t4, y); // 2·1
    multiply(t4, t3, t3);
    combineCarried(x, 1, t4, -8, t2);
    combine(t2, 4, t2, -1, x);
    multiply(t3, t3, t2); // 1·5
    multiply(t1, t1, t1);
    combineCarried(y, 1, t3, -8, t1);
  }

  /** @param sign 1, or −1 to subtract the point */
  add(point: CurvePoint, sign: 1 | -1): void {
    const { x, y, z } = this;
    if (this.isInfinity) {
      this.set(point);
      combine(y, sign, y, 0, y);
      return;
    }
    multiply(t0, z, z);
    multiply(t1, point.z, point.z);
    multiply(t2, x, t1); // U1
    multiply(t3, point.x, t0); // U2
    multiply(t1, t1, point.z);
    multiply(t1, t1, y); // S1
    multiply(t0, t0, z);
    multiply(t0, t0, point.y); // S2
    combine(t3, 1, t3, -1, t2); // H
    combine(t0, sign, t0, -1, t1); // r
    if (isZero(t3)) {
      if (isZero(t0)) this.double();
      else this.isInfinity = true;
      return;
    }
    multiply(z, z, point.z);
    multiply(z, z, t3); // 1·2
    multiply(t4, t3, t3); // 2·2
    multiply(t3, t4, t3); // H³, 1·2
    multiply(t4, t2, t4); // V
    multiply(t5, t0, t0); // 2·2
    combine(t5, 1, t5, -1, t3);
    combineCarried(x, 1, t5, -2, t4);
    combine(t4, 1, t4, -1, x);
    multiply(t4, t0, t4); // 2·2
    multiply(t6, t1, t3);
    combineCarried(y, 1, t4, -1, t6);
  }

  copy(): CurvePoint {
    return { x: this.x.slice(), y: this.y.slice(), z: this.z.slice() };
  }
}

/** P, 3P, 5P, …: what a window of `width` bits can take away at once. */
function oddMultiples(point: CurvePoint, width: number): readonly CurvePoint[] {
  const sum = new Sum();
  sum.set(point);
  sum.double();
  const twice = sum.copy();
  sum.set(point);
  const multiples = [point];
  while (multiples.length < 1 << (width - 2)) {
    sum.add(twice, 1);
    multiples.push(sum.copy());
  }
  return multiples;
}

const scalarBits = 256;

/** Digits d_i, zero or odd and |d_i| < 2^(width − 1), with Σ d_i·2^i = scalar; at most one of `width` neighbours is not 0. */
function signedDigits(scalar: bigint, width: number): Int16Array {
  const bits = Array.from(scalar.toString(2), Number).reverse();
  const digits = new Int16Array(scalarBits + 1);
  let carry = 0;
  for (let at = 0; at <= scalarBits;) {
    if ((bits[at] ?? 0) === carry) {
      at++;
      continue;
    }
    let window = carry;
    for (let i = 0; i < width; i++) window += (bits[at + i] ?? 0) << i;
    carry = window >> (width - 1);
    digits[at] = window - (carry << width);
    at += width;
  }
  return digits;
}

const baseWidth = 8;
const keyWidth = 5;
let baseMultiples: readonly CurvePoint[] | undefined;

/** Adds digit·P. */
function addDigit(sum: Sum, multiples: readonly CurvePoint[], digit: number): void {
  const multiple = multiples[Math.abs(digit) >> 1];
  if (digit !== 0 && multiple) sum.add(multiple, digit > 0 ? 1 : -1);
}

/**
 * s·G + t·P.
 * @param s 0 … n − 1
 * @param t 0 … n − 1
 * @returns undefined for the point at infinity
 */
export function sumOfMultiples(s: bigint, t: bigint, point: CurvePoint): CurvePoint | undefined {
  baseMultiples ??= oddMultiples(base, baseWidth);
  const multiples = oddMultiples(point, keyWidth);
  const [baseDigits, digits] = [signedDigits(s, baseWidth), signedDigits(t, keyWidth)];
  const sum = new Sum();
  for (let i = scalarBits; i >= 0; i--) {
    sum.double();
    addDigit(sum, baseMultiples, baseDigits[i] ?? 0);
    addDigit(sum, multiples, digits[i] ?? 0);
  }
  return sum.isInfinity ? undefined : sum.copy();
}

/** Whether the point's x is this number, 0 … p − 1. No division is needed to tell. */
export function hasX(point: CurvePoint, x: bigint): boolean {
  multiply(t0, point.z, point.z);
  multiply(t0, t0, elementOf(x));
  combine(t0, 1, t0, -1, point.x);
  return isZero(t0);
}
