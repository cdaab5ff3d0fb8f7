import { toHex } from '../apdu/hex.ts';
import type { FakeUsb } from './fakes.ts';

/** bRequest 2 answers with one of these. */
export const state = { ready: 0, processing: 1, sent: 2, receiving: 3, holding: 4, idle: 0xff } as const;

export interface CanokeyScript {
  /** The response APDU to a command, or undefined for one that is never ready. */
  readonly onCommand?: (command: Uint8Array) => Uint8Array | undefined;
  /** How often a command is found still processing. */
  readonly processing?: number;
  /** Answers to state requests before the key's own state is told. */
  readonly states?: readonly (number | Uint8Array | 'stall' | 'babble')[];
  /** Calls that reject, by name: the DOMException's name. */
  readonly rejects?: Readonly<Record<string, string>>;
  readonly interfaces?: readonly { readonly class: number; readonly endpoints: number }[];
}

interface InResult {
  readonly status: USBTransferStatus;
  readonly data?: DataView;
}
interface OutResult {
  readonly status: USBTransferStatus;
  readonly bytesWritten: number;
}

const error = (name: string) => new DOMException('measured', name);
const ok = (bytes: Uint8Array) => ({ status: 'ok' as const, data: new DataView(bytes.slice().buffer) });

/** A USBDevice that speaks CanoKey's control requests on interface 1: a request in the wrong state stalls. */
export class ScriptedCanokey {
  readonly calls: string[] = [];
  readonly commands: string[] = [];
  readonly configurations: unknown[];
  configuration: unknown = null;
  opened = false;
  state: number = state.idle;
  /** OUT requests that CCID's hold on the buffer still refuses. */
  heldByCcid = 0;
  /** Requests to stall although the state is right, by bRequest. */
  stalls: number[] = [];
  response = new Uint8Array();
  #script: CanokeyScript;
  #states: (number | Uint8Array | 'stall' | 'babble')[];
  #processing = 0;
  #gone = false;
  #pending: ((reason: unknown) => void) | undefined;

  constructor(script: CanokeyScript = {}) {
    this.#script = script;
    this.#states = [...(script.states ?? [])];
    // The maker's order: FIDO, WebUSB, CCID, keyboard.
    const faces = script.interfaces ?? [
      { class: 0x03, endpoints: 2 },
      { class: 0xff, endpoints: 0 },
      { class: 0x0b, endpoints: 2 },
    ];
    const interfaces = faces.map((face, interfaceNumber) => {
      const endpoints = Array.from({ length: face.endpoints }, (_, index) => ({
        ...{ endpointNumber: 1, direction: index ? 'out' : 'in', type: 'bulk', packetSize: 64 },
      }));
      const alternate = { alternateSetting: 0, interfaceClass: face.class, endpoints };
      return { interfaceNumber, alternate, alternates: [alternate] };
    });
    this.configurations = [{ configurationValue: 1, interfaces }];
  }

  get device(): USBDevice {
    return this as unknown as USBDevice;
  }
  queueStates(...states: readonly (number | Uint8Array | 'stall' | 'babble')[]): void {
    this.#states.push(...states);
  }

  open(): Promise<void> {
    return this.#call('open', () => void (this.opened = true));
  }
  close(): Promise<void> {
    return this.#call('close', () => void (this.opened = false));
  }
  selectConfiguration(): Promise<void> {
    return this.#call('selectConfiguration', () => void (this.configuration = this.configurations[0]));
  }
  claimInterface(number: number): Promise<void> {
    return this.#call(`claimInterface ${number}`, () => undefined);
  }
  reset(): Promise<void> {
    return this.#call('reset', () => {
      this.state = state.idle;
      this.#states = [];
    });
  }
  controlTransferOut(setup: USBControlTransferParameters, data: Uint8Array): Promise<OutResult> {
    const bytes = data.slice();
    return this.#call(`out ${describeSetup(setup)}`, () => {
      const refused = { status: 'stall' as const, bytesWritten: bytes.length };
      if (this.#stalls(setup.request) || setup.request !== 0) return refused;
      if (this.heldByCcid > 0) {
        this.heldByCcid -= 1;
        return refused;
      }
      if (this.state !== state.idle && this.state !== state.holding) return refused;
      this.commands.push(toHex(bytes));
      const response = this.#script.onCommand?.(bytes);
      this.state = state.processing;
      this.#processing = response ? (this.#script.processing ?? 0) : Infinity;
      this.response = response ? response.slice() : new Uint8Array();
      if (this.#processing === 0) this.state = state.ready;
      return { status: 'ok' as const, bytesWritten: bytes.length };
    });
  }
  controlTransferIn(setup: USBControlTransferParameters, length: number): Promise<InResult> {
    return this.#call(`in ${describeSetup(setup)}`, (): InResult => {
      if (this.#stalls(setup.request)) return { status: 'stall' as const };
      if (setup.request === 2) return this.#tellState();
      if (setup.request !== 1 || this.state !== state.ready) return { status: 'stall' as const };
      const part = this.response.slice(0, length);
      this.response = this.response.slice(length);
      if (this.response.length === 0) this.state = state.holding;
      return ok(part);
    });
  }

  /** The next request neither resolves nor rejects, until the key is pulled out. */
  hang(): void {
    this.#pending = () => undefined;
  }
  unplug(usb: FakeUsb): void {
    this.#gone = true;
    this.#pending?.(error('NetworkError'));
    usb.announce('disconnect', this.device);
  }

  #tellState(): InResult {
    const told = this.#states.shift();
    if (told === 'stall' || told === 'babble') return { status: told };
    if (told !== undefined) return ok(told instanceof Uint8Array ? told : Uint8Array.of(told));
    const now = this.state;
    if (now === state.processing && --this.#processing <= 0) this.state = state.ready;
    return ok(Uint8Array.of(now));
  }
  #stalls(request: number): boolean {
    const index = this.stalls.indexOf(request);
    if (index >= 0) this.stalls.splice(index, 1);
    return index >= 0;
  }
  async #call<T>(name: string, work: () => T): Promise<T> {
    this.calls.push(name);
    await Promise.resolve();
    if (this.#gone) throw error('NotFoundError');
    const rejection = this.#script.rejects?.[name.split(' ')[0] ?? ''];
    if (rejection !== undefined) throw error(rejection);
    if (this.#pending) return new Promise((_, reject) => (this.#pending = reject));
    return work();
  }
}

function describeSetup({ requestType, recipient, request, value, index }: USBControlTransferParameters): string {
  return `${requestType} ${recipient} ${request} ${value} ${index}`;
}
