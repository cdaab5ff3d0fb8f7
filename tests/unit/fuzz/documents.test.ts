import { expect, it } from 'vitest';
import { documentTargets } from '../../fuzz/document-targets.ts';
import { documentsLike } from '../../fuzz/json-mutate.ts';
import { Random } from '../../fuzz/random.ts';
import documents from '../../fuzz/corpus/documents.json' with { type: 'json' };
import cfca from '../../vectors/cfca.json' with { type: 'json' };

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const asJson = (list: readonly unknown[]): readonly Uint8Array<ArrayBuffer>[] =>
  list.map((one) => utf8(JSON.stringify(one)));

it.each([
  ['config', asJson(documents.config)],
  ['pack', asJson(documents.pack)],
  ['manifest', asJson(documents.manifest)],
  ['problem', asJson(documents.problem)],
  ['centres-json', asJson(documents.centres)],
  ['rest-enrolment', asJson(documents.answer)],
  ['centres-csv', documents.centresCsv.map(utf8)],
  ['cfca-delivery', [utf8(cfca.escrow.blob)]],
])('%s takes every document its mutants are made of', async (name, inputs) => {
  const target = documentTargets().find((candidate) => candidate.name === name);

  const outcomes = await Promise.all(inputs.map(async (input) => await target?.run(input)));

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
