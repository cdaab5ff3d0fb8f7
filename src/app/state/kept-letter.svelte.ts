import * as v from 'valibot';
import type { LetterFields } from '../../guidance/letter.ts';
import { forgetLetter, loadLetter, saveLetter } from '../../storage/letter.ts';

const line = v.pipe(v.string(), v.maxLength(200));
const fieldsSchema = v.object({
  company: line,
  taxpayerNumber: line,
  agentName: line,
  agentIdentityNumber: line,
  agentMobile: line,
  replacement: v.boolean(),
  unlock: v.boolean(),
  from: line,
  until: line,
  date: line,
});

const pauseMs = 400;

/** The letter on this device: only while the person wants it kept. Writes follow one another, the last one wins. */
export class KeptLetter {
  /** The person has asked for it, now or on an earlier visit. */
  wanted = $state(false);
  /** It could not be kept, read or forgotten here. */
  failed = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #work: Promise<void> = Promise.resolve();

  /** What was kept, or undefined; `wanted` says from now on whether anything is. */
  async open(): Promise<LetterFields | undefined> {
    try {
      const text = await loadLetter();
      if (text === undefined) return undefined;
      const fields = v.parse(fieldsSchema, JSON.parse(text));
      this.wanted = true;
      return fields;
    } catch {
      // Damaged, of another version, or no storage here: the page begins blank. What is there goes with the next 清空.
      return undefined;
    }
  }

  /** Keeps the fields shortly after the last change. */
  keep(fields: LetterFields): void {
    const text = JSON.stringify(fields);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#then(() => saveLetter(text)), pauseMs);
  }

  /** Forgets it at once, with whatever was about to be written. */
  forget(): Promise<void> {
    clearTimeout(this.#timer);
    this.wanted = false;
    return this.#then(forgetLetter);
  }

  #then(task: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(task).then(
      () => void (this.failed = false),
      () => void (this.failed = true),
    );
    return this.#work;
  }
}
