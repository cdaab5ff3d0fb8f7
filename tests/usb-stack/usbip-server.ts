import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { UsbDeviceModel } from '../virtual-key/device-models.ts';
import { UsbFunction } from './usb-function.ts';
import {
  type Completion,
  importRefusal,
  importReply,
  listReply,
  operationStatus,
  readOperation,
  readUrbCommand,
  type Submit,
  submitReply,
  type Unlink,
  UsbIpFormatError,
  unlinkReply,
} from './usbip-protocol.ts';

/** The only bus id there is. */
export const busId = '1-1';

/** The port that usbip programs use unless told otherwise. */
export const defaultUsbIpPort = 3240;

/** Stands between the host and the device: may pull the key at a transfer, before or after it has its effect. */
export type TransferWatch = (urb: Submit, run: () => Promise<Completion>) => Promise<Completion>;

export interface UsbIpServerOptions {
  readonly watch?: TransferWatch;
  /** Called when a host has taken the device, and when it has let go of it. */
  readonly onImport?: (imported: boolean) => void;
}

/**
 * Exports one device over USB/IP 1.1.1 on this machine. Listening is "plugged in"; closing is "pulled out". One host at a
 * time has the device, and the device has power exactly as long.
 */
export class UsbIpServer {
  readonly #model: UsbDeviceModel;
  readonly #options: UsbIpServerOptions;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();
  #imported = false;

  private constructor(model: UsbDeviceModel, options: UsbIpServerOptions) {
    this.#model = model;
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** @param port 0: any free one */
  static async listen(model: UsbDeviceModel, port: number, options: UsbIpServerOptions = {}): Promise<UsbIpServer> {
    const server = new UsbIpServer(model, options);
    server.#server.listen({ port, host: '127.0.0.1' });
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Pulls the device out: nothing more is answered. Resolves when the port is free. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#connections) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    socket.setNoDelay(true);
    this.#connections.add(socket);
    let received: Uint8Array = new Uint8Array(0);
    let attached: ImportedDevice | undefined;
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#connections.delete(socket);
      if (!attached) return;
      attached.detach();
      this.#imported = false;
      this.#options.onImport?.(false);
    });
    /** Takes one message from the front. False: the next one is not whole. */
    const step = (): boolean => {
      const taken = attached ? readUrbCommand(received) : readOperation(received);
      if (!taken) return false;
      received = received.subarray(taken.bytes);
      const { message } = taken;
      if (message.type === 'submit' || message.type === 'unlink') attached?.take(message);
      else if (message.type === 'list') socket.end(listReply(busId, this.#model));
      else attached = this.#import(socket, message.busId);
      return true;
    };
    socket.on('data', (chunk: Buffer) => {
      received = received.length > 0 ? Buffer.concat([received, chunk]) : chunk;
      try {
        while (step());
      } catch (error) {
        if (!(error instanceof UsbIpFormatError)) throw error;
        socket.destroy();
      }
    });
  }

  #import(socket: Socket, wanted: string): ImportedDevice | undefined {
    const status = wanted !== busId ? operationStatus.noDevice : this.#imported ? operationStatus.busy : undefined;
    if (status !== undefined) {
      socket.end(importRefusal(status));
      return undefined;
    }
    this.#imported = true;
    socket.write(importReply(busId, this.#model));
    this.#options.onImport?.(true);
    return new ImportedDevice(socket, new UsbFunction(this.#model), this.#options.watch);
  }
}

/** The device in one host's hands: transfers under way, by sequence number. */
class ImportedDevice {
  readonly #socket: Socket;
  readonly #device: UsbFunction;
  readonly #watch: TransferWatch;
  readonly #pending = new Map<number, AbortController>();

  constructor(socket: Socket, device: UsbFunction, watch: TransferWatch = (_, run) => run()) {
    this.#socket = socket;
    this.#device = device;
    this.#watch = watch;
  }

  take(message: Submit | Unlink): void {
    if (message.type === 'unlink') {
      const pending = this.#pending.get(message.target);
      this.#pending.delete(message.target);
      pending?.abort();
      this.#socket.write(unlinkReply(message.sequence, pending !== undefined));
      return;
    }
    const { sequence } = message;
    const given = new AbortController();
    this.#pending.set(sequence, given);
    void this.#watch(message, () => this.#device.submit(message, given.signal)).then((completion) => {
      // Given up meanwhile, or the cable is out: nobody waits for it.
      if (this.#pending.get(sequence) !== given || this.#socket.destroyed) return;
      this.#pending.delete(sequence);
      this.#socket.write(submitReply(sequence, completion));
    });
  }

  detach(): void {
    this.#pending.clear();
    this.#device.powerDown();
  }
}
