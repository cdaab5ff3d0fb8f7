import { causes, type Cause } from '../../../src/diagnosis/causes.ts';
import type { CheckId } from '../../../src/diagnosis/check.ts';
import { identifyBrowser } from '../../../src/diagnosis/browser-identity.ts';
import { parseCertificate } from '../../../src/pki/certificate.ts';
import type { JournalRecord } from '../../../src/renewal/journal.ts';
import { journalPort } from '../../../src/diagnosis/journal-port.ts';
import { keepDocument } from '../../../src/storage/documents.ts';
import { StorageError } from '../../../src/storage/errors.ts';
import { putTransaction } from '../../../src/storage/transactions.ts';
import { hexToBytes, bytesToHex } from '../../virtual-key/bytes.ts';
import type { RequestHandler } from '../../reference-ca/http.ts';
import { sendJson } from '../../reference-ca/http.ts';
import { defaultPolicy } from '../../reference-ca/policy.ts';
import { sm2KeyPair } from '../../virtual-key/make-state.ts';
import { hidOverUsb, massStorageDevice, silentUsbDevice, smartCardDevice } from '../../virtual-key/other-devices.ts';
import type { UsbDeviceModel } from '../../virtual-key/device-models.ts';
import type { ContainerState, KeyState, Scenario } from '../../virtual-key/state.ts';
import { keysOnDesk, type Clinic, type Patient } from './clinic.ts';
import { authorityKnows, certificateOf, damage, newSlot, renewalRecord, renewedPivKey } from './piv-patients.ts';
import { repair, type WhatRepair } from './repairs.ts';
import { hang, putBehind, resetTheKey, type Trouble } from './troubled-desk.ts';
import { readContent } from '../../../src/guidance/packs/read.ts';
import { updatePack } from '../../../src/service/content-update.ts';
import { clockPort, servicePort } from '../../../src/diagnosis/service-port.ts';
import { makePack, newSigner, type MadePack } from '../service/pack-maker.ts';

/** Something broken, and which check has to say so. */
export interface Situation {
  readonly name: string;
  readonly check: CheckId;
  readonly cause: Cause;
  /** What lies on the desk; nothing without. */
  readonly key?: Scenario | ((clinic: Clinic) => Promise<KeyState>);
  readonly attachment?: KeyState['attachment'];
  /** Breaks it. */
  readonly broken?: (patient: Patient) => Promise<void> | void;
  /** What the person, or the world, does about it; a repair of the page is tried where there is one. */
  readonly mended?: (patient: Patient) => Promise<void> | void;
  /** What other checks say of it. */
  readonly others?: Readonly<Partial<Record<CheckId, string>>>;
  /** The key is waited for in vain. */
  readonly silent?: true;
}

const path = (pathname: string, answer: RequestHandler): RequestHandler => {
  return async (request, response) =>
    (request.url ?? '').startsWith(pathname) ? answer(request, response) : Promise.resolve(false);
};
const status =
  (code: number): RequestHandler =>
  (_request, response) => {
    response.statusCode = code;
    response.end();
    return Promise.resolve(true);
  };
const json =
  (value: unknown): RequestHandler =>
  (_request, response) => {
    sendJson(response, value);
    return Promise.resolve(true);
  };
const cut: RequestHandler = (request) => {
  request.socket.destroy();
  return Promise.resolve(true);
};
const garbage: RequestHandler = (_request, response) => {
  response.setHeader('Content-Type', 'application/pkixcmp');
  response.end(Buffer.from([0x30, 0x03, 0x02, 0x01, 0x05]));
  return Promise.resolve(true);
};
/** The server's clock: this computer's is as much off the other way. */
const dateShifted =
  (ms: number): RequestHandler =>
  (_request, response) => {
    const setHeader = response.setHeader.bind(response);
    response.setHeader('Date', new Date(Date.now() + ms).toUTCString());
    response.setHeader = (name, value) => (name === 'Date' ? response : setHeader(name, value));
    return Promise.resolve(false);
  };

const server =
  (pathname: string, answer: RequestHandler) =>
  (patient: Patient): void => {
    patient.clinic.spoil = path(pathname, answer);
  };
const serverWell = ({ clinic }: Patient): void => {
  clinic.spoil = undefined;
};

/** The server takes four seconds, by this computer's clock, to answer. */
function delayed(patient: Patient, pathname: string): void {
  let late = 0;
  const { clock } = patient.ports;
  patient.ports = { ...patient.ports, clock: { ...clock, elapsed: () => clock.elapsed() + late } };
  patient.clinic.spoil = path(pathname, () => {
    late += 4_000;
    return Promise.resolve(false);
  });
}

/** Breaks the way to a key over CCID; whoever is in it goes away. */
function atReader(trouble: Trouble): Pick<Situation, 'broken' | 'mended'> {
  const now: Trouble = {};
  return {
    broken: (patient) => putBehind(patient, Object.assign(now, trouble)),
    mended: () => void Object.assign(now, { held: false, locked: false }),
  };
}

const withoutSerialNumber = async ({ ca }: Clinic): Promise<KeyState> => {
  const state = await ca.personalise('not-due', 'ccid-extended');
  return { ...state, info: { ...state.info, serialNumber: '' } };
};

const operator = newSigner('office-2026');
/** The operator announces a pack, and this computer looks for a newer one. */
async function announce({ clinic }: Patient, { manifest, bytes }: MadePack): Promise<void> {
  const { kind, url } = manifest;
  clinic.spoil = (request, response) => {
    const isManifest = request.url === `/api/content/${kind}`;
    if (!isManifest && request.url !== url) return Promise.resolve(false);
    response.end(isManifest ? JSON.stringify(manifest) : bytes);
    return Promise.resolve(true);
  };
  await updatePack('/api', kind, [operator.pinned], (content) => void readContent[kind](content));
  clinic.spoil = undefined;
}

/** A stranger in the place of the key. */
const plugged =
  (model: UsbDeviceModel) =>
  async ({ key }: Patient): Promise<void> => {
    await key.unplug();
    key.usb.grant(model);
    await key.usb.plug(model);
  };

const vendorDevice = (
  change: Partial<UsbDeviceModel['interfaces'][number]> = {},
  model: Partial<UsbDeviceModel> = {},
) => ({
  ...silentUsbDevice(
    { vendorId: 0x1d6b, productId: 0x0104, manufacturerName: 'Somebody', productName: 'Reader', serialNumber: '4711' },
    [
      {
        ...{ interfaceNumber: 0, interfaceClass: 0xff, interfaceSubclass: 0, interfaceProtocol: 0 },
        endpoints: [
          { endpointNumber: 1, direction: 'in', type: 'bulk', packetSize: 64 },
          { endpointNumber: 1, direction: 'out', type: 'bulk', packetSize: 64 },
        ],
        ...change,
      },
    ],
  ),
  ...model,
});

const modelRule = (enrolment: string) =>
  server(
    '/api/policy',
    json({ ...defaultPolicyDocument, models: [{ vendorId: '055C', productId: 'E618', enrolment }] }),
  );
const defaultPolicyDocument = policyDocument();
function policyDocument(): Record<string, unknown> {
  const { windowDays, upgradeCutoff, maxExpiredDays, acceptsExpiredSigner, minSecurityBits } = defaultPolicy;
  return {
    ...{ windowDays, upgradeCutoff, maxExpiredDays, acceptsExpiredSigner, minSecurityBits, enrolment: 'open' },
    ...{ retransmission: 'idempotent', upgradePlan: { newKey: true, algorithm: 'sm2' } },
    ...{ renewalAlgorithm: 'sameAsOld', maxLifeDays: 1830 },
  };
}

/** A personalised key, changed. */
const changed =
  (scenario: Scenario, change: (first: ContainerState, state: KeyState) => KeyState | undefined) =>
  async ({ ca }: Clinic): Promise<KeyState> => {
    const state = await ca.personalise(scenario, 'longmai-hid');
    const [first] = state.applications[0]?.containers ?? [];
    if (!first) throw new Error('the key is empty');
    return change(first, state) ?? state;
  };
const cutInHalf = (pair: ContainerState['signing']): void => {
  if (pair?.certificate !== undefined)
    pair.certificate = pair.certificate.slice(0, Math.trunc(pair.certificate.length / 4) * 2);
};
export const firstContainer = (state: KeyState): ContainerState => {
  const [first] = state.applications[0]?.containers ?? [];
  if (!first) throw new Error('the key is empty');
  return first;
};
export const applicationOf = (state: KeyState): string => state.applications[0]?.name ?? '';

export const transactionId = 'ab'.repeat(16);
const otherTransactionId = 'cd'.repeat(16);

/** A journal record about this key: its first container was replaced by `newContainer`. */
export function recordOf(state: KeyState, change: Partial<JournalRecord> = {}): JournalRecord {
  const old = firstContainer(state);
  const application = applicationOf(state);
  return {
    ...{ transactionId, purpose: 'renewal', stage: 'request', keySerialNumber: state.info.serialNumber },
    oldContainer: { application, container: old.name },
    oldCertificate: hexToBytes(old.signing?.certificate ?? ''),
    newContainer: { application, container: `R${transactionId}` },
    ...{ startedAt: Date.now(), updatedAt: Date.now() },
    ...change,
  };
}

const lostFromJournal = async ({ key }: Patient): Promise<void> => {
  const state = key.state();
  const certificate = hexToBytes(firstContainer(state).signing?.certificate ?? '');
  await journalPort.put(recordOf(state, { stage: 'done', newCertificate: certificate }));
  const torn = structuredClone(state);
  cutInHalf(firstContainer(torn).signing);
  await key.reset(torn);
};

/** An empty container of ours, of a transaction the authority says has ended. */
const withLeftover = async (patient: Patient): Promise<void> => {
  const state = patient.key.state();
  const [application] = state.applications;
  application?.containers.push({ name: `R${otherTransactionId}`, id: application.nextContainerId });
  if (application) application.nextContainerId += 1;
  await patient.key.reset(state);
  endedAtAuthority(patient, otherTransactionId);
};

/** What the authority says of a transaction, where making one end like that would take a whole renewal. */
function endedAtAuthority(patient: Patient, ended: string): void {
  const { service } = patient.ports;
  patient.ports = {
    ...patient.ports,
    service: {
      ...service,
      authority: (config) =>
        Promise.resolve({
          lookUp: async (id, signal) =>
            bytesToHex(id) === ended ? { kind: 'withdrawn' } : (await service.authority(config)).lookUp(id, signal),
        }),
    },
  };
}

/** The page's own button, with the password. */
const repaired =
  (what: WhatRepair) =>
  async (patient: Patient): Promise<void> => {
    await repair(patient, what);
  };
const renewedPiv = (clinic: Clinic): Promise<KeyState> =>
  renewedPivKey(clinic, { attachment: 'ccid-extended', algorithm: 'p256' });

const userAgent = {
  phone: 'Mozilla/5.0 (Linux; Android 13; M2012) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36',
  old: 'Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/86.0.4240.198 Safari/537.36',
  firefox: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0',
};

const storageIs =
  (change: Partial<Awaited<ReturnType<Patient['ports']['browser']['storage']>>>) => (patient: Patient) =>
    patient.browser({
      storage: () => Promise.resolve({ state: 'ok', bytesLeft: 1e9, looksPrivate: false, ...change }),
    });
const daysAgo = (days: number): number => Date.now() - days * 86_400_000;

const tableOf = (...table: readonly Situation[]): readonly Situation[] => table;

export const situations = tableOf(
  {
    ...{ name: 'an address without https', check: 'secureContext', cause: 'insecure' },
    broken: (patient) => patient.browser({ secureContext: false }),
    mended: (patient) => patient.browser({ secureContext: true }),
  },
  {
    ...{ name: 'a phone', check: 'browser', cause: 'mobile' },
    broken: (patient) => patient.browser({ identity: identifyBrowser(userAgent.phone) }),
  },
  {
    ...{ name: 'Chrome 86', check: 'browser', cause: 'oldBrowser' },
    broken: (patient) => patient.browser({ identity: identifyBrowser(userAgent.old) }),
  },
  {
    ...{ name: 'Firefox', check: 'interfaces', cause: 'noApi' },
    broken: (patient) =>
      patient.browser({ identity: identifyBrowser(userAgent.firefox), door: () => Promise.resolve('absent') }),
  },
  {
    ...{ name: 'both interfaces forbidden', check: 'interfaces', cause: 'apiForbidden' },
    broken: (patient) => patient.browser({ door: () => Promise.resolve('forbidden') }),
    mended: (patient) => patient.browser({ door: () => Promise.resolve('ready') }),
  },
  {
    ...{ name: 'WebUSB alone forbidden', check: 'interfaces', cause: 'oneWayForbidden' },
    broken: (patient) => patient.browser({ door: (way) => Promise.resolve(way === 'usb' ? 'forbidden' : 'ready') }),
  },
  {
    ...{ name: 'no database', check: 'storage', cause: 'noStorage' },
    broken: storageIs({ state: 'unavailable' }),
  },
  {
    ...{ name: 'a full disk', check: 'storage', cause: 'storageFull' },
    broken: storageIs({ bytesLeft: 100_000 }),
    mended: storageIs({}),
  },
  {
    ...{ name: 'a database that fails', check: 'storage', cause: 'storageFailed' },
    broken: storageIs({ state: 'failed' }),
    mended: storageIs({}),
  },
  {
    ...{ name: 'a private window', check: 'storage', cause: 'privateMode' },
    broken: storageIs({ looksPrivate: true }),
    mended: storageIs({}),
  },
  {
    ...{ name: 'no service workers', check: 'serviceWorker', cause: 'noServiceWorker' },
    broken: (patient) => patient.browser({ serviceWorker: () => Promise.resolve('unsupported') }),
  },
  {
    ...{ name: 'nothing kept for offline', check: 'serviceWorker', cause: 'notKeptOffline' },
    broken: (patient) => patient.browser({ serviceWorker: () => Promise.resolve('none') }),
    mended: (patient) => patient.browser({ serviceWorker: () => Promise.resolve('active') }),
  },
  {
    ...{ name: 'a new version that waits', check: 'serviceWorker', cause: 'updateWaiting' },
    broken: (patient) => patient.browser({ serviceWorker: () => Promise.resolve('waiting') }),
    mended: (patient) => patient.browser({ serviceWorker: () => Promise.resolve('active') }),
  },
  {
    ...{ name: 'centres as of 45 days ago', check: 'content', cause: 'oldContent' },
    broken: () => keep('/api/centres', '[]', daysAgo(45)),
    mended: () => keep('/api/centres', '[]', Date.now()),
  },
  {
    ...{ name: 'copies that cannot be read', check: 'content', cause: 'brokenCache' },
    broken: (patient) => {
      const copyOf = () => Promise.reject(new StorageError('failed', 'no'));
      patient.ports = { ...patient.ports, service: { ...patient.ports.service, copyOf } };
    },
    mended: (patient) => {
      patient.ports = { ...patient.ports, service: servicePort };
    },
  },
  {
    ...{ name: 'content that somebody else has signed', check: 'content', cause: 'contentTampered' },
    broken: (patient) => announce(patient, makePack(newSigner(operator.pinned.keyId), 'guidance', 2, {})),
    mended: (patient) => announce(patient, makePack(operator, 'guidance', 2, {})),
  },
  {
    ...{ name: 'content with one bit turned', check: 'content', cause: 'contentTampered' },
    broken: (patient) => {
      const { manifest, bytes } = makePack(operator, 'guidance', 2, {});
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      return announce(patient, { manifest, bytes });
    },
    mended: (patient) => announce(patient, makePack(operator, 'guidance', 2, {})),
  },
  {
    ...{ name: 'content older than what is in use', check: 'content', cause: 'contentOlder' },
    broken: async (patient) => {
      await announce(patient, makePack(operator, 'guidance', 5, {}));
      await announce(patient, makePack(operator, 'guidance', 4, {}));
    },
    mended: (patient) => announce(patient, makePack(operator, 'guidance', 6, {})),
  },
  {
    ...{ name: 'content in a form that this version cannot show', check: 'content', cause: 'contentRefused' },
    broken: (patient) => announce(patient, makePack(operator, 'guidance', 2, { numbers: 'many' })),
    mended: (patient) => announce(patient, makePack(operator, 'guidance', 3, {})),
  },
  {
    ...{ name: 'the network cable', check: 'network', cause: 'offline' },
    broken: (patient) => {
      patient.browser({ online: () => false });
      patient.clinic.spoil = cut;
    },
    mended: (patient) => {
      patient.browser({ online: () => true });
      serverWell(patient);
    },
  },
  {
    ...{ name: 'a server that cuts connections', check: 'network', cause: 'serverUnreachable' },
    broken: server('/', cut),
    mended: serverWell,
  },
  {
    ...{ name: 'the same with a copy of an earlier visit', check: 'network', cause: 'serverUnreachable' },
    broken: async (patient) => {
      await patient.examine({ only: ['network'] });
      patient.clinic.spoil = cut;
    },
    mended: serverWell,
  },
  {
    ...{ name: 'an operator without configuration', check: 'network', cause: 'serverError' },
    broken: server('/config.json', status(500)),
    mended: serverWell,
  },
  {
    ...{ name: 'a configuration that is none', check: 'network', cause: 'badConfig' },
    broken: server('/config.json', json({ version: 2 })),
    mended: serverWell,
  },
  {
    ...{ name: 'an API that cuts connections', check: 'service', cause: 'apiUnreachable' },
    broken: server('/api/policy', cut),
    mended: serverWell,
  },
  {
    ...{ name: 'an API under maintenance', check: 'service', cause: 'apiError' },
    broken: server('/api/policy', status(503)),
    mended: serverWell,
  },
  {
    ...{ name: 'a policy that is none', check: 'service', cause: 'badPolicy' },
    broken: server('/api/policy', json({ windowDays: 'many' })),
    mended: serverWell,
  },
  {
    ...{ name: 'a computer two days fast', check: 'clock', cause: 'clockWrong', key: 'due-30-days' },
    broken: server('/', dateShifted(-2 * 86_400_000)),
    mended: serverWell,
    others: { expiry: 'skipped: clock' },
  },
  {
    ...{ name: 'a computer a day slow', check: 'clock', cause: 'clockWrong', key: 'expired' },
    broken: server('/', dateShifted(86_400_000 + 60_000)),
    mended: serverWell,
    others: { expiry: 'skipped: clock', certificates: 'ok' },
  },
  {
    ...{ name: 'a server that does not tell the time', check: 'clock', cause: 'clockUnknown' },
    broken: (patient) => {
      patient.ports = { ...patient.ports, clock: { ...patient.ports.clock, skewMs: () => undefined } };
    },
    mended: (patient) => {
      patient.ports = { ...patient.ports, clock: clockPort };
    },
  },
  {
    ...{ name: 'a slow network', check: 'network', cause: 'slow' },
    broken: (patient) => delayed(patient, '/config.json'),
    mended: serverWell,
  },
  {
    ...{ name: 'a slow API', check: 'service', cause: 'slow' },
    broken: (patient) => delayed(patient, '/api/policy'),
    mended: serverWell,
    others: { network: 'ok' },
  },
  {
    ...{ name: 'a slow authority', check: 'authority', cause: 'slow' },
    broken: (patient) => delayed(patient, '/api/enrolments'),
    mended: serverWell,
    others: { network: 'ok', service: 'ok' },
  },
  {
    ...{ name: 'a computer twenty minutes slow', check: 'clock', cause: 'clockOff' },
    broken: server('/', dateShifted(20 * 60_000)),
    mended: serverWell,
  },
  {
    ...{ name: 'an authority that cuts connections', check: 'authority', cause: 'caUnreachable' },
    broken: server('/api/enrolments', cut),
    mended: serverWell,
    others: { network: 'ok', service: 'ok' },
  },
  {
    ...{ name: 'an authority that is busy', check: 'authority', cause: 'caBusy' },
    broken: server('/api/enrolments', status(503)),
    mended: serverWell,
  },
  {
    ...{ name: 'somebody in front of the authority', check: 'authority', cause: 'caUntrusted' },
    broken: server('/api/enrolments', garbage),
    mended: serverWell,
  },
  {
    ...{ name: 'enrolment closed', check: 'authority', cause: 'caClosed' },
    broken: server('/api/policy', json({ ...defaultPolicyDocument, enrolment: 'closed' })),
    mended: serverWell,
  },

  { name: 'no key', check: 'permission', cause: 'notPermitted' },
  {
    ...{ name: 'a key that was never chosen', check: 'permission', cause: 'notPermitted', key: 'not-due' },
    broken: async ({ key }) => {
      for (const device of await key.hid.getDevices()) await device.forget();
      await key.unplug();
      await key.plug();
    },
    // What the browser's chooser does.
    mended: ({ key }) => key.grant(),
  },
  {
    ...{
      name: 'the key of an earlier visit not plugged in',
      check: 'permission',
      cause: 'notPluggedIn',
      key: 'not-due',
    },
    broken: async (patient) => {
      patient.keys({ wasHere: () => Promise.resolve(true) });
      await patient.key.unplug();
    },
    mended: ({ key }) => key.plug(),
  },
  {
    ...{ name: 'two keys', check: 'permission', cause: 'several', key: 'not-due', attachment: 'ccid-extended' },
    broken: async ({ key, clinic }) => {
      const { VirtualKey } = await import('../../virtual-key/virtual-key.ts');
      const { usb, hid } = key;
      const another = new VirtualKey(await clinic.ca.personalise('due-30-days', 'longmai-hid'), { usb, hid });
      another.grant();
      await another.plug();
    },
    mended: async (patient) => {
      const [one] = await keysOnDesk.attached();
      patient.keys({ chosen: () => one });
    },
  },
  {
    ...{ name: 'a key of the smart-card class', check: 'model', cause: 'protectedClass', key: 'not-due' },
    broken: plugged(smartCardDevice()),
  },
  {
    ...{ name: 'a key that is a disk', check: 'model', cause: 'massStorage', key: 'not-due' },
    broken: plugged(massStorageDevice()),
  },
  {
    ...{ name: 'a HID key taken over WebUSB', check: 'model', cause: 'otherWay', key: 'not-due' },
    broken: plugged(
      hidOverUsb({ vendorId: 1, productId: 2, manufacturerName: 'M', productName: 'P', serialNumber: 'S' }),
    ),
    mended: ({ key }) => key.plug(),
  },
  {
    ...{ name: 'a security key', check: 'model', cause: 'fidoOnly', key: 'not-due' },
    broken: plugged(
      hidOverUsb({ vendorId: 1, productId: 2, manufacturerName: 'M', productName: 'FIDO2 Key', serialNumber: 'S' }),
    ),
    mended: ({ key }) => key.plug(),
  },
  {
    ...{ name: 'a model the operator has stopped', check: 'model', cause: 'heldBack', key: 'not-due' },
    broken: modelRule('off'),
    mended: serverWell,
  },
  {
    ...{ name: 'a model that is only read', check: 'model', cause: 'readOnlyModel', key: 'not-due' },
    broken: modelRule('readOnly'),
    mended: serverWell,
  },
  {
    ...{ name: 'another program at the key', check: 'interface', cause: 'busy', key: 'not-due' },
    attachment: 'ccid-extended',
    ...atReader({ held: true }),
    others: { permission: 'ok', model: 'ok', exchange: 'skipped: interface' },
  },
  {
    ...{ name: 'a driver in the way', check: 'interface', cause: 'accessDenied', key: 'not-due' },
    attachment: 'ccid-extended',
    ...atReader({ locked: true }),
  },
  {
    ...{ name: 'another tab at the key', check: 'interface', cause: 'otherTab', key: 'not-due' },
    broken: (patient) => patient.keys({ use: () => Promise.reject(new Error('held')), holder: () => 'otherTab' }),
    mended: (patient) => patient.keys({ use: keysOnDesk.use, holder: keysOnDesk.holder }),
    others: { permission: 'ok', model: 'ok', exchange: 'skipped: interface' },
  },
  {
    ...{ name: 'this page’s own work at the key', check: 'interface', cause: 'ownTask', key: 'not-due' },
    broken: (patient) => patient.keys({ use: () => Promise.reject(new Error('held')), holder: () => 'ownTask' }),
    mended: (patient) => patient.keys({ use: keysOnDesk.use, holder: keysOnDesk.holder }),
  },
  {
    ...{ name: 'a key that does not answer', check: 'interface', cause: 'noAnswer', key: 'not-due' },
    ...{ attachment: 'ccid-extended', silent: true },
    broken: hang,
    mended: resetTheKey,
    others: { permission: 'ok', model: 'ok' },
  },
  {
    ...{ name: 'a key whose answers are none', check: 'interface', cause: 'badAnswer', key: 'not-due' },
    attachment: 'ccid-extended',
    broken: (patient) => putBehind(patient, { lies: true }),
    mended: resetTheKey,
  },
  {
    ...{ name: 'a device that is no key', check: 'interface', cause: 'notAKey', key: 'not-due' },
    broken: plugged(vendorDevice()),
    mended: ({ key }) => key.plug(),
  },
  {
    ...{ name: 'a key pulled out while it is read', check: 'application', cause: 'unplugged', key: 'not-due' },
    broken: ({ key }) => key.unplugAt(60, 'after'),
    mended: ({ key }) => key.plug(),
  },
  {
    ...{ name: 'the same with a key without serial number', check: 'application', cause: 'unpluggedForgotten' },
    ...{ key: withoutSerialNumber, attachment: 'ccid-extended' },
    broken: ({ key }) => key.unplugAt(60, 'after'),
    mended: async ({ key }) => {
      await key.plug();
      // The browser has forgotten it: the person connects it once more.
      key.grant();
    },
  },
  {
    ...{ name: 'an endpoint that stalls', check: 'interface', cause: 'stalled', key: 'not-due' },
    attachment: 'ccid-extended',
    broken: ({ key }) => {
      for (let n = 5; n < 30; n++) key.disturb(n, 'stall');
    },
    mended: ({ key }) => key.disarm(),
  },
  {
    ...{ name: 'a key that was never set up', check: 'application', cause: 'noApplication' },
    key: changed('not-due', (_first, state) => ({ ...state, applications: [] })),
  },
  { name: 'an empty key', check: 'certificates', cause: 'noCertificate', key: 'empty' },
  { name: 'a locked password', check: 'password', cause: 'locked', key: 'locked' },
  { name: 'one try left', check: 'password', cause: 'lastTry', key: 'last-try' },
  {
    ...{ name: 'a torn certificate', check: 'certificates', cause: 'tornCertificate' },
    key: changed('not-due', (first) => {
      cutInHalf(first.signing);
      return undefined;
    }),
  },
  {
    ...{ name: 'a torn encryption certificate', check: 'certificates', cause: 'tornEncryption' },
    key: changed('not-due', (first) => {
      first.encryption = sm2KeyPair();
      cutInHalf(first.encryption);
      return undefined;
    }),
  },
  {
    ...{ name: 'a certificate of another key pair', check: 'keyPair', cause: 'otherKeyPair' },
    key: changed('not-due', (first) => {
      const certificate = first.signing?.certificate;
      if (certificate !== undefined) first.signing = { ...sm2KeyPair({ withCertificate: false }), certificate };
      return undefined;
    }),
  },
  { name: 'somebody else’s certificate', check: 'chain', cause: 'foreign', key: 'foreign' },
  {
    ...{ name: 'a certificate with one bit turned', check: 'chain', cause: 'brokenChain' },
    key: changed('not-due', (first) => {
      // In the last bytes is the signature's s.
      const der = hexToBytes(first.signing?.certificate ?? '');
      const last = der.length - 5;
      der[last] = (der[last] ?? 0) ^ 1;
      if (first.signing) first.signing.certificate = bytesToHex(der);
      return undefined;
    }),
  },
  { name: 'an expired certificate', check: 'expiry', cause: 'expired', key: 'expired' },
  { name: 'a certificate that ends soon', check: 'expiry', cause: 'due', key: 'due-30-days' },
  {
    ...{ name: 'a certificate of tomorrow', check: 'expiry', cause: 'notYetValid', key: 'not-due' },
    broken: (patient) => {
      const { notBefore } = parseCertificate(
        hexToBytes(firstContainer(patient.key.state()).signing?.certificate ?? ''),
      );
      const clock = { ...patient.ports.clock, now: () => new Date(notBefore.getTime() - 1) };
      patient.ports = { ...patient.ports, clock };
    },
  },
  { name: 'a certificate of the old authority', check: 'chain', cause: 'upgradeDue', key: 'old-issuer' },
  {
    ...{ name: 'a revoked certificate', check: 'status', cause: 'revoked', key: 'not-due' },
    broken: ({ clinic, key }) => clinic.ca.revoke(hexToBytes(firstContainer(key.state()).signing?.certificate ?? '')),
  },
  {
    ...{ name: 'an authority that says nothing of certificates', check: 'status', cause: 'statusUnknown' },
    key: 'not-due',
    broken: ({ clinic }) => {
      const [ocsp, crl] = [path('/api/ocsp', status(404)), path('/api/crl', status(404))];
      clinic.spoil = async (request, response) => (await ocsp(request, response)) || crl(request, response);
    },
    mended: serverWell,
  },
  {
    ...{ name: 'a renewal that was begun', check: 'journal', cause: 'pending', key: 'due-30-days' },
    broken: ({ key }) => journalPort.put(recordOf(key.state())),
    mended: () => journalPort.remove(transactionId),
  },
  {
    ...{ name: 'a renewal that was begun with another key', check: 'journal', cause: 'pendingOther', key: 'not-due' },
    broken: ({ key }) => journalPort.put(recordOf(key.state(), { keySerialNumber: 'ANOTHER-7788' })),
    mended: () => journalPort.remove(transactionId),
  },
  {
    ...{ name: 'a journal that was written to by others', check: 'journal', cause: 'brokenJournal', key: 'not-due' },
    broken: () => putTransaction({ transactionId: 'nonsense', keySerialNumber: 'x', updatedAt: 1 }),
    mended: () => journalPort.remove('nonsense'),
  },
  {
    ...{
      name: 'a new certificate torn after its renewal',
      check: 'certificates',
      cause: 'lostCertificate',
      key: 'not-due',
    },
    broken: lostFromJournal,
    mended: repaired('restore'),
  },
  {
    ...{ name: 'the same on a PIV key, name and all', check: 'certificates', cause: 'lostCertificate' },
    ...{ key: renewedPiv, attachment: 'ccid-extended' },
    broken: async (patient) => {
      await journalPort.put(renewalRecord(patient.key.state()));
      await damage(patient, newSlot, 'gone');
    },
    mended: repaired('restore'),
  },
  {
    ...{ name: 'a new certificate gone that the authority has', check: 'leftovers', cause: 'lostCertificate' },
    ...{ key: renewedPiv, attachment: 'ccid-extended' },
    broken: async (patient) => {
      authorityKnows(patient, certificateOf(patient.key.state(), newSlot));
      await damage(patient, newSlot, 'emptied of its certificate');
    },
    mended: repaired('restore'),
  },
  {
    ...{ name: 'an empty container of ours', check: 'leftovers', cause: 'leftover', key: 'not-due' },
    broken: withLeftover,
    mended: repaired('tidy'),
  },
  {
    ...{ name: 'a container of ours that nobody remembers', check: 'leftovers', cause: 'pending', key: 'due-30-days' },
    broken: async (patient) => {
      const state = patient.key.state();
      const [application] = state.applications;
      application?.containers.push({ name: `R${otherTransactionId}`, id: 9 });
      await patient.key.reset(state);
    },
  },
);

async function keep(name: string, text: string, storedAt: number): Promise<void> {
  // Its form is the storage's own business.
  const keepIt = keepDocument as (...values: unknown[]) => Promise<void>;
  await (keepDocument.length === 2 ? keepIt(name, { text, storedAt }) : keepIt(name, text, storedAt));
}

/** What nobody here can break: every other cause has its situation, or is found in Chromium. */
export const elsewhere: readonly Cause[] = (Object.keys(causes) as Cause[]).filter(
  (cause) => !situations.some((one) => one.cause === cause),
);
