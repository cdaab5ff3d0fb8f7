import type { OpensslDirectory } from './openssl.ts';

const keyKinds = {
  p256: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
} as const;

/** `openssl ca` for the one thing `openssl x509` cannot: dates in the past. */
const caConfiguration = `[ca]
default_ca = any
[any]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = anything
[anything]
countryName = optional
commonName = supplied
[holder]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
`;

/**
 * A CA of one key kind in a directory, as OpenSSL makes it: `ca`, which may sign messages; `srv`, an ordinary certificate;
 * `cmc`, with id-kp-cmcCA; `old` and `expired`, a holder's; keys for these and `new`. Each is NAME.crt and NAME.key.
 */
export async function makeHierarchy(dir: OpensslDirectory, kind: keyof typeof keyKinds): Promise<void> {
  await dir.write('req.cnf', '[req]\ndistinguished_name = dn\n[dn]\n');
  for (const name of ['ca', 'srv', 'cmc', 'old', 'new', 'expired'])
    await dir.openssl('genpkey', ...keyKinds[kind], '-out', `${name}.key`);
  await dir.openssl(
    ...[
      'req',
      '-x509',
      '-new',
      '-key',
      'ca.key',
      '-subj',
      '/C=CN/CN=CA',
      '-days',
      '30',
      '-out',
      'ca.crt',
      '-config',
      'req.cnf',
    ],
    ...[
      '-addext',
      'basicConstraints=critical,CA:TRUE',
      '-addext',
      'keyUsage=critical,keyCertSign,cRLSign,digitalSignature',
      '-addext',
      'subjectKeyIdentifier=hash',
    ],
  );
  const holder = 'keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';
  await dir.write('holder.ext', holder);
  await dir.write('cmc.ext', `${holder}extendedKeyUsage=1.3.6.1.5.5.7.3.27\n`);
  const issued = [
    ['srv', '/C=CN/CN=Server', 'holder.ext'],
    ['cmc', '/C=CN/CN=Responder', 'cmc.ext'],
    ['old', '/C=CN/CN=Holder', 'holder.ext'],
  ] as const;
  for (const [name, subject, extensions] of issued) {
    await dir.openssl(
      'req',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      subject,
      '-out',
      `${name}.csr`,
      '-config',
      'req.cnf',
    );
    await dir.openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '20',
      '-extfile',
      extensions,
      '-out',
      `${name}.crt`,
    );
  }
  await dir.write('ca.cnf', caConfiguration);
  await dir.write('index.txt', '');
  await dir.write('serial', '1000\n');
  await dir.openssl(
    'req',
    '-new',
    '-key',
    'expired.key',
    '-subj',
    '/C=CN/CN=Holder',
    '-out',
    'expired.csr',
    '-config',
    'req.cnf',
  );
  await dir.openssl(
    ...[
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-cert',
      'ca.crt',
      '-keyfile',
      'ca.key',
      '-extensions',
      'holder',
      '-in',
      'expired.csr',
      '-out',
      'expired.crt',
      '-notext',
    ],
    ...['-startdate', '20240101000000Z', '-enddate', '20250101000000Z'],
  );
}
