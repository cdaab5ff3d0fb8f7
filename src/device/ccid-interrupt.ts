import { parseNotification } from './ccid.ts';
import { bytesOf } from './webusb-interface.ts';

// Bounds against a reader that never stops talking; replies tell of an absent chip too.
const maxNotifications = 4096;
const maxStalls = 3;

/** The interrupt endpoint of a CCID interface. */
export interface InterruptEndpoint {
  readonly endpointNumber: number;
  /** wMaxPacketSize. */
  readonly packetBytes: number;
}

/**
 * Reports that a slot has lost its chip, once, as soon as the reader says so of its own accord (CCID 1.1 §6.3.1). Ends
 * by itself when the device is closed or gone, and never throws.
 */
export async function watchSlot(
  device: USBDevice,
  { endpointNumber, packetBytes }: InterruptEndpoint,
  slot: number,
  onAbsent: () => void,
): Promise<void> {
  try {
    for (let count = 0, stalls = 0; count < maxNotifications && stalls < maxStalls; count++) {
      const { status, data } = await device.transferIn(endpointNumber, packetBytes);
      if (status === 'stall') {
        stalls += 1;
        await device.clearHalt('in', endpointNumber);
      }
      const notification = status === 'ok' ? parseNotification(bytesOf(data)) : undefined;
      if (notification?.kind === 'slotChange' && notification.present[slot] === false) {
        onAbsent();
        return;
      }
    }
  } catch {
    // Closed or pulled out: whoever speaks to the key hears of it there.
  }
}
