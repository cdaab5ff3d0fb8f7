import { browserPort } from '../../diagnosis/browser-port.ts';
import { journalPort } from '../../diagnosis/journal-port.ts';
import type { CheckPorts, KeyPort } from '../../diagnosis/ports.ts';
import { clockPort, servicePort } from '../../diagnosis/service-port.ts';
import { authorisedKeys, type AttachedKey } from '../../usbkey/connect.ts';
import { activity } from './activity.svelte.ts';
import { OtherTab, OwnTask } from './key-trouble.ts';
import { rememberedReading } from './last-reading.ts';
import { usbkey } from './usbkey.svelte.ts';

/** A key that does not answer is given up within this when the site reads it by itself. */
const readingMs = 16_000;
/** A procedure waits for a person. */
const procedureMs = 4_000;

const keys = (chosen: () => AttachedKey | undefined): KeyPort => ({
  attached: authorisedKeys,
  wasHere: async () => (await rememberedReading()) !== undefined,
  chosen,
  use: async (attached, task, options) => {
    // The site may just be reading it; what takes longer is said to be in the way.
    const patienceMs = activity.page === undefined ? readingMs : procedureMs;
    await Promise.race([usbkey.whenIdle(), new Promise((resolve) => setTimeout(resolve, patienceMs))]);
    return usbkey.withKey(attached, task, options);
  },
  holder: (error) => (error instanceof OtherTab ? 'otherTab' : error instanceof OwnTask ? 'ownTask' : undefined),
});

/** The world of this page, as the checks see it. @param chosen of several keys the one to look at */
export const checkPorts = (
  chosen: () => AttachedKey | undefined,
  askPassword: CheckPorts['askPassword'],
): CheckPorts => ({
  browser: browserPort(),
  service: servicePort,
  clock: clockPort,
  keys: keys(chosen),
  journal: journalPort,
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  askPassword,
});
