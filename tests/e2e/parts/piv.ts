import type { Page } from '@playwright/test';
import type { Face } from '../../faults/fault.ts';
import { insideOf } from '../../faults/inside.ts';
import { prepared } from '../../faults/prepared.ts';
import type { KeyState } from '../../virtual-key/state.ts';
import { keyState } from '../fixtures.ts';

/** Puts the demo's key as a face has it in place of itself, and opens a page. The key has been laid on the desk before. */
export async function openWith(page: Page, face: Face, path: string): Promise<void> {
  await page.goto('/about');
  const state = prepared(await keyState(page), { face });
  await page.evaluate((changed) => {
    const saved = JSON.parse(localStorage.getItem('virtual-key') ?? '{}') as object;
    localStorage.setItem('virtual-key', JSON.stringify({ ...saved, state: changed }));
  }, state);
  await page.goto(path);
}

/** What is in a slot: key pair and object, as text. */
export const slotOf = (state: KeyState, slot: string): string | undefined =>
  insideOf(state).find(({ place }) => place === `PIV/${slot}`)?.content;

/** A slot's certificate in hex, where its key pair is there too. */
export const pairIn = (state: KeyState, slot: string): string | undefined => {
  const found = insideOf(state).find(({ place }) => place === `PIV/${slot}`);
  return found?.signing?.isPair() === true ? found.certificate : undefined;
};
