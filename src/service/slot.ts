import * as v from 'valibot';

/** ISO 8601 with a day, a time and an offset from UTC. */
export const momentSchema = v.pipe(
  v.string(),
  v.maxLength(40),
  v.regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/, 'must be a time with its offset'),
  v.check((text) => !Number.isNaN(Date.parse(text)), 'must be a time'),
);

export const slotIdSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,79}$/));

/** A time at which a centre can be visited. */
export const slotSchema = v.object({
  id: slotIdSchema,
  start: momentSchema,
  end: momentSchema,
  /** How many can still come. */
  remaining: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)),
});
export type Slot = v.InferOutput<typeof slotSchema>;
