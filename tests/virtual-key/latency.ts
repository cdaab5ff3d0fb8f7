/** What takes a key's time. */
export type Operation = 'apdu' | 'sign' | 'generateKeyPair' | 'writeCertificate';

/** Waits as long as the operation takes. */
export type Latency = (operation: Operation) => Promise<void>;

export const noLatency: Latency = () => Promise.resolve();

const milliseconds: Record<Operation, number> = { apdu: 4, sign: 120, generateKeyPair: 1500, writeCertificate: 300 };

/** About as slow as a common key, for a person to watch. */
export const realLatency: Latency = (operation) =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds[operation]);
  });
