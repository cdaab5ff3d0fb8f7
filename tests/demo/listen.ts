import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ListenOptions {
  /** 0: any free one. */
  readonly port: number;
  /** Fail rather than take the next free port. */
  readonly strictPort: boolean;
  /** Undefined: this machine only, 127.0.0.1 and ::1. */
  readonly host: string | undefined;
}

export interface Listening {
  readonly port: number;
  readonly url: string;
  /** Ends all connections and stops listening. */
  close(): Promise<void>;
}

const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

function listenOn(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(error);
    server.once('error', failed);
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** One port on every address, or an error and none of them. IPv6 may be missing on a machine. */
async function listenOnAll(
  createServer: () => Server,
  port: number,
  hosts: readonly string[],
): Promise<[number, Server[]]> {
  const servers: Server[] = [];
  let bound = port;
  for (const host of hosts) {
    const server = createServer();
    try {
      bound = await listenOn(server, bound, host);
      servers.push(server);
    } catch (error) {
      if (host === '::1' && hasCode(error, 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL')) continue;
      await Promise.all(servers.map(stop));
      throw error;
    }
  }
  return [bound, servers];
}

/**
 * Listens on the port asked for or, unless strict, the next free one of the twenty after it.
 * @param createServer makes one server for each address; they share everything behind them
 */
export async function listen(createServer: () => Server, options: ListenOptions): Promise<Listening> {
  const hosts = options.host === undefined ? ['127.0.0.1', '::1'] : [options.host];
  const attempts = options.strictPort ? 1 : 21;
  for (let attempt = 1; ; attempt++) {
    const port = options.port === 0 ? 0 : options.port + attempt - 1;
    try {
      const [bound, servers] = await listenOnAll(createServer, port, hosts);
      const name =
        options.host === undefined ? 'localhost' : options.host.includes(':') ? `[${options.host}]` : options.host;
      return {
        port: bound,
        url: `http://${name}:${bound}/`,
        close: async () => {
          await Promise.all(servers.map(stop));
        },
      };
    } catch (error) {
      if (attempt >= attempts || !hasCode(error, 'EADDRINUSE', 'EACCES')) throw error;
    }
  }
}
