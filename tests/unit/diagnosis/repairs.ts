import { journalPort } from '../../../src/diagnosis/journal-port.ts';
import type { Notebook } from '../../../src/diagnosis/notebook.ts';
import { restoreCertificates, tidyLeftovers, type KeyRepair } from '../../../src/diagnosis/repair-key.ts';
import type { Question } from '../../../src/renewal/login.ts';
import { authorisedKeys } from '../../../src/usbkey/connect.ts';
import { sampleManagementKey } from '../../reference-ca/piv-contents.ts';
import { hexToBytes } from '../../virtual-key/bytes.ts';
import { samplePassword } from '../../virtual-key/make-state.ts';
import type { Patient } from './clinic.ts';

export type WhatRepair = 'restore' | 'tidy';

export interface Attempt {
  readonly givesUp?: boolean;
  readonly enrolment?: 'on' | 'readOnly';
  /** Told of each question. */
  readonly onQuestion?: (question: Question) => void;
}

/** Presses the button of the repair that a check's finding names. */
export async function repair(patient: Patient, what: WhatRepair, attempt: Attempt = {}): Promise<KeyRepair> {
  const { notes } = await patient.examine();
  return repairWith(patient, what, notes, attempt);
}

/** The same with what an examination has found, even where the key is another one meanwhile. */
export async function repairWith(
  patient: Patient,
  what: WhatRepair,
  notes: Notebook,
  { givesUp = false, enrolment = 'on', onQuestion }: Attempt = {},
): Promise<KeyRepair> {
  const { config, trust, contents, restorable = [] } = notes;
  const [attached] = await authorisedKeys();
  if (!config?.ca || !trust || !contents || !attached) throw new Error('the key was not read');
  const key = await attached.open();
  try {
    const { ports } = patient;
    const repairPorts = {
      ...{ key, journal: journalPort, trust, enrolment, now: ports.clock.now, randomBytes: ports.randomBytes },
      authority: await ports.service.authority({ ...config, ca: config.ca }),
      wait: () => Promise.resolve(),
      askPassword: async (question: Question, use: (bytes: Uint8Array) => Promise<void>) => {
        onQuestion?.(question);
        if (givesUp) return false;
        await use(question.kind === 'password' ? new TextEncoder().encode(samplePassword) : managementKey());
        return true;
      },
    };
    const { serialNumber } = contents.info;
    return await (what === 'restore'
      ? restoreCertificates(repairPorts, serialNumber, restorable)
      : tidyLeftovers(repairPorts, serialNumber));
  } finally {
    await key.close();
  }
}

const managementKey = (): Uint8Array => hexToBytes(sampleManagementKey);
