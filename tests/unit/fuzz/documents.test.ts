import { expect, it } from 'vitest';
import { causeCode } from '../../../src/diagnosis/fault-code.ts';
import { documentTargets } from '../../fuzz/document-targets.ts';
import { documentsLike } from '../../fuzz/json-mutate.ts';
import { Random } from '../../fuzz/random.ts';
import documents from '../../fuzz/corpus/documents.json' with { type: 'json' };
import cfca from '../../vectors/cfca.json' with { type: 'json' };

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const asJson = (list: readonly unknown[]): readonly Uint8Array<ArrayBuffer>[] =>
  list.map((one) => utf8(JSON.stringify(one)));

const inBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const asSigned = (document: unknown): Uint8Array<ArrayBuffer> =>
  utf8(JSON.stringify({ document: inBase64(utf8(JSON.stringify(document))), signature: 'MAA=', certificate: 'MAA=' }));
/** 200, its type, neither Retry-After nor Date. */
const overHttp = (body: unknown): Uint8Array<ArrayBuffer> =>
  Uint8Array.of(
    0,
    200,
    ...utf8(`application/json


${JSON.stringify(body)}`),
  );

it.each([
  ['config', asJson(documents.config)],
  ['pack', asJson(documents.pack)],
  ['manifest', asJson(documents.manifest)],
  ['problem', asJson(documents.problem)],
  ['centres-json', asJson(documents.centres)],
  ['rest-enrolment', asJson(documents.answer)],
  ['rest-enrolment', documents.request.map(asSigned)],
  ['cmp-enrolment', asJson(documents.enrolment)],
  ['journal', asJson(documents.journal)],
  ['kept-appointment', asJson(documents.keptAppointment)],
  ['transcript', asJson(documents.transcript)],
  ['service', documents.api.map(overHttp)],
  ['fault-codes', [causeCode('usbkey', 'unplugged', undefined), 'K05', 'r14-3', 'R15-3-07', 'P01'].map(utf8)],
  ['centres-csv', documents.centresCsv.map(utf8)],
  ['cfca-delivery', [utf8(cfca.escrow.blob)]],
])('%s takes every document its mutants are made of', async (name, inputs) => {
  const target = documentTargets().find((candidate) => candidate.name === name);

  const outcomes = [];
  // One after the other: some of them stand in for the network.
  for (const input of inputs) outcomes.push(await target?.run(input));

  expect(outcomes.length).toBeGreaterThan(0);
  expect(new Set(outcomes)).toEqual(new Set(['accepted']));
});

it('most mutants of a document are JSON still, and hardly two are the same', () => {
  const mutate = documentsLike([{ a: [1, 'two', { three: null }] }]);
  const mutants = Array.from({ length: 200 }, (_, index) => new TextDecoder().decode(mutate(new Random(1, 2, index))));
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text);
      return true;
    } catch {
      return false;
    }
  };

  expect(mutants.filter(isJson).length).toBeGreaterThan(150);
  expect(new Set(mutants).size).toBeGreaterThan(120);
});
