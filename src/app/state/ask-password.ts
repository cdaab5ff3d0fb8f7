import type { AskPassword, Question } from '../../renewal/procedure.ts';
import type { UsbKey } from '../../usbkey/usbkey.ts';

/** A question for the password, or the management key, with the way to answer it. The answer itself never comes here. */
export type OpenQuestion = Question & {
  readonly use: (answer: Uint8Array) => Promise<void>;
  readonly giveUp: () => void;
  /** Aborted when the key is gone. */
  readonly gone: AbortSignal;
};

/** Puts the questions of a run on the page, one at a time; a key that goes away answers with no. */
export function askOnPage(
  key: UsbKey,
  { show, answered }: { readonly show: (question: OpenQuestion) => void; readonly answered: () => void },
): AskPassword {
  return (question, use) =>
    new Promise((resolve) => {
      const answer = (given: boolean): void => {
        key.gone.removeEventListener('abort', giveUp);
        answered();
        resolve(given);
      };
      const giveUp = (): void => answer(false);
      const useOnce = async (password: Uint8Array): Promise<void> => {
        key.gone.removeEventListener('abort', giveUp);
        await use(password);
        answer(true);
      };
      if (key.gone.aborted) resolve(false);
      else {
        key.gone.addEventListener('abort', giveUp, { once: true });
        show({ ...question, use: useOnce, giveUp, gone: key.gone });
      }
    });
}
