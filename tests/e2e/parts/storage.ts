import type { Page } from '@playwright/test';

/**
 * What the site has stored in this browser, by place: `localStorage`, `indexedDB NAME/STORE`, `cache NAME` and so on.
 * Bytes are there as one character each. What the demo's virtual key keeps is left out.
 */
export const storedPlaces = (page: Page): Promise<Record<string, string>> =>
  page.evaluate(async () => {
    const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
    const asText = (value: unknown): string =>
      JSON.stringify(value, (_, inner: unknown) => {
        if (inner instanceof ArrayBuffer) return latin1(new Uint8Array(inner));
        if (ArrayBuffer.isView(inner)) return latin1(new Uint8Array(inner.buffer, inner.byteOffset, inner.byteLength));
        if (inner instanceof CryptoKey) return `CryptoKey, ${inner.extractable ? 'extractable' : 'not extractable'}`;
        return inner;
      });
    const ours = (storage: Storage): [string, string][] =>
      Object.entries(storage).filter(([name]) => !name.startsWith('virtual-key')) as [string, string][];
    const places: Record<string, string> = {
      localStorage: asText(ours(localStorage)),
      sessionStorage: asText(ours(sessionStorage)),
      cookies: document.cookie,
      address: location.href,
      'history.state': asText(history.state ?? null),
    };
    for (const { name } of await indexedDB.databases()) {
      if (name === undefined) continue;
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error(name));
      });
      for (const store of database.objectStoreNames) {
        const request = database.transaction(store).objectStore(store).getAll();
        const rows = await new Promise<unknown>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(new Error(store));
        });
        places[`indexedDB ${name}/${store}`] = asText(rows);
      }
      database.close();
    }
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      const kept: string[] = [];
      for (const request of await cache.keys()) {
        kept.push(request.url, asText(Array.from(request.headers)));
        const response = await cache.match(request);
        if (response)
          kept.push(
            asText(Array.from(response.headers)),
            new TextDecoder('latin1').decode(await response.arrayBuffer()),
          );
      }
      places[`cache ${name}`] = kept.join('\n');
    }
    const files: string[] = [];
    for await (const [name] of (await navigator.storage.getDirectory()).entries()) files.push(name);
    places['private files'] = files.join('\n');
    return places;
  });

/** Everything the site has stored in this browser but the site itself, as one text. */
export const everythingStored = async (page: Page): Promise<string> =>
  Object.entries(await storedPlaces(page))
    .flatMap(([place, text]) => (place.startsWith('cache ') ? [] : [text]))
    .join('\n');
