import * as v from 'valibot';
import { assumptionIds, ruleIds } from '../rule-ids.ts';
import type { Text } from '../text.ts';

/** Plain words; braces name numbers, and only those there are. */
export const words = (longest: number): v.GenericSchema<string, string> =>
  v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(longest),
    v.regex(/^[^<>{}]*(\{(renewalWindowDays|replacementFeeYuan|centreCount)\}[^<>{}]*)*$/, 'must be plain words'),
  );
export const textSchema = (longest: number): v.GenericSchema<Text, Text> =>
  v.strictObject({ 'zh-CN': words(longest), en: words(2 * longest) });

const day = v.pipe(v.string(), v.isoDate());
const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** The content of a `guidance` pack: numbers, and sentences by the id of their rule. What is left out stays as it is. */
export const guidanceContentSchema = v.strictObject({
  reviewedAt: v.exactOptional(day),
  numbers: v.exactOptional(
    v.strictObject({
      renewalWindowDays: v.exactOptional(whole(1, 366)),
      replacementFeeFen: v.exactOptional(whole(0, 100_000)),
      centreCount: v.exactOptional(whole(1, 10_000)),
    }),
  ),
  rules: v.exactOptional(
    v.record(
      v.picklist([...ruleIds, ...assumptionIds], 'must be the id of a rule or an assumption'),
      v.strictObject({ sentence: textSchema(1000), effectiveFrom: v.exactOptional(day) }),
    ),
  ),
});
export type GuidanceContent = v.InferOutput<typeof guidanceContentSchema>;
