/*
 * The messages of USB/IP 1.1.1, as pure functions of bytes (Linux kernel, Documentation/usb/usbip_protocol.rst). All
 * integers are big-endian, except the eight bytes of a SETUP packet, which are little-endian as on the wire (USB 2.0 §9.3).
 *
 * A connection begins with operations (list the exported devices, import one of them). From a successful import on it
 * carries URBs: CMD_SUBMIT and CMD_UNLINK from the host, RET_SUBMIT and RET_UNLINK back, matched by sequence number.
 */

import type { UsbDeviceModel } from '../virtual-key/device-models.ts';

const version = 0x0111;
const operation = { listRequest: 0x8005, listReply: 0x0005, importRequest: 0x8003, importReply: 0x0003 } as const;
const command = { submit: 1, unlink: 2, submitReply: 3, unlinkReply: 4 } as const;
/** USBIP_DIR_IN; OUT is 0. */
const directionIn = 1;

const operationHeaderBytes = 8;
const busIdBytes = 32;
const pathBytes = 256;
const deviceBytes = 312;
const urbHeaderBytes = 48;
/** No transfer of a key comes near it; more is a confused or hostile peer. */
const maxTransferBytes = 1024 * 1024;

/** Status of an operation's reply. */
export const operationStatus = { ok: 0, notAvailable: 1, busy: 2, error: 3, noDevice: 4 } as const;

/** Linux errno values as an URB's status carries them. */
export const urbStatus = { ok: 0, stall: -32, overflow: -75, unlinked: -104 } as const;

/** USB_SPEED_FULL: 12 Mbit/s, to which bulk packets of 64 bytes belong. */
const fullSpeed = 2;

/** The peer speaks something else: the connection is of no use any more. */
export class UsbIpFormatError extends Error {
  override readonly name = 'UsbIpFormatError';
}

export type OperationRequest =
  | { readonly type: 'list' }
  /** @property busId at most 31 ASCII characters */
  | { readonly type: 'import'; readonly busId: string };

export interface Submit {
  readonly type: 'submit';
  readonly sequence: number;
  readonly direction: 'in' | 'out';
  /** 0..15, without the direction bit. */
  readonly endpointNumber: number;
  /** transfer_buffer_length: room for the answer of an IN transfer, length of `data` of an OUT transfer. */
  readonly length: number;
  /** The SETUP packet; zeros unless the endpoint is 0. */
  readonly setup: Uint8Array;
  readonly data: Uint8Array;
}

export interface Unlink {
  readonly type: 'unlink';
  readonly sequence: number;
  /** The sequence number of the submit that is given up. */
  readonly target: number;
}

/** A message taken from the front of what arrived, and how many bytes it was. */
export interface Taken<Message> {
  readonly message: Message;
  readonly bytes: number;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Reads an operation's request, or undefined while it is not whole. @throws UsbIpFormatError */
export function readOperation(received: Uint8Array): Taken<OperationRequest> | undefined {
  if (received.length < operationHeaderBytes) return undefined;
  const code = viewOf(received).getUint16(2);
  if (code === operation.listRequest) return { message: { type: 'list' }, bytes: operationHeaderBytes };
  if (code !== operation.importRequest) throw new UsbIpFormatError(`operation ${code.toString(16)}`);
  const end = operationHeaderBytes + busIdBytes;
  if (received.length < end) return undefined;
  const field = received.subarray(operationHeaderBytes, end);
  const zero = field.indexOf(0);
  const busId = new TextDecoder('latin1').decode(field.subarray(0, zero < 0 ? busIdBytes : zero));
  return { message: { type: 'import', busId }, bytes: end };
}

/**
 * Reads CMD_SUBMIT or CMD_UNLINK, or undefined while it is not whole.
 *
 *     0 command · 4 seqnum · 8 devid · 12 direction · 16 ep
 *     CMD_SUBMIT: 20 transfer_flags · 24 transfer_buffer_length · 28 start_frame · 32 number_of_packets · 36 interval
 *                 · 40 setup[8] · 48 data of an OUT transfer
 *     CMD_UNLINK: 20 seqnum of the submit · 24 padding[24]
 *
 * @throws UsbIpFormatError for another command, an isochronous transfer or one that is too long
 */
export function readUrbCommand(received: Uint8Array): Taken<Submit | Unlink> | undefined {
  if (received.length < urbHeaderBytes) return undefined;
  const view = viewOf(received);
  const code = view.getUint32(0);
  const sequence = view.getUint32(4);
  if (code === command.unlink)
    return { message: { type: 'unlink', sequence, target: view.getUint32(20) }, bytes: urbHeaderBytes };
  if (code !== command.submit) throw new UsbIpFormatError(`command ${code}`);
  const direction = view.getUint32(12) === directionIn ? 'in' : 'out';
  const length = view.getUint32(24);
  const packets = view.getInt32(32);
  if (length > maxTransferBytes) throw new UsbIpFormatError(`a transfer of ${length} bytes`);
  if (packets > 0) throw new UsbIpFormatError('an isochronous transfer');
  const bytes = urbHeaderBytes + (direction === 'out' ? length : 0);
  if (received.length < bytes) return undefined;
  return {
    message: {
      type: 'submit',
      sequence,
      direction,
      endpointNumber: view.getUint32(16) & 0x0f,
      length,
      setup: received.slice(40, urbHeaderBytes),
      data: received.slice(urbHeaderBytes, bytes),
    },
    bytes,
  };
}

function operationReply(code: number, status: number, ...body: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(operationHeaderBytes);
  const view = viewOf(header);
  view.setUint16(0, version);
  view.setUint16(2, code);
  view.setUint32(4, status);
  return Buffer.concat([header, ...body]);
}

/**
 * One exported device, 312 bytes: 0 path[256] · 256 busid[32] · 288 busnum · 292 devnum · 296 speed · 300 idVendor16
 * · 302 idProduct16 · 304 bcdDevice16 · 306 bDeviceClass, SubClass, Protocol · 309 bConfigurationValue
 * · 310 bNumConfigurations · 311 bNumInterfaces
 */
function exportedDevice(busId: string, { identity, interfaces }: UsbDeviceModel): Uint8Array {
  const device = new Uint8Array(deviceBytes);
  const view = viewOf(device);
  const ascii = new TextEncoder();
  device.set(ascii.encode(`/sys/devices/virtual/usb/${busId}`).subarray(0, pathBytes - 1));
  device.set(ascii.encode(busId).subarray(0, busIdBytes - 1), pathBytes);
  view.setUint32(288, 1);
  view.setUint32(292, 2);
  view.setUint32(296, fullSpeed);
  view.setUint16(300, identity.vendorId);
  view.setUint16(302, identity.productId);
  view.setUint16(304, 0x0100);
  device.set([0, 0, 0, 1, 1, interfaces.length], 306);
  return device;
}

/** OP_REP_DEVLIST: the number of devices, then each with its interfaces' class, subclass and protocol. */
export function listReply(busId: string, model: UsbDeviceModel): Uint8Array {
  const count = Uint8Array.of(0, 0, 0, 1);
  const interfaces = model.interfaces.map(({ interfaceClass, interfaceSubclass, interfaceProtocol }) =>
    Uint8Array.of(interfaceClass, interfaceSubclass, interfaceProtocol, 0),
  );
  return operationReply(operation.listReply, operationStatus.ok, count, exportedDevice(busId, model), ...interfaces);
}

/** OP_REP_IMPORT: the device that is imported. */
export function importReply(busId: string, model: UsbDeviceModel): Uint8Array {
  return operationReply(operation.importReply, operationStatus.ok, exportedDevice(busId, model));
}

/** OP_REP_IMPORT that refuses: a header alone. */
export function importRefusal(status: number): Uint8Array {
  return operationReply(operation.importReply, status);
}

function urbReply(code: number, sequence: number, status: number, actualLength: number): Uint8Array {
  const header = new Uint8Array(urbHeaderBytes);
  const view = viewOf(header);
  view.setUint32(0, code);
  view.setUint32(4, sequence);
  view.setInt32(20, status);
  view.setUint32(24, actualLength);
  return header;
}

/** How a transfer ended: its status, how many bytes went, and those of an IN transfer. */
export interface Completion {
  readonly status: number;
  readonly actualLength: number;
  readonly data?: Uint8Array;
}

/** RET_SUBMIT: 20 status · 24 actual_length · 28 start_frame · 32 number_of_packets · 36 error_count · data of an IN transfer. */
export function submitReply(sequence: number, { status, actualLength, data }: Completion): Uint8Array {
  const header = urbReply(command.submitReply, sequence, status, actualLength);
  return data ? Buffer.concat([header, data]) : header;
}

/** RET_UNLINK. @param unlinked false when the transfer had ended before */
export function unlinkReply(sequence: number, unlinked: boolean): Uint8Array {
  return urbReply(command.unlinkReply, sequence, unlinked ? urbStatus.unlinked : urbStatus.ok, 0);
}
