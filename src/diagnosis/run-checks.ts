import type { Check, CheckId, Finding, Look } from './check.ts';
import { checkIds } from './check.ts';
import { causes } from './causes.ts';
import { browserChecks } from './checks/browser.ts';
import { certificateChecks } from './checks/certificate.ts';
import { networkChecks } from './checks/network.ts';
import { usbkeyChecks } from './checks/usbkey.ts';
import { workChecks } from './checks/work.ts';
import type { Notebook } from './notebook.ts';
import type { CheckPorts } from './ports.ts';

/** Every check, in the order in which they are shown. */
export const allChecks: readonly Check[] = [
  ...browserChecks,
  ...networkChecks,
  ...usbkeyChecks,
  ...certificateChecks,
  ...workChecks,
].sort((a, b) => checkIds.indexOf(a.id) - checkIds.indexOf(b.id));

const checkOf = (id: CheckId): Check => {
  const check = allChecks.find((one) => one.id === id);
  if (!check) throw new RangeError(`no check ${id}`);
  return check;
};

export interface CheckResult {
  readonly id: CheckId;
  readonly at: 'waiting' | 'running' | 'done';
  readonly finding?: Finding;
  readonly ms?: number;
}

export interface RunOptions {
  /** The checks to run, with what they build on; all but those on request without it. */
  readonly only?: readonly CheckId[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (results: readonly CheckResult[]) => void;
}

export interface CheckRun {
  readonly results: readonly CheckResult[];
  readonly notes: Notebook;
}

/** These checks and all they wait for, in order. */
export function withNeeds(ids: readonly CheckId[]): readonly CheckId[] {
  const wanted = new Set<CheckId>();
  const add = (id: CheckId): void => {
    if (wanted.has(id)) return;
    wanted.add(id);
    const { needs, after } = checkOf(id);
    [...needs, ...after].forEach(add);
  };
  ids.forEach(add);
  return checkIds.filter((id) => wanted.has(id));
}

/** These checks and all that build on them: what may look different once something was mended. */
export function withDependents(ids: readonly CheckId[]): readonly CheckId[] {
  const affected = new Set<CheckId>(ids);
  let size = 0;
  while (affected.size > size) {
    size = affected.size;
    for (const { id, needs, after } of allChecks)
      if ([...needs, ...after].some((one) => affected.has(one))) affected.add(id);
  }
  return checkIds.filter((id) => affected.has(id));
}

/** Whether what builds on a finding has nothing to stand on. */
export const isBlocking = (finding: Finding | undefined): boolean =>
  finding?.outcome === 'skipped' ||
  (finding?.outcome === 'found' && (causes[finding.cause].severity === 'bad' || blockingWarnings.has(finding.cause)));

/** Warnings without a key to look at any further. */
const blockingWarnings = new Set([
  ...['notPermitted', 'notPluggedIn', 'several', 'otherTab', 'ownTask', 'otherWay', 'unplugged', 'unpluggedForgotten'],
]);

/**
 * Runs checks, each as soon as those it waits for are done, and each within its time. Never rejects: a check that fails
 * by itself says so. The key is released when this resolves.
 */
export async function runChecks(ports: CheckPorts, options: RunOptions = {}): Promise<CheckRun> {
  const run = new Run(ports, options);
  await run.toTheEnd();
  return { results: run.results(), notes: run.notes };
}

class Run {
  readonly notes: Notebook = {};
  readonly #ports: CheckPorts;
  readonly #options: RunOptions;
  readonly #results = new Map<CheckId, CheckResult>();
  readonly #running = new Map<CheckId, Promise<Finding>>();

  constructor(ports: CheckPorts, options: RunOptions) {
    this.#ports = ports;
    this.#options = options;
    const { only } = options;
    const wanted = only ? withNeeds(only) : checkIds;
    for (const id of wanted)
      if (checkOf(id).onRequest !== true || only?.includes(id)) this.#results.set(id, { id, at: 'waiting' });
  }

  results(): readonly CheckResult[] {
    return [...this.#results.values()];
  }

  async toTheEnd(): Promise<void> {
    await Promise.all([...this.#results.keys()].map((id) => this.#begin(id)));
    const { session } = this.notes;
    session?.end();
    await session?.released;
  }

  /** @returns what the check comes to; it is begun once */
  #begin(id: CheckId): Promise<Finding> {
    const running = this.#running.get(id) ?? this.#afterOthers(checkOf(id));
    this.#running.set(id, running);
    return running;
  }

  async #afterOthers(check: Check): Promise<Finding> {
    const { id, needs, after } = check;
    // Whoever asks for this one has it in the table by then.
    await Promise.resolve();
    const has = (one: CheckId): boolean => this.#results.has(one);
    const needed = await Promise.all(needs.filter(has).map((one) => this.#begin(one)));
    await Promise.all(after.filter(has).map((one) => this.#begin(one)));
    const missing = needs.filter(has).find((_, index) => isBlocking(needed[index]));
    if (missing !== undefined) return this.#end(id, { outcome: 'skipped', because: missing });
    // The key is free for the next one that opens it.
    if (check.onRequest) {
      this.notes.session?.end();
      await this.notes.session?.released;
    }
    return this.#try(check);
  }

  async #try({ id, limitMs, detect }: Check): Promise<Finding> {
    const { signal: ended } = this.#options;
    if (ended?.aborted) return this.#end(id, { outcome: 'skipped', because: 'cancelled' });
    const begun = this.#ports.clock.elapsed();
    this.#set({ id, at: 'running' });
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let onEnd: (() => void) | undefined;
    const over = new Promise<Finding>((resolve) => {
      timer = setTimeout(() => resolve({ outcome: 'found', cause: 'timedOut' }), limitMs);
      onEnd = () => resolve({ outcome: 'skipped', because: 'cancelled' });
      ended?.addEventListener('abort', onEnd, { once: true });
    });
    const look: Look = { ports: this.#ports, notes: this.notes, signal: abort.signal };
    const detected = (async () => detect(look))().catch((): Finding => ({ outcome: 'found', cause: 'failed' }));
    const finding = await Promise.race([detected, over]);
    clearTimeout(timer);
    if (onEnd) ended?.removeEventListener('abort', onEnd);
    abort.abort();
    return this.#end(id, finding, Math.round(this.#ports.clock.elapsed() - begun));
  }

  #end(id: CheckId, finding: Finding, ms?: number): Finding {
    this.#set({ id, at: 'done', finding, ...(ms === undefined ? {} : { ms }) });
    return finding;
  }

  #set(result: CheckResult): void {
    this.#results.set(result.id, result);
    this.#options.onProgress?.(this.results());
  }
}
