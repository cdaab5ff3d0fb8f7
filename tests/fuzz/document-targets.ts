import { readFileSync } from 'node:fs';
import { CaError } from '../../src/ca/authority.ts';
import { readEnrolment } from '../../src/ca/cmp-enrolments.ts';
import { CfcaEscrowError, rewrapEscrowedKey } from '../../src/ca/cfca-escrow.ts';
import { readAnswerDocument, readRequest, readSignedAnswer } from '../../src/ca/rest-enrolment-documents.ts';
import { importCentres } from '../../src/guidance/centres/import.ts';
import { fromBase64, fromHex, toBase64, type Bytes } from '../../src/pki/bytes.ts';
import { sm2GenerateKeyPair, sm2PublicKey } from '../../src/pki/sm2.ts';
import { configSchema } from '../../src/service/config.ts';
import { manifestSchema, PackError, readPack } from '../../src/service/content-pack.ts';
import { ServiceError } from '../../src/service/errors.ts';
import { readProblem } from '../../src/service/problem.ts';
import { checkJson, textOf } from '../../src/service/request.ts';
import { documentsLike, type Json } from './json-mutate.ts';
import { mutateBytes } from './mutate.ts';
import { serviceTarget } from './service-target.ts';
import { storedTargets } from './stored-targets.ts';
import { readersOf, type ErrorClass, type Target } from './target.ts';

type Kind =
  | 'config'
  | 'pack'
  | 'manifest'
  | 'problem'
  | 'centres'
  | 'answer'
  | 'signedAnswer'
  | 'request'
  | 'api'
  | 'enrolment'
  | 'journal'
  | 'keptAppointment'
  | 'transcript';
interface Documents extends Readonly<Record<Kind, readonly Json[]>> {
  readonly centresCsv: readonly string[];
}

const documents = (): Documents =>
  JSON.parse(readFileSync(new URL('./corpus/documents.json', import.meta.url), 'utf8')) as Documents;

const lossyText = (input: Bytes): string => new TextDecoder().decode(input);

const commonNames = (): string => Object.getOwnPropertyNames(Object.prototype).join();
const commonNamesBefore = commonNames();

/** A document must never change what all objects have in common. */
const untouched =
  (run: Target['run']): Target['run'] =>
  async (input) => {
    const outcome = await run(input);
    if (commonNames() !== commonNamesBefore) throw new RangeError('Object.prototype was changed');
    return outcome;
  };

function documentTarget(
  name: string,
  sources: readonly Json[],
  refusals: readonly ErrorClass[],
  ...readers: readonly ((input: Bytes) => unknown)[]
): Target {
  return {
    name,
    mutate: documentsLike(sources),
    run: untouched(readersOf(refusals, readers)),
  };
}

/** Wraps a document in an answer as it comes over HTTP, so that both of its shells are read. */
const asSigned = (document: Json): Json => ({
  document: toBase64(new TextEncoder().encode(JSON.stringify(document))),
  signature: 'MAA=',
  certificates: ['MAA='],
  // Of a request.
  certificate: 'MAA=',
});

/** CFCA's delivery of an encryption key pair, mutated as a text and inside its base64. */
function cfcaDelivery(): Target {
  const { escrow } = JSON.parse(readFileSync(new URL('../vectors/cfca.json', import.meta.url), 'utf8')) as {
    readonly escrow: { readonly blob: string; readonly privateKey: string; readonly temporaryPrivateKey: string };
  };
  const certifiedPublicKey = sm2PublicKey(fromHex(escrow.privateKey));
  const recipient = sm2GenerateKeyPair().publicKey;
  const prefixLength = 80;
  const prefix = escrow.blob.slice(0, prefixLength);
  const inside = fromBase64(escrow.blob.slice(prefixLength).replaceAll(',', ''));
  return {
    name: 'cfca-delivery',
    mutate: (random) => {
      if (random.once(2)) return mutateBytes(random, new TextEncoder().encode(escrow.blob));
      const text = toBase64(mutateBytes(random, inside));
      const head = random.once(4)
        ? random.pick(['', '0'.repeat(prefixLength), prefix.slice(1), '9'.repeat(prefixLength)])
        : prefix.slice(0, 64) + String(text.length).padStart(16, '0');
      return new TextEncoder().encode(head + text);
    },
    run: readersOf(
      [CfcaEscrowError],
      [
        (input) => {
          const temporaryPrivateKey = fromHex(escrow.temporaryPrivateKey);
          const isGone = (): boolean => temporaryPrivateKey.every((byte) => byte === 0);
          try {
            rewrapEscrowedKey({ blob: lossyText(input), temporaryPrivateKey, certifiedPublicKey, recipient });
          } catch (error) {
            if (isGone()) throw error;
          }
          if (!isGone()) throw new RangeError('the temporary key is still there');
        },
      ],
    ),
  };
}

function centresCsv(sources: readonly string[]): Target {
  const tables = sources.map((text) => new TextEncoder().encode(text));
  const pieces = [
    '"',
    '""',
    ',',
    '\r\n',
    '\n',
    '\r',
    '\ufeff',
    '=1+1',
    '\u0000',
    '和平区',
    'id',
    ';',
    '\t',
    '"'.repeat(99),
  ];
  return {
    name: 'centres-csv',
    mutate: (random) => {
      if (random.once(3)) return mutateBytes(random, random.pick(tables));
      let text = random.pick(sources);
      for (let round = random.below(4); round >= 0; round--) {
        const at = random.below(text.length + 1);
        text = text.slice(0, at) + random.pick(pieces) + text.slice(at + random.below(6));
      }
      return new TextEncoder().encode(random.once(20) ? text.repeat(random.pick([3, 600])) : text);
    },
    run: (input) => (importCentres(lossyText(input), 'csv').ok ? 'accepted' : 'rejected'),
  };
}

/** Everything that reads a document that is not DER, from the operator, an authority, a file or this computer. */
export function documentTargets(): readonly Target[] {
  const {
    config,
    pack,
    manifest,
    problem,
    centres,
    answer,
    signedAnswer,
    request,
    centresCsv: tables,
    ...more
  } = documents();
  const url = '/document.json';
  return [
    documentTarget('config', config, [ServiceError], (input) => checkJson(url, configSchema, textOf(url, input))),
    documentTarget('pack', pack, [PackError], readPack),
    documentTarget('manifest', manifest, [ServiceError], (input) => checkJson(url, manifestSchema, textOf(url, input))),
    documentTarget('problem', problem, [SyntaxError], (input) => {
      // Whoever asks has parsed it.
      if (!readProblem(409, JSON.parse(lossyText(input)), undefined)) throw new SyntaxError('no problem document');
    }),
    documentTarget('centres-json', centres, [SyntaxError], (input) => {
      if (!importCentres(lossyText(input), 'json').ok) throw new SyntaxError('no list of centres');
    }),
    documentTarget(
      'rest-enrolment',
      [...answer, ...signedAnswer, ...answer.map(asSigned), ...request.map(asSigned)],
      [CaError],
      readAnswerDocument,
      (input) => readAnswerDocument(readSignedAnswer(input).document),
      readRequest,
    ),
    documentTarget('cmp-enrolment', more.enrolment, [CaError], (input) =>
      readEnrolment({ status: 200, contentType: 'application/json', body: input, retryAfterSeconds: undefined }),
    ),
    serviceTarget(more.api),
    ...storedTargets(more),
    centresCsv(tables),
    cfcaDelivery(),
  ];
}
