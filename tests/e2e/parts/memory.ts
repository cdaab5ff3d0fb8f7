import type { CDPSession, Page } from '@playwright/test';
import { expect } from '../fixtures.ts';
import { heldInArrays } from './arrays.ts';
import { holdersOfStrings, type HeapSnapshot } from './heap.ts';

/** One place in the page's memory that scripts can still reach. */
export interface Held {
  readonly as: 'string' | 'bytes' | '16-bit units';
  /** Of a string: all that hold it, as `Holder.name`. Of an array: what it is. */
  readonly by: readonly string[];
}

/** What is looked for: text, or bytes. */
export type Secret = string | readonly number[];

/** A secret is also found where only so many of its characters, or bytes, lie side by side. */
const windowLength = 6;

const codesOf = (secret: Secret): readonly number[] =>
  typeof secret === 'string' ? Array.from(Buffer.from(secret, 'utf8')) : secret;

function windows<Part>(length: number, part: (from: number, to: number) => Part): Part[] {
  const count = Math.max(1, length - windowLength + 1);
  return Array.from({ length: count }, (_, at) => part(at, at + windowLength));
}

/** How a secret may stand in a string: any part of the text itself, or the whole as hex, decimal numbers or base64. */
function textsOf(secret: Secret): readonly string[] {
  const bytes = Buffer.from(codesOf(secret));
  const hex = bytes.toString('hex');
  // At each of three places in base64; its first and last characters belong to the neighbours as well.
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    return text.slice(before === 0 ? 0 : before + 1, -1);
  });
  const parts = typeof secret === 'string' ? windows(secret.length, (from, to) => secret.slice(from, to)) : [];
  return [...parts, hex, hex.toUpperCase(), bytes.join(), bytes.join(', '), ...base64];
}

async function takeSnapshot(session: CDPSession): Promise<HeapSnapshot> {
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return JSON.parse(chunks.join('')) as HeapSnapshot;
}

/** Left in the page with each look, to see that a look finds what is there. */
const control = 'Kp3^sD9+fG5=';

/** Leaves it in each form that is looked for, where only a listener's closure can reach it. */
const plant = (page: Page): Promise<void> =>
  page.evaluate((characters) => {
    const codes = characters.map((character) => character.charCodeAt(0));
    const kept = [
      new Map([['text', characters.join('')]]),
      Uint8Array.from([0, 1, 2, ...codes, 3]).subarray(3, -1),
      Uint16Array.from(codes),
      Uint8Array.from(codes).buffer,
    ];
    addEventListener('planted', () => kept.reverse());
  }, Array.from(control));

/**
 * Where scripts of the page can still reach each secret, from window, modules, stores, runes, closures or listeners, after
 * all else has been collected: in strings, and in the bytes and 16-bit units of arrays and buffers. The arrays have been
 * watched since before the page was opened.
 */
export async function heldInMemory(page: Page, secrets: readonly Secret[]): Promise<readonly (readonly Held[])[]> {
  await plant(page);
  const all = [control, ...secrets];
  const session = await page.context().newCDPSession(page);
  try {
    // In this order: it collects all garbage first, and what is searched for afterwards is not in it yet.
    const strings = holdersOfStrings(await takeSnapshot(session), all.map(textsOf));
    const parts = all.map((secret) => {
      const codes = codesOf(secret);
      return windows(codes.length, (from, to) => codes.slice(from, to));
    });
    const arrays = await heldInArrays(page, parts);
    const [planted = [], ...found] = all.map((_, i): Held[] => [
      ...(strings[i] ?? []).map((by) => ({ as: 'string' as const, by })),
      ...(arrays[i] ?? []),
    ]);
    expect(planted.map(({ as }) => as).sort()).toEqual(['16-bit units', 'bytes', 'bytes', 'string']);
    return found;
  } finally {
    await session.detach();
  }
}
