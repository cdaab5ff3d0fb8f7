import path from 'node:path';
import { parseArgs } from 'node:util';

export const repository = path.resolve(import.meta.dirname, '../..');
/** Where the demo build and the reference CA's data lie: out of the way, and gone with node_modules. */
export const demoDirectory = path.join(repository, 'node_modules/.cache/demo');
export const productionDirectory = path.join(repository, 'dist');
export const caDirectory = path.join(repository, 'node_modules/.cache/reference-ca');

/** How the site asks for certificates: in CMP, or in rest-enrolment with either form of request. */
export const authorities = ['cmp', 'rest', 'rest-cfca'] as const;
export type AuthorityKind = (typeof authorities)[number];

export interface DemoOptions {
  readonly build: boolean;
  readonly port: number;
  readonly strictPort: boolean;
  readonly host: string | undefined;
  /** Serve the production build too, on this port. */
  readonly productionPort: number | undefined;
  readonly authority: AuthorityKind;
}

/** @throws RangeError */
export function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/u.test(text) || port > 65_535) throw new RangeError(`not a port: ${text}`);
  return port;
}

/**
 * Reads the command line; `PORT` stands in for `--port`.
 * @throws TypeError or RangeError for what cannot be meant
 */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  defaultPort: number,
): DemoOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      'no-build': { type: 'boolean', default: false },
      port: { type: 'string' },
      'strict-port': { type: 'boolean', default: false },
      host: { type: 'string' },
      'production-port': { type: 'string' },
      authority: { type: 'string', default: 'cmp' },
    },
  });
  const asked = values.port ?? environment['PORT'];
  const production = values['production-port'];
  const authority = authorities.find((kind) => kind === values.authority);
  if (!authority) throw new RangeError(`--authority is one of ${authorities.join(', ')}`);
  return {
    build: !values['no-build'],
    port: asked === undefined || asked === '' ? defaultPort : portNumber(asked),
    strictPort: values['strict-port'],
    host: values.host,
    productionPort: production === undefined ? undefined : portNumber(production),
    authority,
  };
}
