import type { Page } from '@playwright/test';

type Bytes = ArrayBufferView | ArrayBuffer;

declare global {
  interface Window {
    /** Arrays and buffers of bytes and of 16-bit units that this document's scripts have got, as long as they are there. */
    arraysMade: Set<WeakRef<Bytes>>;
  }
}

/**
 * Has every document of the page note, weakly, which arrays and buffers its scripts get. A snapshot of the heap names them
 * without what is in them, and the inspector's `Runtime.queryObjects` passes over them.
 */
export async function watchArrays(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const made = (window.arraysMade = new Set());
    let room = 20_000;
    const note = <Value>(value: Value): Value => {
      if (!ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer)) return value;
      made.add(new WeakRef<Bytes>(value));
      if (made.size > room) {
        for (const one of made) if (one.deref() === undefined) made.delete(one);
        room = 2 * made.size + 20_000;
      }
      return value;
    };
    // What `slice`, `subarray`, `from` and `of` make comes out of the constructor too.
    for (const name of ['Uint8Array', 'Uint16Array', 'ArrayBuffer'] as const) {
      const watched = new Proxy(window[name], {
        construct: (target, given, newTarget) => note(Reflect.construct(target, given, newTarget) as object),
      });
      Object.defineProperty(window[name].prototype, 'constructor', { value: watched });
      Object.defineProperty(window, name, { value: watched });
    }
    // A buffer may outlive its array.
    const anyArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
    const buffer = Object.getOwnPropertyDescriptor(anyArray, 'buffer');
    Object.defineProperty(anyArray, 'buffer', {
      get() {
        return note<unknown>(buffer?.get?.call(this));
      },
    });
    // Those that the browser makes.
    const encode = Reflect.get(TextEncoder.prototype, 'encode');
    TextEncoder.prototype.encode = function (text) {
      return note(encode.call(this, text));
    };
    for (const name of ['digest', 'sign', 'encrypt', 'decrypt', 'exportKey', 'deriveBits']) {
      const method = Reflect.get(SubtleCrypto.prototype, name) as (...given: unknown[]) => Promise<unknown>;
      Object.defineProperty(SubtleCrypto.prototype, name, {
        value(...given: unknown[]) {
          return method.apply(this, given).then(note);
        },
      });
    }
  });
}

interface Held {
  readonly as: 'bytes' | '16-bit units';
  readonly by: readonly string[];
}

/**
 * Which of the arrays and buffers that are still there hold a secret. Garbage has been collected before.
 * @param secrets each as parts, of which one is enough
 */
export async function heldInArrays(
  page: Page,
  secrets: readonly (readonly (readonly number[])[])[],
): Promise<readonly (readonly Held[])[]> {
  const hits = await page.evaluate((wanted) => {
    const isIn = (list: Uint8Array | Uint16Array, part: readonly number[]): boolean => {
      for (let at = -1; (at = list.indexOf(part[0] ?? 0, at + 1)) >= 0;)
        if (part.every((code, i) => list[at + i] === code)) return true;
      return false;
    };
    const buffers = new Map<ArrayBufferLike, string>();
    for (const ref of Array.from(window.arraysMade)) {
      const one = ref.deref();
      if (one) buffers.set(ArrayBuffer.isView(one) ? one.buffer : one, Object.prototype.toString.call(one));
    }
    const found: [secret: number, as: 'bytes' | '16-bit units', by: string][] = [];
    for (const [buffer, by] of buffers) {
      const bytes = new Uint8Array(buffer);
      // Units may begin at an odd byte, too.
      const units = [0, 1].map(
        (from) => new Uint16Array(bytes.slice(from, from + 2 * ((bytes.length - from) >> 1)).buffer),
      );
      wanted.forEach((parts, secret) => {
        const what = `${by} ${buffer.byteLength}`;
        if (parts.some((part) => isIn(bytes, part))) found.push([secret, 'bytes', what]);
        if (units.some((list) => parts.some((part) => isIn(list, part)))) found.push([secret, '16-bit units', what]);
      });
    }
    return found;
  }, secrets);
  return secrets.map((_, i) => hits.flatMap(([secret, as, by]) => (secret === i ? [{ as, by: [by] }] : [])));
}
