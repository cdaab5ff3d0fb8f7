import type { Page } from '@playwright/test';

/**
 * The strings with this secret in them that scripts of the page can still reach, from window, modules, stores, runes or
 * listeners, after everything else has been collected; shortened. Bytes in arrays are not looked at: a snapshot has none.
 */
export async function stringsWith(page: Page, secret: string): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  await session.detach();
  const { strings } = JSON.parse(chunks.join('')) as { readonly strings: readonly string[] };
  return strings.filter((text) => text.includes(secret)).map((text) => text.slice(0, 80));
}
