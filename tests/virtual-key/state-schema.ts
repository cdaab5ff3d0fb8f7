import * as v from 'valibot';
import { attachments, type KeyState, scenarios } from './state.ts';

const hex = v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2})+$/));
const byte = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xff));
const identifier = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff));
const tries = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(15));

const keyPair = v.object({
  algorithm: v.picklist(['sm2', 'rsa']),
  privateKey: hex,
  publicKey: hex,
  certificate: v.exactOptional(hex),
});

const keyState = v.object({
  scenario: v.picklist(scenarios),
  attachment: v.picklist(attachments),
  info: v.object({
    manufacturer: v.string(),
    issuer: v.string(),
    label: v.string(),
    serialNumber: v.string(),
    firmwareVersion: v.tuple([byte, byte]),
    maxContainers: byte,
  }),
  applications: v.array(
    v.object({
      name: v.string(),
      id: identifier,
      userPassword: v.string(),
      maxTries: tries,
      remainingTries: tries,
      nextContainerId: identifier,
      containers: v.array(
        v.object({
          name: v.string(),
          id: identifier,
          signing: v.exactOptional(keyPair),
          encryption: v.exactOptional(keyPair),
        }),
      ),
    }),
  ),
});

/** A state from the browser's storage or the demo's server; undefined when it is not one. */
export function readKeyState(value: unknown): KeyState | undefined {
  const result = v.safeParse(keyState, value);
  return result.success ? result.output : undefined;
}
