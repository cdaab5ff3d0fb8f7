import { sm2Curve } from './sm2-curve.ts';

/*
 * Arithmetic modulo p of the SM2 curve, for what is public: keys and signatures that are checked. Several times as fast as
 * with big integers, for which every product is a new object. Nothing here was made to keep secrets.
 *
 * A value is eleven signed digits of 24 bits, least significant first, in doubles, and stands for Σ digit·2^(24·i) ÷ R modulo
 * p, where R = 2^264 (Montgomery's form). A double is exact up to 2^53: eleven products of digits that `multiply` gave stay
 * below 2^49.5, and there is room for a few sums in between without carrying.
 */

/** A residue modulo p, not unique: compare with `isZero` of a difference. */
export type FieldElement = Float64Array<ArrayBuffer>;

const digitCount = 11;
const digitBits = 24;

/** Doubles around this one are multiples of 2^24. */
const magic = 1.5 * 2 ** (52 + digitBits);
const perDigit = 2 ** -digitBits;

/** The multiple of 2^24 that is nearest to `value`, for |value| < 2^75. */
const upper = (value: number): number => value + magic - magic;

export const newElement = (): FieldElement => new Float64Array(digitCount);

/** The digits of a number below 2^264, not in Montgomery's form. */
function digitsOf(value: bigint): FieldElement {
  const digits = newElement();
  let rest = value;
  for (let i = 0; i < digitCount; i++, rest >>= 24n) digits[i] = Number(rest & 0xffffffn);
  return digits;
}

/** R² modulo p: takes digits into Montgomery's form. */
const squareOfR = digitsOf((1n << BigInt(2 * digitBits * digitCount)) % sm2Curve.p);
/** The number 1, which takes a value out of Montgomery's form. */
const plainOne = digitsOf(1n);

/**
 * The product modulo p. `out` may be one of the factors.
 *
 * With every digit of `a` within k·2^23 and every digit of `b` within l·2^23, k·l must be at most 11, and both at most 8 p;
 * the product's digits are within 2^23 and it within 0.8 p.
 */
export function multiply(out: FieldElement, a: FieldElement, b: FieldElement): void {
  const a0 = a[0] ?? 0;
  const a1 = a[1] ?? 0;
  const a2 = a[2] ?? 0;
  const a3 = a[3] ?? 0;
  const a4 = a[4] ?? 0;
  const a5 = a[5] ?? 0;
  const a6 = a[6] ?? 0;
  const a7 = a[7] ?? 0;
  const a8 = a[8] ?? 0;
  const a9 = a[9] ?? 0;
  const a10 = a[10] ?? 0;
  const b0 = b[0] ?? 0;
  const b1 = b[1] ?? 0;
  const b2 = b[2] ?? 0;
  const b3 = b[3] ?? 0;
  const b4 = b[4] ?? 0;
  const b5 = b[5] ?? 0;
  const b6 = b[6] ?? 0;
  const b7 = b[7] ?? 0;
  const b8 = b[8] ?? 0;
  const b9 = b[9] ?? 0;
  const b10 = b[10] ?? 0;
  const t0 = a0 * b0;
  let t1 = a0 * b1 + a1 * b0;
  let t2 = a0 * b2 + a1 * b1 + a2 * b0;
  let t3 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0;
  let t4 = a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0;
  let t5 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0;
  let t6 = a0 * b6 + a1 * b5 + a2 * b4 + a3 * b3 + a4 * b2 + a5 * b1 + a6 * b0;
  let t7 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0;
  let t8 = a0 * b8 + a1 * b7 + a2 * b6 + a3 * b5 + a4 * b4 + a5 * b3 + a6 * b2 + a7 * b1 + a8 * b0;
  let t9 = a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0;
  let t10 =
    a0 * b10 + a1 * b9 + a2 * b8 + a3 * b7 + a4 * b6 + a5 * b5 + a6 * b4 + a7 * b3 + a8 * b2 + a9 * b1 + a10 * b0;
  let t11 = a1 * b10 + a2 * b9 + a3 * b8 + a4 * b7 + a5 * b6 + a6 * b5 + a7 * b4 + a8 * b3 + a9 * b2 + a10 * b1;
  let t12 = a2 * b10 + a3 * b9 + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + a9 * b3 + a10 * b2;
  let t13 = a3 * b10 + a4 * b9 + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + a9 * b4 + a10 * b3;
  let t14 = a4 * b10 + a5 * b9 + a6 * b8 + a7 * b7 + a8 * b6 + a9 * b5 + a10 * b4;
  let t15 = a5 * b10 + a6 * b9 + a7 * b8 + a8 * b7 + a9 * b6 + a10 * b5;
  let t16 = a6 * b10 + a7 * b9 + a8 * b8 + a9 * b7 + a10 * b6;
  let t17 = a7 * b10 + a8 * b9 + a9 * b8 + a10 * b7;
  let t18 = a8 * b10 + a9 * b9 + a10 * b8;
  let t19 = a9 * b10 + a10 * b9;
  let t20 = a10 * b10;
  let t21 = 0;
  // Eleven times a multiple of p is added that makes the lowest digit zero: p is −1 modulo 2^24, so the digit says which.
  const u0 = upper(t0);
  const m0 = t0 - u0;
  const h0 = m0 * 0x10000;
  t1 += u0 * perDigit;
  t2 += h0;
  t4 -= m0;
  t9 -= m0 * 0x100;
  t10 += h0;
  const u1 = upper(t1);
  const m1 = t1 - u1;
  const h1 = m1 * 0x10000;
  t2 += u1 * perDigit;
  t3 += h1;
  t5 -= m1;
  t10 -= m1 * 0x100;
  t11 += h1;
  const u2 = upper(t2);
  const m2 = t2 - u2;
  const h2 = m2 * 0x10000;
  t3 += u2 * perDigit;
  t4 += h2;
  t6 -= m2;
  t11 -= m2 * 0x100;
  t12 += h2;
  const u3 = upper(t3);
  const m3 = t3 - u3;
  const h3 = m3 * 0x10000;
  t4 += u3 * perDigit;
  t5 += h3;
  t7 -= m3;
  t12 -= m3 * 0x100;
  t13 += h3;
  const u4 = upper(t4);
  const m4 = t4 - u4;
  const h4 = m4 * 0x10000;
  t5 += u4 * perDigit;
  t6 += h4;
  t8 -= m4;
  t13 -= m4 * 0x100;
  t14 += h4;
  const u5 = upper(t5);
  const m5 = t5 - u5;
  const h5 = m5 * 0x10000;
  t6 += u5 * perDigit;
  t7 += h5;
  t9 -= m5;
  t14 -= m5 * 0x100;
  t15 += h5;
  const u6 = upper(t6);
  const m6 = t6 - u6;
  const h6 = m6 * 0x10000;
  t7 += u6 * perDigit;
  t8 += h6;
  t10 -= m6;
  t15 -= m6 * 0x100;
  t16 += h6;
  const u7 = upper(t7);
  const m7 = t7 - u7;
  const h7 = m7 * 0x10000;
  t8 += u7 * perDigit;
  t9 += h7;
  t11 -= m7;
  t16 -= m7 * 0x100;
  t17 += h7;
  const u8 = upper(t8);
  const m8 = t8 - u8;
  const h8 = m8 * 0x10000;
  t9 += u8 * perDigit;
  t10 += h8;
  t12 -= m8;
  t17 -= m8 * 0x100;
  t18 += h8;
  const u9 = upper(t9);
  const m9 = t9 - u9;
  const h9 = m9 * 0x10000;
  t10 += u9 * perDigit;
  t11 += h9;
  t13 -= m9;
  t18 -= m9 * 0x100;
  t19 += h9;
  const u10 = upper(t10);
  const m10 = t10 - u10;
  const h10 = m10 * 0x10000;
  t11 += u10 * perDigit;
  t12 += h10;
  t14 -= m10;
  t19 -= m10 * 0x100;
  t20 += h10;
  const u11 = upper(t11);
  out[0] = t11 - u11;
  t12 += u11 * perDigit;
  const u12 = upper(t12);
  out[1] = t12 - u12;
  t13 += u12 * perDigit;
  const u13 = upper(t13);
  out[2] = t13 - u13;
  t14 += u13 * perDigit;
  const u14 = upper(t14);
  out[3] = t14 - u14;
  t15 += u14 * perDigit;
  const u15 = upper(t15);
  out[4] = t15 - u15;
  t16 += u15 * perDigit;
  const u16 = upper(t16);
  out[5] = t16 - u16;
  t17 += u16 * perDigit;
  const u17 = upper(t17);
  out[6] = t17 - u17;
  t18 += u17 * perDigit;
  const u18 = upper(t18);
  out[7] = t18 - u18;
  t19 += u18 * perDigit;
  const u19 = upper(t19);
  out[8] = t19 - u19;
  t20 += u19 * perDigit;
  const u20 = upper(t20);
  out[9] = t20 - u20;
  t21 += u20 * perDigit;
  out[10] = t21;
}

/** a·x + b·y, digit by digit: nothing is carried. */
export function combine(out: FieldElement, a: number, x: FieldElement, b: number, y: FieldElement): void {
  for (let i = 0; i < digitCount; i++) out[i] = a * (x[i] ?? 0) + b * (y[i] ?? 0);
}

/** a·x + b·y with its digits brought back to within 2^23 and a few, from within 2^50. */
export function combineCarried(out: FieldElement, a: number, x: FieldElement, b: number, y: FieldElement): void {
  let carry = 0;
  for (let i = 0; i < digitCount - 1; i++) {
    const sum = a * (x[i] ?? 0) + b * (y[i] ?? 0);
    const over = upper(sum);
    out[i] = sum - over + carry;
    carry = over * perDigit;
  }
  const last = digitCount - 1;
  out[last] = a * (x[last] ?? 0) + b * (y[last] ?? 0) + carry;
}

const difference = newElement();

/** Whether a is zero modulo p, within the bounds of `multiply` against 1. */
export function isZero(a: FieldElement): boolean {
  multiply(difference, a, plainOne);
  // What `multiply` gives is within 0.8 p, and no digit but 0 within 2^23 is a multiple of 2^24.
  return difference.every((digit) => digit === 0);
}

/** @param value 0 … p − 1 */
export function elementOf(value: bigint): FieldElement {
  const element = digitsOf(value);
  multiply(element, element, squareOfR);
  return element;
}
