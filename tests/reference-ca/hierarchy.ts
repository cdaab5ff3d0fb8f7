import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { fromBase64, toBase64, type Bytes } from '../../src/pki/bytes.ts';
import { parseCertificate, type Certificate } from '../../src/pki/certificate.ts';
import { issueCertificate, keyIdentifier } from './issue.ts';
import { generateKey, loadKey, type KeyType, type SoftwareKey } from './keys.ts';
import { attributeTypes, encodeName } from './subject.ts';

export const authorityNames = ['sm2', 'p256', 'rsa', 'oldRsa', 'foreign'] as const;
/**
 * `sm2` issues today, `p256` and `rsa` for keys without SM2, `oldRsa` issued before the upgrade's cut-off and issues no more,
 * `foreign` is somebody else's: nobody here trusts it.
 */
export type AuthorityName = (typeof authorityNames)[number];

/** A root and the issuing authority under it. The root's key is thrown away once it has signed. */
export interface Authority {
  readonly name: AuthorityName;
  /** DER, self-signed. */
  readonly root: Bytes;
  readonly issuing: {
    /** DER. */
    readonly certificate: Bytes;
    /** DER Name. */
    readonly subject: Bytes;
    readonly keyIdentifier: Bytes;
    readonly key: SoftwareKey;
  };
  /** The same certificates, read. */
  readonly read: { readonly root: Certificate; readonly issuing: Certificate };
}
export type Hierarchy = Readonly<Record<AuthorityName, Authority>>;

interface Plan {
  readonly type: KeyType;
  readonly organization: string;
  readonly commonName: string;
  readonly notBefore: string;
  readonly notAfter: string;
}

const plans: Readonly<Record<AuthorityName, Plan>> = {
  sm2: {
    type: 'sm2',
    organization: '示例认证中心',
    commonName: '示例 SM2',
    notBefore: '2018-01-01T00:00:00Z',
    notAfter: '2049-12-31T00:00:00Z',
  },
  p256: {
    type: 'p256',
    organization: '示例认证中心',
    commonName: '示例 P-256',
    notBefore: '2018-01-01T00:00:00Z',
    notAfter: '2049-12-31T00:00:00Z',
  },
  rsa: {
    type: 'rsa',
    organization: '示例认证中心',
    commonName: '示例 RSA',
    notBefore: '2018-01-01T00:00:00Z',
    notAfter: '2049-12-31T00:00:00Z',
  },
  oldRsa: {
    type: 'rsa',
    organization: '示例认证中心',
    commonName: '示例 RSA(旧)',
    notBefore: '2010-01-01T00:00:00Z',
    notAfter: '2045-12-31T00:00:00Z',
  },
  foreign: {
    type: 'sm2',
    organization: '另一家示例认证机构',
    commonName: '另一家示例',
    notBefore: '2018-01-01T00:00:00Z',
    notAfter: '2049-12-31T00:00:00Z',
  },
};

/** What may differ in authorities newly made. */
export interface HierarchyOptions {
  /** When the old authority, root and issuing, ends. */
  readonly oldRsaEnds?: Date | undefined;
}

async function makeAuthority(name: AuthorityName, { oldRsaEnds }: HierarchyOptions): Promise<Authority> {
  const plan = plans[name];
  const distinguishedName = (suffix: string): Bytes =>
    encodeName([
      [attributeTypes.country, 'CN'],
      [attributeTypes.organization, plan.organization],
      [attributeTypes.commonName, `${plan.commonName} ${suffix}`],
    ]);
  const end = (name === 'oldRsa' ? oldRsaEnds : undefined) ?? new Date(plan.notAfter);
  const validity = { notBefore: new Date(plan.notBefore), notAfter: end };
  const root = { name: distinguishedName('根 CA'), key: await generateKey(plan.type) };
  const key = await generateKey(plan.type);
  const subject = distinguishedName('CA');
  return authority(name, {
    root: await issueCertificate({
      profile: 'root',
      subject: root.name,
      spki: root.key.spki,
      issuer: root,
      ...validity,
    }),
    issuing: await issueCertificate({ profile: 'issuing', subject, spki: key.spki, issuer: root, ...validity }),
    key,
  });
}

function authority(
  name: AuthorityName,
  { root, issuing, key }: { readonly root: Bytes; readonly issuing: Bytes; readonly key: SoftwareKey },
): Authority {
  const read = { root: parseCertificate(root), issuing: parseCertificate(issuing) };
  return {
    name,
    root,
    issuing: {
      certificate: issuing,
      subject: read.issuing.subject.der,
      keyIdentifier: keyIdentifier(key.spki),
      key,
    },
    read,
  };
}

const base64 = v.pipe(v.string(), v.base64(), v.transform(fromBase64));
const storedAuthority = v.object({
  root: base64,
  issuing: v.object({
    certificate: base64,
    type: v.picklist(['sm2', 'p256', 'rsa']),
    privateKey: base64,
    spki: base64,
  }),
});
const storedHierarchy = v.object({
  version: v.literal(1),
  authorities: v.partial(v.object(v.entriesFromList(authorityNames, storedAuthority))),
});
type StoredAuthorities = v.InferOutput<typeof storedHierarchy>['authorities'];

async function fromEach<T>(make: (name: AuthorityName) => Promise<T>): Promise<Record<AuthorityName, T>> {
  const [sm2, p256, rsa, oldRsa, foreign] = await Promise.all([
    make('sm2'),
    make('p256'),
    make('rsa'),
    make('oldRsa'),
    make('foreign'),
  ]);
  return { sm2, p256, rsa, oldRsa, foreign };
}

function toJson(made: readonly Authority[]): string {
  const authorities = made.map(({ name, root, issuing }) => {
    const stored = {
      root: toBase64(root),
      issuing: {
        certificate: toBase64(issuing.certificate),
        type: issuing.key.type,
        privateKey: toBase64(issuing.key.privateKey),
        spki: toBase64(issuing.key.spki),
      },
    };
    return [name, stored] as const;
  });
  return `${JSON.stringify({ version: 1, authorities: Object.fromEntries(authorities) }, undefined, 2)}\n`;
}

const fromJson = (json: string): StoredAuthorities => v.parse(storedHierarchy, JSON.parse(json)).authorities;

async function load(name: AuthorityName, stored: StoredAuthorities): Promise<Authority> {
  const { root, issuing } = stored[name] ?? missing(name);
  const key = await loadKey(issuing.type, issuing.privateKey, issuing.spki);
  return authority(name, { root, issuing: issuing.certificate, key });
}

function missing(name: AuthorityName): never {
  throw new SyntaxError(`the authority ${name} is missing in its file`);
}

const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Writes a file that appears whole or not at all, and leaves one that another process made first. */
async function writeOnce(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    // A file system without hard links.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP')) throw error;
    await rename(draft, file);
  } finally {
    await rm(draft, { force: true });
  }
}

/** What a file holds; first made and written where there is none. */
async function storedIn(file: string, make: () => Promise<readonly Authority[]>): Promise<StoredAuthorities> {
  const stored = await readIfThere(file);
  if (stored !== undefined) return fromJson(stored);
  await writeOnce(file, toJson(await make()));
  return fromJson(await readFile(file, 'utf8'));
}

/**
 * The authorities of a data directory, made on first use: all in one file, and each that came to this project later than
 * that file in one of its own, for what is written stays as it is. They are samples: their keys lie beside them
 * unencrypted.
 * @param directory undefined: in memory only
 * @throws v.ValiError or SyntaxError when a stored file is damaged
 */
export async function openHierarchy(directory: string | undefined, options: HierarchyOptions = {}): Promise<Hierarchy> {
  if (directory === undefined) return fromEach((name) => makeAuthority(name, options));
  await mkdir(directory, { recursive: true });
  const first = await storedIn(path.join(directory, 'hierarchy.json'), async () =>
    Object.values(await fromEach((name) => makeAuthority(name, options))),
  );
  return fromEach(async (name) => {
    if (first[name]) return load(name, first);
    const file = path.join(directory, `hierarchy-${name}.json`);
    return load(name, await storedIn(file, async () => [await makeAuthority(name, options)]));
  });
}
