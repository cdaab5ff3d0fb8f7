import { vi } from 'vitest';
import { authorisedKeys } from '../../../src/usbkey/connect.ts';
import type { UsbDeviceModel } from '../../virtual-key/device-models.ts';
import { FaultPlan } from '../../virtual-key/faults.ts';
import { makeKeyBody } from '../../virtual-key/key-body.ts';
import type { Examined, Patient } from './clinic.ts';
import type { RunOptions } from '../../../src/diagnosis/run-checks.ts';

/** What is wrong with a reader on the desk, or with who else has it; changed while it is plugged in. */
export interface Trouble {
  /** Another program has its interface. */
  held?: boolean;
  /** A driver keeps everybody else from opening it. */
  locked?: boolean;
  /** What it sends is not what its framing allows, until it is reset. */
  lies?: boolean;
}

/** bMessageType of RDR_to_PC_DataBlock (CCID 1.1 §6.2.1). */
const dataBlock = 0x80;

/** Its dwLength, little-endian in bytes 1 to 4, is of gigabytes. */
function announcingTooMuch(packet: Uint8Array): Uint8Array {
  const lie = packet.slice();
  lie[4] = 0x7f;
  return lie;
}

/** Puts the patient's key, over CCID, behind a reader with troubles, in the place of the one it is in. */
export async function putBehind({ key }: Patient, trouble: Trouble): Promise<void> {
  const { usb } = makeKeyBody(key.state(), new FaultPlan());
  const model: UsbDeviceModel = {
    identity: usb.identity,
    interfaces: usb.interfaces.map((face) => ({
      ...face,
      get heldElsewhere() {
        return trouble.held === true;
      },
    })),
    get notOpenable() {
      return trouble.locked === true;
    },
    powerUp: (send) =>
      usb.powerUp((endpoint, packet) => {
        const isLie = trouble.lies === true && packet[0] === dataBlock;
        send(endpoint, isLie ? announcingTooMuch(packet) : packet);
      }),
    powerDown: () => usb.powerDown(),
    reset: () => {
      trouble.lies = false;
      usb.reset();
    },
    receive: (endpoint, data) => usb.receive(endpoint, data),
    controlIn: (setup, length) => usb.controlIn(setup, length),
    controlOut: (setup, data) => usb.controlOut(setup, data),
    idle: () => usb.idle(),
  };
  await key.unplug();
  key.usb.grant(model);
  await key.usb.plug(model);
}

/** From now on no endpoint of the key's reader answers, until it is reset. */
export async function hang({ key }: Patient): Promise<void> {
  for (const device of await key.usb.getDevices()) device.hang();
}

/** The page's own “restart the USBKEY”. */
export async function resetTheKey(): Promise<void> {
  for (const { device } of await authorisedKeys()) await device.reset?.();
}

/** Examines with a clock that runs through the time in which nothing but the key's silence is waited for. */
export async function examineInFastTime(patient: Patient): Promise<Examined> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    const now = { waitsForKey: false, over: false };
    const onProgress: RunOptions['onProgress'] = (results) => {
      const isDone = (id: string): boolean => results.some((one) => one.id === id && one.at === 'done');
      now.waitsForKey = ['network', 'service', 'clock', 'authority', 'model'].every(isDone);
    };
    const examining = patient.examine({ onProgress }).finally(() => (now.over = true));
    // The server is a real one, and answers in its own time.
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    while (!now.over) {
      await turn();
      if (now.waitsForKey) await vi.advanceTimersByTimeAsync(100);
    }
    return await examining;
  } finally {
    vi.useRealTimers();
  }
}
