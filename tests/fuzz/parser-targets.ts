import { readFileSync } from 'node:fs';
import { CmpFormatError, parseMessage } from '../../src/ca/cmp-messages.ts';
import { CrmfError, parseCertReqMessages } from '../../src/ca/crmf.ts';
import { decodeEncryptedValue } from '../../src/ca/encrypted-value.ts';
import { readSignatureAlgorithm, readSpki, securityBits } from '../../src/pki/algorithms.ts';
import { fromBase64, type Bytes } from '../../src/pki/bytes.ts';
import { CertificateError, parseCertificate } from '../../src/pki/certificate.ts';
import { CrlError, parseCrl, revocationIn } from '../../src/pki/crl.ts';
import { CsrError, parseCsr } from '../../src/pki/csr.ts';
import { DerError, ecdsaSignatureFromDer, parseDer } from '../../src/pki/der.ts';
import { decodeEnvelopedKey, EnvelopedKeyError } from '../../src/pki/enveloped-key.ts';
import { readName } from '../../src/pki/name.ts';
import { OcspError, parseOcspResponse } from '../../src/pki/ocsp.ts';
import { DerMutator } from './mutate.ts';
import { derGate, readersOf, type ErrorClass, type Target } from './target.ts';

type Kind =
  | 'certificate'
  | 'csr'
  | 'cfcaCsr'
  | 'name'
  | 'cmp'
  | 'crmf'
  | 'envelope'
  | 'encryptedValue'
  | 'spki'
  | 'crl'
  | 'ocsp'
  | 'signature';

/** What mutants are made of (see make-corpus.ts), DER. */
export function readCorpus(): Readonly<Record<Kind, readonly Bytes[]>> {
  const seeds = JSON.parse(readFileSync(new URL('./corpus/seeds.json', import.meta.url), 'utf8')) as Readonly<
    Record<Kind, readonly string[]>
  >;
  const read = (kind: Kind): readonly Bytes[] => seeds[kind].map(fromBase64);
  return {
    certificate: read('certificate'),
    csr: read('csr'),
    cfcaCsr: read('cfcaCsr'),
    name: read('name'),
    cmp: read('cmp'),
    crmf: read('crmf'),
    envelope: read('envelope'),
    encryptedValue: read('encryptedValue'),
    spki: read('spki'),
    crl: read('crl'),
    ocsp: read('ocsp'),
    signature: read('signature'),
  };
}

/** Everything in `src/pki` and `src/ca` that reads DER. */
export function parserTargets(): readonly Target[] {
  const corpus = readCorpus();
  const [encryptionCertificate = new Uint8Array()] = corpus.spki;
  const encryptionKey = readSpki(encryptionCertificate).publicKey;
  const target = (
    name: string,
    kinds: readonly Kind[],
    refusals: readonly ErrorClass[],
    ...readers: readonly ((input: Bytes) => unknown)[]
  ): Target => {
    const donors = [...corpus.signature, ...corpus.name, ...corpus.spki, ...corpus.certificate.slice(0, 2)];
    const mutator = new DerMutator(
      kinds.flatMap((kind) => corpus[kind]),
      donors,
    );
    return {
      name,
      gate: derGate,
      mutate: (random) => mutator.mutate(random),
      run: readersOf(refusals, readers),
    };
  };
  return [
    target('der', ['certificate', 'csr', 'cmp', 'crl', 'ocsp', 'envelope'], [DerError], parseDer),
    target('certificate', ['certificate'], [CertificateError], parseCertificate),
    target('name', ['name'], [DerError], (input) => readName(parseDer(input))),
    target('keys', ['spki', 'signature', 'name'], [DerError], readSpki, securityBits, readSignatureAlgorithm, (input) =>
      ecdsaSignatureFromDer(input),
    ),
    target('csr', ['csr', 'cfcaCsr'], [CsrError], parseCsr),
    target('cmp', ['cmp'], [CmpFormatError], parseMessage),
    target('crmf', ['crmf'], [CrmfError], parseCertReqMessages),
    target('envelope', ['envelope', 'encryptedValue'], [EnvelopedKeyError, DerError], decodeEnvelopedKey, (input) =>
      decodeEncryptedValue(input, encryptionKey),
    ),
    target('crl', ['crl'], [CrlError], (input) => {
      const list = parseCrl(input);
      // Entries are read one by one only when they are asked for.
      for (const serialNumber of ['01', '7f', '0080', '00', '']) revocationIn(list, serialNumber);
    }),
    target('ocsp', ['ocsp'], [OcspError], parseOcspResponse),
  ];
}
