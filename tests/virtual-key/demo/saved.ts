import * as v from 'valibot';
import { allAttachments, commandSets, goTogether, type KeyState, pivAlgorithms, scenarios } from '../state.ts';
import { readKeyState } from '../state-schema.ts';
import type { KeyChoice } from './choice.ts';

const savedName = 'virtual-key';
const optionsName = 'virtual-key-options';

/** What is to be the same after a reload. */
export interface Saved {
  readonly choice: KeyChoice;
  readonly state: KeyState;
  readonly plugged: boolean;
  readonly granted: boolean;
}

const choice = {
  scenario: v.optional(v.picklist(scenarios), 'due-30-days'),
  attachment: v.optional(v.picklist(allAttachments), 'longmai-hid'),
  commandSet: v.optional(v.picklist(commandSets), 'gmt0017'),
  algorithm: v.optional(v.picklist(pivAlgorithms), 'p256'),
};

const saved = v.object({ choice: v.object(choice), state: v.unknown(), plugged: v.boolean(), granted: v.boolean() });

/** Set before the page loads by whoever wants a certain start, such as an end-to-end test. */
const options = v.object({
  ...choice,
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
  const fits = result.success && goTogether(result.output.attachment, result.output.commandSet);
  return { options: fits ? result.output : v.parse(options, {}), given: given !== undefined && fits };
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
