import { CaError } from '../../src/ca/authority.ts';
import { buildMessage, parseMessage } from '../../src/ca/cmp-messages.ts';
import { signatureAlgorithmFor, sm2Spki } from '../../src/pki/algorithms.ts';
import { toHex } from '../../src/pki/bytes.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { createCsr } from '../../src/pki/csr.ts';
import type { EnvelopedKey } from '../../src/pki/enveloped-key.ts';
import { containerNameFor, transactionIdOf } from '../../src/renewal/container-name.ts';
import type { ContainerRef, UsbKey } from '../../src/usbkey/usbkey.ts';
import { envelopeFor, makeEncryptionKeyPair } from '../reference-ca/encryption-key.ts';
import type { Defect, Desk } from './desk.ts';
import { situations, type Fault, type Situation, type Trial } from './fault.ts';
import { insideOf } from './inside.ts';
import { readSent } from './sent.ts';
import { substitute } from './substitute.ts';

/** A deliberate defect, and the faults of a short slice in which it must show. */
export interface Sabotage {
  readonly says: string;
  readonly defect: Defect;
  readonly slice: readonly Trial[];
}

const clean: Trial = { situation: 0, first: undefined };
const single = (first: Fault, situation = 0): Trial => ({ situation, first });
const pair = (first: Fault, second: Fault, situation = 0): Trial => ({ situation, first, second });

const situationWhere = (fits: (situation: Situation) => boolean): number => situations.findIndex(fits);
/** The same with two certificates, at one of the authorities. */
const double = (trial: Trial, at: Situation['authority'] = 'cmp'): Trial => ({
  ...trial,
  situation: situationWhere(
    ({ encryption, face, authority }) => encryption === true && face.attachment === 'longmai-hid' && authority === at,
  ),
});
/** The same on a PIV key that tells what is in its slots. */
const piv = (trial: Trial): Trial => ({
  ...trial,
  situation: situationWhere(({ name }) => name.endsWith('PIV over ccid')),
});

// Commands of PIV (NIST SP 800-73-4 part 2), short APDUs: the data begin at 5, with 5C 03 and the tag where one is named.
const [generate, getData, putData, getMetadata] = [0x47, 0xcb, 0xdb, 0xf7];
const tagAt = 7;
const done = Uint8Array.of(0x90, 0x00);
const noSuchKey = Uint8Array.of(0x6a, 0x88);
const noSuchObject = Uint8Array.of(0x6a, 0x82);
const isRetired = (slot = 0): boolean => slot >= 0x82 && slot <= 0x95;
const readTag = (command: Uint8Array): string | undefined =>
  command[1] === getData ? toHex(command.subarray(tagAt, tagAt + 3)) : undefined;
/** A name of ours, and no certificate yet. */
const isReservation = (command: Uint8Array): boolean =>
  command[1] === putData && /7221(?:52[0-9a-f]{64})/u.test(toHex(command)) && toHex(command).includes('7000710100');

function oldContainerOf(desk: Desk): ContainerRef {
  const old = insideOf(desk.current.initial).find(({ certificate }) => certificate !== undefined);
  if (!old) throw new Error('the key has no old container');
  const [application = '', container = ''] = old.place.split('/');
  return { application, container };
}

const newContainerOf = (desk: Desk, message: Uint8Array): ContainerRef => ({
  application: oldContainerOf(desk).application,
  container: containerNameFor(toHex(parseMessage(message).header.transactionId ?? new Uint8Array())),
});

async function importInto(key: UsbKey, ref: ContainerRef, envelope: EnvelopedKey): Promise<Uint8Array> {
  if (!key.importEncryptionKeyPair) throw new Error('the key takes no encryption key pairs');
  return key.importEncryptionKeyPair(ref, envelope);
}

/** Each substitutes a port of the procedure. What every one of them breaks, the totals must show. */
export const defects: Readonly<Record<string, Sabotage>> = {
  'no-journal-before-send': {
    says: 'the request is sent before it is in the journal',
    defect: {
      change: (ports) => ({
        ...ports,
        journal: substitute(ports.journal, {
          put: (record) => (record.stage === 'request' ? Promise.resolve() : ports.journal.put(record)),
        }),
      }),
    },
    slice: [clean, single({ place: 'ca', n: 1, kind: 'answersDropped' })],
  },
  'journal-not-durable': {
    says: 'a write of the journal is said to be done before it is',
    defect: {
      change: (ports) => ({
        ...ports,
        journal: substitute(ports.journal, {
          put: (record) => {
            setImmediate(() => setImmediate(() => void ports.journal.put(record)));
            return Promise.resolve();
          },
        }),
      }),
    },
    slice: [clean, single({ place: 'journal', n: 2, kind: 'killBefore' })],
  },
  'rules-ignored': {
    says: 'what the operator says since the button was pressed is asked for and not heeded',
    defect: {
      change: (ports) => ({
        ...ports,
        rulesNow: async () => {
          await ports.rulesNow?.();
          return ports;
        },
      }),
    },
    slice: [
      single({ place: 'rules', n: 1, kind: 'closed' }),
      single({ place: 'rules', n: 1, kind: 'notRolledOut' }),
      single({ place: 'rules', n: 1, kind: 'modelStopped' }),
    ],
  },
  'write-before-acceptance': {
    says: 'what the authority sends is written to the key unseen',
    defect: {
      change: (ports, desk) => ({
        ...ports,
        authority: substitute(ports.authority, {
          submit: async (request, signal) => {
            const answer = await ports.authority.submit(request, signal);
            if (answer.kind === 'issued')
              await ports.key.importCertificate(newContainerOf(desk, request), 'signing', answer.certificate);
            return answer;
          },
        }),
      }),
    },
    slice: [clean],
  },
  'confirm-before-read-back': {
    says: 'the authority gets its confirmation before the key holds the certificate',
    defect: {
      change: (ports, desk) => ({
        ...ports,
        authority: substitute(ports.authority, {
          submit: async (request, signal) => {
            const answer = await ports.authority.submit(request, signal);
            if (answer.kind !== 'issued') return answer;
            const old = oldContainerOf(desk);
            const certificate = (await ports.key.readContainer(old)).signing?.certificate ?? new Uint8Array();
            const credential = { certificate, sign: (message: Uint8Array) => ports.key.sign(old, message) };
            await ports.authority.confirm(await ports.authority.prepareConfirmation(answer.reply, true, credential));
            return answer;
          },
        }),
      }),
    },
    slice: [clean, single({ place: 'write', n: 3, kind: 'before' })],
  },
  'read-back-not-compared': {
    says: 'what is read back is taken for what was written',
    defect: {
      change: (ports) => {
        let written: { readonly container: string; readonly certificate: Uint8Array } | undefined;
        return {
          ...ports,
          key: substitute(ports.key, {
            importCertificate: (ref, _usage, certificate) => {
              written = { container: ref.container, certificate };
              return Promise.resolve();
            },
            readContainer: async (ref) => {
              const container = await ports.key.readContainer(ref);
              const { signing } = container;
              if (!signing || written?.container !== ref.container) return container;
              return { ...container, signing: { ...signing, certificate: written.certificate } };
            },
          }),
        };
      },
    },
    slice: [clean],
  },
  'generate-in-old-container': {
    says: 'the new key pair is made in the old container',
    defect: {
      change: (ports, desk) => ({
        ...ports,
        key: substitute(ports.key, {
          generateSigningKeyPair: (_ref, algorithm) =>
            ports.key.generateSigningKeyPair(oldContainerOf(desk), algorithm),
        }),
      }),
    },
    slice: [clean],
  },
  'delete-old-before-confirmation': {
    says: 'the old container is deleted before the authority has acknowledged',
    defect: {
      change: (ports, desk) => ({
        ...ports,
        authority: substitute(ports.authority, {
          confirm: async (confirmation, signal) => {
            await ports.key.deleteContainer(oldContainerOf(desk)).catch(() => undefined);
            await ports.authority.confirm(confirmation, signal);
          },
        }),
      }),
    },
    slice: [clean],
  },
  'new-transaction-after-lost-answer': {
    says: 'whoever lost an answer begins anew',
    defect: {
      change: (ports) => ({
        ...ports,
        journal: substitute(ports.journal, { ofKey: () => Promise.resolve([]) }),
        key: substitute(ports.key, {
          listContainers: async () =>
            (await ports.key.listContainers()).filter(({ container }) => transactionIdOf(container) === undefined),
        }),
      }),
    },
    slice: [
      single({ place: 'ca', n: 1, kind: 'answersDropped' }),
      single({ place: 'write', n: 3, kind: 'before' }),
      single({ place: 'journal', n: 3, kind: 'killAfter' }),
    ],
  },
  'verify-resent': {
    says: 'a password whose answer was lost is sent again',
    defect: {
      change: (ports) => ({
        ...ports,
        key: substitute(ports.key, {
          verifyPassword: async (application, password) => {
            try {
              await ports.key.verifyPassword(application, password);
            } catch {
              await ports.key.verifyPassword(application, password);
            }
          },
        }),
      }),
    },
    // Whichever report VERIFY's answer comes in, one of these loses it.
    slice: Array.from({ length: 70 }, (_unused, index) => single({ place: 'transfer', n: 60 + index, kind: 'lost' })),
  },
  'serial-not-compared': {
    says: 'a transaction is gone on with on whatever key is in',
    defect: {
      change: (ports, desk) => ({
        ...ports,
        journal: substitute(ports.journal, {
          ofKey: () => Promise.resolve([...desk.journal.records.values()]),
        }),
      }),
    },
    slice: [
      pair({ place: 'write', n: 3, kind: 'before' }, { place: 'between', n: 1, kind: 'otherKey' }),
      pair({ place: 'journal', n: 2, kind: 'killAfter' }, { place: 'between', n: 1, kind: 'otherKey' }),
    ],
  },
  'implicit-confirmation': {
    says: 'the request asks for implicit confirmation',
    defect: {
      change: (ports) => ({
        ...ports,
        authority: substitute(ports.authority, {
          prepareRequest: async (transactionId, { publicKey, sign }, credential) => {
            const { subject, issuer, keyAlgorithm, subjectKeyIdentifier, der } = parseCertificate(
              credential.certificate,
            );
            const csr = await createCsr({ subject: subject.der, spki: publicKey, sign });
            return buildMessage(
              {
                sender: subject.der,
                recipient: issuer.der,
                messageTime: ports.now(),
                protectionAlgorithm: signatureAlgorithmFor(keyAlgorithm),
                senderKid: subjectKeyIdentifier,
                transactionId,
                senderNonce: ports.randomBytes(16),
                implicitConfirm: true,
                body: { type: 'p10cr', csr },
                extraCerts: [der],
              },
              credential.sign,
            );
          },
        }),
      }),
    },
    slice: [clean],
  },
  'lock-of-other-tab-ignored': {
    says: 'a second tab works with the key while the first is at it',
    defect: { ignoresLock: true },
    // Where the authority leaves the old certificate alone and the key has room, nobody else stops the second tab.
    slice: [1, 2, 3].map((n) =>
      single(
        { place: 'journal', n, kind: 'otherTab' },
        situationWhere(
          ({ face, tight, revokeOld }) => face.attachment === 'longmai-hid' && !tight && revokeOld === 'never',
        ),
      ),
    ),
  },
  'encryption-forgotten': {
    says: 'the signing certificate is confirmed although an encryption certificate is to go with it',
    defect: {
      change: (ports) => {
        const rules = {
          policy: { ...ports.policy, encryptionCertificate: 'none' },
          enrolment: ports.enrolment,
        } as const;
        return { ...ports, ...rules, rulesNow: () => Promise.resolve(rules) };
      },
    },
    slice: [double(clean), double(clean, 'rest')],
  },
  'signing-confirmed-before-encryption': {
    says: 'the signing certificate is confirmed before the encryption certificate is asked for',
    defect: {
      change: (ports, desk) => {
        let first: Uint8Array | undefined;
        return {
          ...ports,
          authority: substitute(ports.authority, {
            submit: async (request, signal) => {
              if (readSent(request).kind === 'encryption' && first) {
                const old = oldContainerOf(desk);
                const certificate = (await ports.key.readContainer(old)).signing?.certificate ?? new Uint8Array();
                const credential = { certificate, sign: (message: Uint8Array) => ports.key.sign(old, message) };
                await ports.authority.confirm(await ports.authority.prepareConfirmation(first, true, credential));
              }
              const answer = await ports.authority.submit(request, signal);
              if (readSent(request).kind === 'signing') first = answer.reply;
              return answer;
            },
          }),
        };
      },
    },
    slice: [double(clean)],
  },
  'envelope-into-old-container': {
    says: 'what is delivered goes into the old container',
    defect: {
      change: (ports, desk) => ({
        ...ports,
        key: substitute(ports.key, {
          // Wrapped for another key, it is not opened there; its certificate is taken.
          importEncryptionKeyPair: (ref, envelope) =>
            importInto(ports.key, oldContainerOf(desk), envelope).catch(() => importInto(ports.key, ref, envelope)),
          importCertificate: (ref, usage, certificate) =>
            ports.key.importCertificate(usage === 'signing' ? ref : oldContainerOf(desk), usage, certificate),
        }),
      }),
    },
    slice: [double(clean)],
  },
  'encryption-key-not-compared': {
    says: 'whatever key pair was imported is taken for that of the certificate',
    defect: {
      change: (ports) => {
        let shown: { readonly container: string; readonly spki: Uint8Array } | undefined;
        return {
          ...ports,
          key: substitute(ports.key, {
            importEncryptionKeyPair: async (ref, envelope) => {
              const { signing } = await ports.key.readContainer(ref);
              const another = envelopeFor(await makeEncryptionKeyPair(), signing?.publicKey ?? new Uint8Array());
              await importInto(ports.key, ref, another);
              shown = { container: ref.container, spki: sm2Spki(envelope.publicKey) };
              return shown.spki;
            },
            readContainer: async (ref) => {
              const container = await ports.key.readContainer(ref);
              const { encryption } = container;
              if (!encryption || shown?.container !== ref.container) return container;
              return { ...container, encryption: { ...encryption, publicKey: shown.spki } };
            },
          }),
        };
      },
    },
    slice: [double(clean)],
  },
  'encryption-request-not-journaled': {
    says: 'the encryption certificate is asked for before the request is in the journal',
    defect: {
      change: (ports) => ({
        ...ports,
        journal: substitute(ports.journal, {
          put: (record) => (record.encryption?.stage === 'request' ? Promise.resolve() : ports.journal.put(record)),
        }),
      }),
    },
    slice: [double(clean), double(clean, 'restCfca')],
  },
  'never-looks-up': {
    says: 'what became of a request is never asked',
    defect: {
      change: (ports) => ({
        ...ports,
        authority: substitute(ports.authority, {
          lookUp: () => Promise.reject(new CaError('unavailable', 'never asks')),
        }),
      }),
    },
    slice: [single({ place: 'ca', n: 1, kind: 'answersDropped' })],
  },
  'piv-generate-in-old-slot': {
    says: 'the new key pair is made in the slot of the old one',
    defect: {
      rewrite: (command) => {
        if (command[1] !== generate) return { command };
        const elsewhere = Uint8Array.from(command);
        elsewhere[3] = 0x9a;
        return { command: elsewhere };
      },
    },
    slice: [piv(clean)],
  },
  'piv-slot-not-reserved': {
    says: 'a slot is not marked as taken before a key pair is made in it',
    defect: { rewrite: (command) => (isReservation(command) ? { answer: done } : { command }) },
    slice: [piv(clean)],
  },
  'piv-key-without-certificate-overlooked': {
    says: 'a slot without a certificate is taken for free, whatever the key says of its key pair',
    defect: {
      rewrite: (command) => (command[1] === getMetadata && isRetired(command[3]) ? { answer: noSuchKey } : { command }),
    },
    slice: [piv(clean)],
  },
  'piv-certificate-without-key-overlooked': {
    says: 'a slot without a key pair is taken for free, whatever is in its object',
    defect: {
      rewrite: (command, state) => {
        const tag = readTag(command);
        const strange = state.piv?.objects.find(({ data }) => data === '5303710100')?.tag;
        return tag !== undefined && tag === strange ? { answer: noSuchObject } : { command };
      },
    },
    slice: [piv(clean)],
  },
  'piv-noted-elsewhere': {
    says: 'what this site wants to remember is written over the key history',
    defect: {
      rewrite: (command) => {
        if (!isReservation(command)) return { command };
        const elsewhere = Uint8Array.from(command);
        elsewhere.set([0x5f, 0xc1, 0x0c], tagAt);
        return { command: elsewhere };
      },
    },
    slice: [piv(clean)],
  },
  'piv-verify-resent': {
    says: 'a PIN that was wrong is sent again',
    defect: {
      change: (ports) => ({
        ...ports,
        key: substitute(ports.key, {
          verifyPassword: async (application, password) => {
            try {
              await ports.key.verifyPassword(application, password);
            } catch {
              await ports.key.verifyPassword(application, password);
            }
          },
        }),
      }),
    },
    slice: [
      {
        situation: situationWhere(({ face, mistypes }) => face.commandSet === 'piv' && mistypes === true),
        first: undefined,
      },
    ],
  },
};
