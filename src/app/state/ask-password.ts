import type { AskPassword, Question } from '../../renewal/procedure.ts';
import type { AttachedKey } from '../../usbkey/connect.ts';
import type { UsbKey } from '../../usbkey/usbkey.ts';

/** A question for the password, or the management key, with the way to answer it. The answer itself never comes here. */
export type OpenQuestion = Question & {
  readonly use: (answer: Uint8Array) => Promise<void>;
  readonly giveUp: () => void;
  /** The key that asks. */
  readonly attached: AttachedKey;
};

/** Where questions are put. */
export interface Asking {
  readonly show: (question: OpenQuestion) => void;
  readonly answered: () => void;
  /** Aborted when the place is gone where the questions are shown: nobody could answer them. */
  readonly left?: AbortSignal;
}

/**
 * Puts the questions of a run on the page, one at a time. When the key goes away, or the place where they are shown, they
 * are answered with no: a run that waits for ever would keep the key from everybody.
 */
export function askOnPage(
  { key, attached }: { readonly key: Pick<UsbKey, 'gone'>; readonly attached: AttachedKey },
  { show, answered, left }: Asking,
): AskPassword {
  const ends = left ? [key.gone, left] : [key.gone];
  return (question, use) =>
    new Promise((resolve) => {
      const stopListening = (): void => ends.forEach((signal) => signal.removeEventListener('abort', giveUp));
      const answer = (given: boolean): void => {
        stopListening();
        answered();
        resolve(given);
      };
      const giveUp = (): void => answer(false);
      const useOnce = async (password: Uint8Array): Promise<void> => {
        stopListening();
        await use(password);
        answer(true);
      };
      if (ends.some(({ aborted }) => aborted)) resolve(false);
      else {
        ends.forEach((signal) => signal.addEventListener('abort', giveUp, { once: true }));
        show({ ...question, use: useOnce, giveUp, attached });
      }
    });
}
