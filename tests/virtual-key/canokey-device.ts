import type { Card } from './card.ts';
import { CcidDevice } from './ccid-device.ts';
import type { PacketSink, UsbDeviceModel, UsbIdentity, UsbInterfaceModel } from './device-models.ts';
import { PowerCutError } from './faults.ts';

/** Vendor requests to the interface, all on endpoint 0. */
const requests = { command: 0x00, response: 0x01, state: 0x02 } as const;
const states = { ready: 0, processing: 1, holding: 4, idle: 0xff } as const;
type State = (typeof states)[keyof typeof states];

const interfaceNumber = 1;
const maxCommandBytes = 1340;
const maxResponseBytes = 1500;
const holdMilliseconds = 2000;

/**
 * A CanoKey: one card behind two doors, a vendor-class interface without endpoints, over which pages send it APDUs in
 * control transfers, and a smart-card interface beside it. Whoever has sent a command holds the card's only buffer; a
 * page for two seconds after its last request.
 */
export class CanokeyDevice implements UsbDeviceModel {
  readonly identity: UsbIdentity;
  readonly interfaces: readonly UsbInterfaceModel[];
  readonly #card: Card;
  readonly #reader: CcidDevice;
  readonly #now: () => number;
  #state: State = states.idle;
  #response: Uint8Array = new Uint8Array(0);
  #lastRequest = 0;
  /** Commands that the reader is waiting for. */
  #readersCommands = 0;
  #work: Promise<void> = Promise.resolve();

  /** @param now milliseconds of a clock that does not jump */
  constructor(card: Card, identity: UsbIdentity, now: () => number = () => performance.now()) {
    this.#card = card;
    this.identity = identity;
    this.#now = now;
    const face = { interfaceClass: 0x0b, interfaceNumber: 0, isFree: () => this.#current === states.idle } as const;
    this.#reader = new CcidDevice(this.#cardForReader(), identity, face);
    this.interfaces = [
      ...this.#reader.interfaces,
      { interfaceNumber, interfaceClass: 0xff, interfaceSubclass: 0xff, interfaceProtocol: 0xff, endpoints: [] },
    ];
  }

  powerUp(send: PacketSink): void {
    this.reset();
    this.#reader.powerUp(send);
  }

  powerDown(): void {
    this.#reader.powerDown();
    this.#state = states.idle;
    this.#card.powerDown();
  }

  reset(): void {
    this.#reader.reset();
    this.#state = states.idle;
    this.#card.powerUp();
  }

  receive(endpointNumber: number, data: Uint8Array): boolean {
    return this.#reader.receive(endpointNumber, data);
  }

  controlOut(setup: USBControlTransferParameters, data: Uint8Array): boolean {
    if (!isOurs(setup)) return setup.index === 0 && this.#reader.controlOut(setup);
    const state = this.#requested();
    if (setup.request !== requests.command || data.length === 0) return false;
    if ((state !== states.idle && state !== states.holding) || this.#readersCommands > 0) return false;
    if (data.length > maxCommandBytes) return false;
    this.#state = states.processing;
    this.#work = this.#carryOut(data);
    return true;
  }

  controlIn(setup: USBControlTransferParameters, length: number): Uint8Array | undefined {
    if (!isOurs(setup)) return undefined;
    const state = this.#requested();
    if (setup.request === requests.state) return Uint8Array.of(state);
    if (setup.request !== requests.response || state !== states.ready) return undefined;
    this.#state = states.holding;
    return this.#response.slice(0, Math.min(length, maxResponseBytes));
  }

  async idle(): Promise<void> {
    await Promise.all([this.#work, this.#reader.idle()]);
  }

  async #carryOut(command: Uint8Array): Promise<void> {
    try {
      this.#response = await this.#card.transmit(command, () => undefined);
      this.#state = states.ready;
    } catch (error) {
      if (!(error instanceof PowerCutError)) throw error;
    }
  }

  /** The state, after the buffer was let go if nobody asked for two seconds. */
  get #current(): State {
    if (this.#state === states.holding && this.#now() - this.#lastRequest > holdMilliseconds) this.#state = states.idle;
    return this.#state;
  }

  #requested(): State {
    const state = this.#current;
    this.#lastRequest = this.#now();
    return state;
  }

  /** The reader switches the card off and on for itself only: a page's card has power as long as the key has. */
  #cardForReader(): Card {
    const card = this.#card;
    return {
      apduLevel: card.apduLevel,
      maxCommandBytes: card.maxCommandBytes,
      answerToReset: card.answerToReset,
      powerUp: () => card.powerUp(),
      powerDown: () => card.powerUp(),
      transmit: async (command, onSlow) => {
        this.#readersCommands += 1;
        try {
          return await card.transmit(command, onSlow);
        } finally {
          this.#readersCommands -= 1;
        }
      },
    };
  }
}

const isOurs = ({ requestType, recipient, index }: USBControlTransferParameters): boolean =>
  requestType === 'vendor' && recipient === 'interface' && index === interfaceNumber;
