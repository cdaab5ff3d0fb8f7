/** A class descriptor (CCID 1.1 §5.1): one slot, all voltages. */
export function ccidDescriptor(features: number, maxMessageBytes: number): Uint8Array {
  const descriptor = new Uint8Array(54);
  const view = new DataView(descriptor.buffer);
  descriptor.set([54, 0x21, 0x10, 0x01, 0, 7]);
  view.setUint32(40, features, true);
  view.setUint32(44, maxMessageBytes, true);
  return descriptor;
}

/** A configuration descriptor (USB 2.0 §9.6.3) with the class descriptor under the interface of this number. */
export function configurationDescriptor(classDescriptor: Uint8Array, interfaceNumber = 0): Uint8Array {
  const endpoints = [
    [7, 5, 0x01, 2, 64, 0, 0],
    [7, 5, 0x81, 2, 64, 0, 0],
  ];
  const body = [9, 4, interfaceNumber, 0, 2, 0xff, 0, 0, 0, ...classDescriptor, ...endpoints.flat()];
  const total = 9 + body.length;
  return Uint8Array.from([9, 2, total & 0xff, total >> 8, 1, 1, 0, 0x80, 50, ...body]);
}
