import * as v from 'valibot';
import {
  allAttachments,
  commandSets,
  goTogether,
  type KeyState,
  pivAlgorithms,
  pivManagementAlgorithms,
  pivPinPolicies,
  scenarios,
} from './state.ts';

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

const pivState = v.object({
  pin: v.pipe(v.string(), v.regex(/^[\x21-\x7e]{6,8}$/)),
  maxTries: v.pipe(tries, v.minValue(1)),
  remainingTries: tries,
  managementKey: v.object({ algorithm: v.picklist(pivManagementAlgorithms), key: hex, pinProtected: v.boolean() }),
  slots: v.array(
    v.object({
      slot: v.pipe(v.string(), v.regex(/^[89][0-9a-f]$/)),
      algorithm: v.picklist(pivAlgorithms),
      privateKey: hex,
      publicKey: hex,
      pinPolicy: v.picklist(pivPinPolicies),
    }),
  ),
  objects: v.array(v.object({ tag: hex, data: hex })),
  features: v.object({
    metadata: v.boolean(),
    moveKey: v.boolean(),
    sm2Algorithm: v.exactOptional(byte),
    retiredSlots: v.array(v.pipe(byte, v.minValue(0x82), v.maxValue(0x95))),
  }),
});

const keyState = v.object({
  scenario: v.picklist(scenarios),
  attachment: v.picklist(allAttachments),
  commandSet: v.exactOptional(v.picklist(commandSets)),
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
  piv: v.exactOptional(pivState),
});

/** A state from the browser's storage or the demo's server; undefined when it is not one. */
export function readKeyState(value: unknown): KeyState | undefined {
  const result = v.safeParse(keyState, value);
  if (!result.success) return undefined;
  const { attachment, commandSet = 'gmt0017', piv } = result.output;
  return goTogether(attachment, commandSet) && (commandSet === 'piv') === (piv !== undefined)
    ? result.output
    : undefined;
}
