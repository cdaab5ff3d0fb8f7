import * as v from 'valibot';
import { attachments, type KeyState, scenarios } from '../state.ts';
import { readKeyState } from '../state-schema.ts';

const savedName = 'virtual-key';
const optionsName = 'virtual-key-options';

/** What is to be the same after a reload. */
export interface Saved {
  readonly state: KeyState;
  readonly plugged: boolean;
  readonly granted: boolean;
}

const saved = v.object({ state: v.unknown(), plugged: v.boolean(), granted: v.boolean() });

/** Set before the page loads by whoever wants a certain start, such as an end-to-end test. */
const options = v.object({
  scenario: v.optional(v.picklist(scenarios), 'due-30-days'),
  attachment: v.optional(v.picklist(attachments), 'longmai-hid'),
  latency: v.optional(v.picklist(['none', 'real']), 'real'),
  plugged: v.optional(v.boolean(), true),
  granted: v.optional(v.boolean(), false),
  panel: v.optional(v.boolean(), true),
});
export type DemoOptions = v.InferOutput<typeof options>;

function readJson(name: string): unknown {
  try {
    const text = localStorage.getItem(name);
    return text === null ? undefined : JSON.parse(text);
  } catch {
    return undefined; // no storage, or not JSON: as good as nothing saved
  }
}

/** The options, and whether somebody set any. Options that do not fit are none. */
export function readOptions(): { readonly options: DemoOptions; readonly given: boolean } {
  const given = readJson(optionsName);
  const result = v.safeParse(options, given);
  return {
    options: result.success ? result.output : v.parse(options, {}),
    given: given !== undefined && result.success,
  };
}

export function readSaved(): Saved | undefined {
  const result = v.safeParse(saved, readJson(savedName));
  const state = result.success ? readKeyState(result.output.state) : undefined;
  return result.success && state ? { ...result.output, state } : undefined;
}

export function writeSaved(value: Saved): void {
  try {
    localStorage.setItem(savedName, JSON.stringify(value));
  } catch {
    // Without storage the key lasts as long as the page.
  }
}
