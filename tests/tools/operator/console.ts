import { parseArgs } from 'node:util';

export interface Console {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

/** The command line does not say what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Why a file cannot be read or written; undefined for any other error. */
export function fileProblem(cause: unknown): string | undefined {
  if (!(cause instanceof Error && 'code' in cause && 'syscall' in cause)) return undefined;
  const file = 'path' in cause ? `${String(cause.path)}: ` : '';
  return `${file}cannot be read or written (${String(cause.code)})`;
}

/**
 * Options with a value each, and what stands beside them.
 * @throws UsageError
 */
export function readArgs<Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): { readonly files: readonly string[]; readonly values: Readonly<Partial<Record<Name, string>>> } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
    });
    return { files: positionals, values: values as Partial<Record<Name, string>> };
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : 'the options cannot be read', { cause });
  }
}
