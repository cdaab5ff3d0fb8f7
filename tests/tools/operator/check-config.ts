import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { configSchema, type Config } from '../../../src/service/config.ts';
import { isContentKey } from '../../../src/service/content-key.ts';
import { readArgs, UsageError, type Console } from './console.ts';

interface Finding {
  readonly path: string;
  readonly reason: string;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Members that are written but not read: most likely misspelt. */
function unread(written: unknown, read: unknown, at = ''): readonly Finding[] {
  if (Array.isArray(written) && Array.isArray(read))
    return written.flatMap((item, index) => unread(item, (read as readonly unknown[])[index], `${at}.${index}`));
  if (!isObject(written) || !isObject(read)) return [];
  return Object.entries(written).flatMap(([name, value]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return name in read ? unread(value, read[name], path) : [{ path, reason: 'is not read; is it misspelt?' }];
  });
}

/** The certificates that are none. */
function badCertificates(config: Config): readonly Finding[] {
  return (['anchors', 'intermediates', 'oldIssuers'] as const).flatMap((name) =>
    config[name].flatMap((der, index) => {
      try {
        return new X509Certificate(der).ca ? [] : [{ path: `${name}.${index}`, reason: 'is not of an authority' }];
      } catch {
        return [{ path: `${name}.${index}`, reason: 'must be the DER of a certificate' }];
      }
    }),
  );
}

async function badKeys({ contentKeys }: Config): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [index, key] of contentKeys.entries()) {
    if (!(await isContentKey(key)))
      findings.push({ path: `contentKeys.${index}.publicKey`, reason: `must be a DER key of ${key.algorithm}` });
    if (contentKeys.findIndex(({ keyId }) => keyId === key.keyId) < index)
      findings.push({ path: `contentKeys.${index}.keyId`, reason: 'comes twice' });
  }
  return findings;
}

/** Says whether a config.json is one: every error with its path and the reason, and every member that nothing reads. */
export async function checkConfig(args: readonly string[], { out, error }: Console): Promise<number> {
  const { files } = readArgs(args, []);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new UsageError('check-config FILE');
  let written: unknown;
  try {
    written = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    error(`${file}: ${cause.message}`);
    return 1;
  }
  const result = v.safeParse(configSchema, written);
  const findings: readonly Finding[] = result.success
    ? [...badCertificates(result.output), ...(await badKeys(result.output)), ...unread(written, result.output)]
    : result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? 'document', reason: issue.message }));
  for (const { path, reason } of findings) error(`${file}: ${path}: ${reason}`);
  if (findings.length > 0) return 1;
  out(`${file}: well`);
  return 0;
}
