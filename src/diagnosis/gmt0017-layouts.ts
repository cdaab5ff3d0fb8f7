import { bytesEqual } from '../pki/bytes.ts';
import { sm2DefaultId } from '../pki/sm2.ts';
import type { CommandLayouts } from './layouts.ts';
import type { Layout, Slicer } from './slices.ts';

/*
 * Which bytes of GM/T 0017's commands and answers may be told, as a list of what may: sizes, versions, algorithm masks,
 * counters and the maker's name. Everything else has a name and no contents. Integers are little-endian.
 */

const applicationId: Layout = (fields) => fields.hide('applicationId', 2);
const inContainer: Layout = (fields) => {
  applicationId(fields);
  fields.hide('containerId', 2);
};
const inApplicationByName: Layout = (fields) => {
  applicationId(fields);
  fields.hideRest('containerName');
};
const inContainerThen =
  (more: Layout): Layout =>
  (fields) => {
    inContainer(fields);
    more(fields);
  };

/** NUL-separated names, with or without NULs at the end. */
const names =
  (kind: 'applicationName' | 'containerName'): Layout =>
  (fields) => {
    while (fields.remaining > 0) {
      const end = fields.peek(fields.remaining).indexOf(0);
      fields.hide(kind, end < 0 ? fields.remaining : end);
      if (end >= 0) fields.keep(1);
    }
  };

const isFlag = ([byte]: Uint8Array): boolean => byte === 0 || byte === 1;
const keyBits = [0, 256, 1024, 2048, 3072, 4096];
const keepBits = (fields: Slicer, size: 2 | 4): void => {
  const bits = fields.peekInteger(size);
  fields.keep(size, () => keyBits.includes(bits));
};

/** Length 4 ‖ DER. */
const certificate: Layout = (fields) => {
  const length = fields.peekInteger(4);
  fields.keep(4, () => length === fields.remaining - 4);
  fields.hideRest('certificate');
};

/** GetDevInfo's 288 bytes (GM/T 0016 DEVINFO and the key's limits). */
const devInfo: Layout = (fields) => {
  if (fields.remaining !== 288) return;
  fields.keep(2 + 2 + 64); // versions of structure and specification, manufacturer
  fields.hide('issuer', 64);
  fields.hide('label', 32);
  fields.hide('serialNumber', 32);
  fields.keep(2 + 2); // versions of hardware and firmware
  fields.keep(4 + 4 + 4 + 4); // symmetric, asymmetric, hash algorithms, device authentication
  fields.keep(4); // total space
  fields.hide('other', 4); // free space
  fields.keep(2 + 2 + 2 + 1 + 1 + 2); // MaxApdu, UserAuth, device type, containers, certificates, files
  fields.hide('other', 54); // reserved
};

const openedApplication: Layout = (fields) => {
  fields.hide('other', 4); // rights
  fields.keep(1 + 1 + 2); // containers, certificates, files
  applicationId(fields);
};

const pinInfo: Layout = (fields) => {
  fields.keep(2, ([maximum = 0, remaining = 0]) => remaining <= maximum);
  fields.hide('other', 1); // whether the password is still the first one
};

const containerInfo: Layout = (fields) => {
  fields.keep(1, ([type = 0]) => type <= 2);
  keepBits(fields, 4);
  keepBits(fields, 4);
  fields.keep(1, isFlag);
  fields.keep(1, isFlag);
};

/** bits 4 ‖ two numbers, each of 32 bytes, or of 64. */
const eccPair =
  (kind: 'publicKey' | 'signature'): Layout =>
  (fields) => {
    if (fields.remaining !== 68 && fields.remaining !== 132) return;
    keepBits(fields, 4);
    fields.hideRest(kind);
  };

const publicKey: Layout = (fields) => {
  if (fields.remaining === 68 || fields.remaining === 132) {
    eccPair('publicKey')(fields);
    return;
  }
  keepBits(fields, 2);
  fields.hideRest('publicKey');
};

const rawMessage: Layout = (fields) => {
  const length = fields.peekInteger(4);
  fields.keep(4, () => length <= fields.remaining - 4);
  if (bytesEqual(fields.peek(length), sm2DefaultId)) fields.keep(length);
  else fields.hide('signerId', length);
  fields.hideRest('message');
};

export const gmt0017Layouts: CommandLayouts = ({ ins, p1 }) => {
  switch (ins) {
    case 0x04:
      return { answer: devInfo };
    case 0x14:
      return { command: applicationId, answer: pinInfo };
    case 0x18:
      return {
        command: (fields) => {
          applicationId(fields);
          fields.hide('passwordProof', 16);
        },
      };
    case 0x1c:
    case 0x28:
      return { command: applicationId };
    case 0x22:
      return { answer: names('applicationName') };
    case 0x26:
      return { command: (fields) => fields.hideRest('applicationName'), answer: openedApplication };
    case 0x40:
    case 0x42:
      return { command: inApplicationByName, answer: (fields) => fields.hide('containerId', 2) };
    case 0x44:
      return { command: inContainer };
    case 0x46:
      return { command: applicationId, answer: names('containerName') };
    case 0x48:
      return { command: inApplicationByName };
    case 0x4a:
      return { command: inApplicationByName, answer: containerInfo };
    case 0x4c:
      return {
        command: inContainerThen((fields) => {
          fields.keep(1, isFlag);
          certificate(fields);
        }),
      };
    case 0x4e:
      return { command: inContainer, answer: certificate };
    case 0x50:
      return { answer: (fields) => fields.hideRest('challenge') };
    case 0x54:
      return { command: inContainerThen((fields) => keepBits(fields, 2)), answer: (f) => f.hideRest('publicKey') };
    case 0x58:
      return {
        command: inContainerThen((fields) => fields.hideRest(p1 === 1 ? 'message' : 'digest')),
        answer: (fields) => fields.hideRest('signature'),
      };
    case 0x70:
      return { command: inContainerThen((fields) => keepBits(fields, 4)), answer: (f) => f.hideRest('publicKey') };
    case 0x74:
      return {
        command: inContainerThen(p1 === 1 ? rawMessage : (fields) => fields.hideRest('digest')),
        answer: eccPair('signature'),
      };
    case 0x88:
      return { command: inContainer, answer: publicKey };
    default:
      return {};
  }
};
