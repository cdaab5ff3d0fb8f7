import type { UsbDeviceModel } from '../virtual-key/device-models.ts';
import { FaultPlan } from '../virtual-key/faults.ts';
import { type KeyBodyOptions, makeKeyBody } from '../virtual-key/key-body.ts';
import type { KeyState } from '../virtual-key/state.ts';
import { hidFunction } from './hid-function.ts';
import { type Submit, urbStatus } from './usbip-protocol.ts';
import { type TransferWatch, UsbIpServer } from './usbip-server.ts';

export interface PlugOptions {
  /** Called when a host has taken the device, and when it has let go of it. */
  readonly onImport?: (imported: boolean) => void;
}

/** A device with a cable: plugged into a USB/IP port, pulled out, plugged in again with the same memory. */
export class DeviceOnTheBus {
  readonly model: UsbDeviceModel;
  readonly #watch: TransferWatch | undefined;
  readonly #options: PlugOptions;
  #server: UsbIpServer | undefined;
  #closing: Promise<void> = Promise.resolve();

  constructor(model: UsbDeviceModel, options: PlugOptions = {}, watch?: TransferWatch) {
    this.model = model;
    this.#options = options;
    this.#watch = watch;
  }

  get plugged(): boolean {
    return this.#server !== undefined;
  }

  /** @returns the port, the one asked for unless that was 0 */
  async plug(port: number): Promise<number> {
    await this.#closing;
    this.#server ??= await UsbIpServer.listen(this.model, port, {
      ...this.#options,
      ...(this.#watch ? { watch: this.#watch } : {}),
    });
    return this.#server.port;
  }

  /** Out at once; resolves when it can be plugged in again. */
  async unplug(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server) this.#closing = server.close();
    await this.#closing;
  }
}

const hidClass = 0x03;
/** bmRequestType: bits 6 and 5 say "vendor" (USB 2.0 table 9-2). */
const isVendorRequest = ([requestType = 0]: Uint8Array): boolean => (requestType & 0x60) === 0x40;

/**
 * Whether a transfer is a part of a message to or from the key. Standard and class requests are the host's own business as
 * well as ours, and a reader's notices (on an interrupt endpoint beside its bulk endpoints) come when they like.
 */
function carriesMessage(model: UsbDeviceModel, { endpointNumber, setup }: Submit): boolean {
  if (endpointNumber === 0) return isVendorRequest(setup);
  return model.interfaces.some(
    ({ interfaceClass, endpoints }) =>
      interfaceClass === hidClass ||
      endpoints.some((endpoint) => endpoint.endpointNumber === endpointNumber && endpoint.type === 'bulk'),
  );
}

export interface BusKeyOptions extends KeyBodyOptions, PlugOptions {
  /** Gives it other descriptors. */
  readonly as?: (model: UsbDeviceModel) => UsbDeviceModel;
}

/** The virtual key behind a USB/IP port. */
export class KeyOnTheBus extends DeviceOnTheBus {
  readonly faults: FaultPlan;
  readonly #state: () => KeyState;

  constructor(state: KeyState, options: BusKeyOptions = {}) {
    const faults = new FaultPlan();
    const { memory, usb, hid } = makeKeyBody(state, faults, options);
    const model = hid ? hidFunction(hid) : usb;
    super(options.as?.(model) ?? model, options, async (urb, run) => {
      const fault = carriesMessage(this.model, urb) ? faults.next('transfer') : undefined;
      if (fault === 'before') {
        faults.cut();
        return { status: urbStatus.unlinked, actualLength: 0 };
      }
      const completion = await run();
      if (fault === 'after') {
        await this.model.idle();
        faults.cut();
      }
      return completion;
    });
    faults.cut = () => void this.unplug();
    this.faults = faults;
    this.#state = () => structuredClone(memory.state);
  }

  /** A copy of what the key holds between power-downs. */
  state(): KeyState {
    return this.#state();
  }
}
