/** A USB device as the fakes of WebUSB and WebHID see it: descriptors, and what it does with bytes. */
export interface UsbIdentity {
  readonly vendorId: number;
  readonly productId: number;
  readonly manufacturerName: string;
  readonly productName: string;
  /** null: the device has none, and browsers forget it when it is unplugged. */
  readonly serialNumber: string | null;
}

export interface UsbEndpointModel {
  readonly endpointNumber: number;
  readonly direction: 'in' | 'out';
  readonly type: 'bulk' | 'interrupt';
  readonly packetSize: number;
}

export interface UsbInterfaceModel {
  readonly interfaceNumber: number;
  readonly interfaceClass: number;
  readonly interfaceSubclass: number;
  readonly interfaceProtocol: number;
  readonly endpoints: readonly UsbEndpointModel[];
  /** Class-specific descriptors that stand between the interface and its endpoints. */
  readonly classDescriptor?: Uint8Array;
  /** A driver, another program or another tab holds it. */
  readonly heldElsewhere?: boolean;
}

/** Takes one packet (at most the endpoint's packet size) from the device towards the host. */
export type PacketSink = (endpointNumber: number, packet: Uint8Array) => void;

export interface UsbDeviceModel {
  readonly identity: UsbIdentity;
  readonly interfaces: readonly UsbInterfaceModel[];
  /** The operating system lets nobody open it. */
  readonly notOpenable?: boolean;
  powerUp(send: PacketSink): void;
  powerDown(): void;
  /** USB bus reset: volatile state is lost, the connection stays. */
  reset(): void;
  /** The bytes of one OUT transfer. False: the endpoint stalls. */
  receive(endpointNumber: number, data: Uint8Array): boolean;
  /** A class or vendor request. undefined or false: stall. */
  controlIn(setup: USBControlTransferParameters, length: number): Uint8Array | undefined;
  controlOut(setup: USBControlTransferParameters, data: Uint8Array): boolean;
  /** Resolves when everything received so far has been carried out. */
  idle(): Promise<void>;
}

export interface HidDeviceModel {
  readonly identity: UsbIdentity;
  /** Top-level collections, as WebHID shows them. */
  readonly collections: readonly HIDCollectionInfo[];
  /** Bytes of an output report, without its id; there is one, with id 0. */
  readonly outputReportBytes: number;
  readonly notOpenable?: boolean;
  powerUp(send: (report: Uint8Array) => void): void;
  powerDown(): void;
  receive(report: Uint8Array): void;
  /** Resolves when everything received so far has been carried out. */
  idle(): Promise<void>;
}

/** USB device descriptor (USB 2.0 §9.6.1): 2.0, packet size 64, class per interface, one configuration. */
export function deviceDescriptor({ vendorId, productId, serialNumber }: UsbIdentity): Uint8Array {
  const descriptor = new Uint8Array(18);
  const view = new DataView(descriptor.buffer);
  descriptor.set([18, 1]);
  view.setUint16(2, 0x0200, true);
  descriptor[7] = 64;
  view.setUint16(8, vendorId, true);
  view.setUint16(10, productId, true);
  view.setUint16(12, 0x0100, true);
  descriptor.set([1, 2, serialNumber === null ? 0 : 3, 1], 14);
  return descriptor;
}

/** Configuration, interface, class and endpoint descriptors in one piece (USB 2.0 §9.6.3 and on). */
export function configurationDescriptor(interfaces: readonly UsbInterfaceModel[]): Uint8Array {
  const body = interfaces.flatMap((face) => [
    ...[9, 4, face.interfaceNumber, 0, face.endpoints.length],
    ...[face.interfaceClass, face.interfaceSubclass, face.interfaceProtocol, 0],
    ...(face.classDescriptor ?? []),
    ...face.endpoints.flatMap(({ endpointNumber, direction, type, packetSize }) => [
      ...[7, 5, endpointNumber | (direction === 'in' ? 0x80 : 0), type === 'bulk' ? 2 : 3],
      ...[packetSize & 0xff, packetSize >> 8, type === 'bulk' ? 0 : 16],
    ]),
  ]);
  const total = 9 + body.length;
  return Uint8Array.of(9, 2, total & 0xff, total >> 8, interfaces.length, 1, 0, 0x80, 50, ...body);
}
