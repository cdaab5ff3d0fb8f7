import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Enrolment, enrolments } from '../../../src/device/models.ts';
import { enrolmentMode, type ModelRule } from '../../../src/renewal/enrolment.ts';

const key = { vendorId: 0x055c, productId: 0xe618, model: { enrolment: 'on' }, firmwareVersion: '1.4' } as const;
const rule = (enrolment: ModelRule['enrolment'], more: Partial<ModelRule> = {}): ModelRule => ({
  ...{ vendorId: 0x055c, productId: 0xe618, enrolment },
  ...more,
});

test.each<[string, Partial<Parameters<typeof enrolmentMode>[0]>, readonly ModelRule[] | undefined, string]>([
  ['a known model without a rule', {}, [], 'on'],
  ['a known model while the operator cannot be asked', {}, undefined, 'on'],
  ['a model the table itself holds back', { model: { enrolment: 'readOnly' } }, [rule('on')], 'readOnly'],
  ['a key no table knows', { model: undefined }, [], 'readOnly'],
  ['a key no table knows, which a rule allows', { model: undefined }, [rule('on')], 'readOnly'],
  ['a rule for all of the model', {}, [rule('off')], 'off'],
  ['a rule for its firmware', {}, [rule('off', { firmware: '1.4' })], 'off'],
  ['a rule for another firmware', {}, [rule('off', { firmware: '1.40' })], 'on'],
  ['a rule for firmware that begins alike', {}, [rule('readOnly', { firmware: '1.*' })], 'readOnly'],
  ['a rule for firmware that begins otherwise', {}, [rule('readOnly', { firmware: '2.*' })], 'on'],
  ['a firmware rule, where the key tells none', { firmwareVersion: '' }, [rule('off', { firmware: '9' })], 'off'],
  ['a rule for another product', {}, [rule('off', { productId: 0xf603 })], 'on'],
  ['a rule for another maker', {}, [rule('off', { vendorId: 0x055d })], 'on'],
  ['several rules', {}, [rule('on'), rule('off', { firmware: '1.4' }), rule('readOnly')], 'off'],
])('%s', (_what, change, models, expected) => {
  expect(enrolmentMode({ ...key, ...change, policy: models && { models } })).toBe(expected);
});

const anyMode = fc.constantFrom(...enrolments);
test('another rule never allows more', () => {
  const ask = (ofModel: Enrolment, rules: readonly ModelRule[]): number =>
    enrolments.indexOf(enrolmentMode({ ...key, model: { enrolment: ofModel }, policy: { models: rules } }));
  fc.assert(
    fc.property(fc.array(anyMode), anyMode, anyMode, (modes, more, ofModel) => {
      const rules = modes.map((mode) => rule(mode));
      expect(ask(ofModel, [...rules, rule(more)])).toBeLessThanOrEqual(ask(ofModel, rules));
    }),
  );
});
