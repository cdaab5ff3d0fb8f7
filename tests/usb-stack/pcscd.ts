import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pcscdFile, type SmartCardTool } from './ensure.mjs';
import { activateFile, libraryFile } from './site.ts';

/** How a program ended. */
export interface Outcome {
  readonly status: number | null;
  /** What it wrote, to either. */
  readonly output: string;
}

/** A smart-card service (PC/SC) in front of the virtual USB, and programs that use it. */
export interface SmartCardService {
  /** A directory for files that go into and come out of programs. */
  readonly directory: string;
  /** Runs a program to its end, in that directory. @param variables of its environment */
  readonly run: (
    tool: SmartCardTool,
    args: readonly string[],
    variables?: Readonly<Record<string, string>>,
  ) => Promise<Outcome>;
  close(): Promise<void>;
}

const programLimitMs = 60_000;

async function ended(child: ChildProcess): Promise<Outcome> {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, output };
}

/**
 * Starts pcscd with libccid as Debian ships them; their USB is what listens on the given USB/IP ports. It has a socket of its
 * own, so that a machine's own service is not disturbed.
 */
export function startSmartCardService(usbIpPorts: readonly number[]): SmartCardService {
  const directory = mkdtempSync(path.join(tmpdir(), 'pcscd-'));
  const socket = path.join(directory, 'socket');
  const log = openSync(path.join(directory, 'log'), 'w');
  const env = { ...process.env, PCSCLITE_CSOCK_NAME: socket, HOME: directory, LC_ALL: 'C.UTF-8' };
  const service = spawn(activateFile, [socket, pcscdFile, '--foreground'], {
    stdio: ['ignore', log, log],
    env: {
      ...env,
      LD_PRELOAD: libraryFile,
      FAKEUSB_PORTS: usbIpPorts.join(','),
      FAKEUSB_DIR: path.join(directory, 'sys'),
    },
  });
  closeSync(log);
  const exited = once(service, 'exit');
  return {
    directory,
    run: (tool, args, variables) =>
      ended(
        spawn(tool, args, {
          ...{ env: { ...env, ...variables }, cwd: directory, timeout: programLimitMs },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      ),
    close: async () => {
      service.kill();
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
