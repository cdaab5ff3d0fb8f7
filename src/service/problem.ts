import * as v from 'valibot';
import { slotSchema } from './slot.ts';

/** The kinds of problem the service names; `other` is what this version does not know, and `about:blank`. */
const problemTypes = [
  'invalid-request',
  'not-found',
  'method-not-allowed',
  'unauthorised',
  'slot-taken',
  'in-progress',
  'not-cancellable',
  'idempotency-key-reused',
  'too-many-requests',
  'unavailable',
] as const;
export type ProblemType = (typeof problemTypes)[number] | 'other';

const prefix = 'urn:problem-type:casupport:';
const maxRetryAfterSeconds = 86_400;

const retryAfter = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxRetryAfterSeconds));

/** A member that is not as it should be is passed over: the status alone still says what to do (RFC 9457, 3.1). */
const lenient = <Schema extends v.GenericSchema>(schema: Schema) => v.fallback(v.optional(schema), undefined);

const problemSchema = v.object({
  type: v.pipe(
    v.fallback(v.string(), 'about:blank'),
    v.transform((uri): ProblemType => problemTypes.find((name) => uri === prefix + name) ?? 'other'),
  ),
  detail: lenient(v.pipe(v.string(), v.maxLength(1000))),
  retryAfterSeconds: lenient(retryAfter),
  conflict: lenient(v.picklist(['slot', 'inProgress', 'state', 'idempotencyKey'])),
  otherSlots: lenient(v.pipe(v.array(slotSchema), v.maxLength(20))),
  errors: lenient(v.pipe(v.array(v.object({ path: v.string(), reason: v.string() })), v.maxLength(50))),
});

/** RFC 9457 problem details with this service's own members. */
export type Problem = v.InferOutput<typeof problemSchema> & { readonly status: number };

/**
 * The problem in an error answer.
 * @param json the parsed body @param retryAfterSeconds of the answer's header, where the body does not say it
 * @returns undefined when the body is no problem document
 */
export function readProblem(status: number, json: unknown, retryAfterSeconds?: number): Problem | undefined {
  const result = v.safeParse(problemSchema, json);
  if (!result.success) return undefined;
  const problem = result.output;
  return { ...problem, status, retryAfterSeconds: problem.retryAfterSeconds ?? retryAfterSeconds };
}

/**
 * Seconds of a `Retry-After` header (RFC 9110, 10.2.3: seconds, or a date), a day at most.
 * @param now milliseconds since 1970 by the server
 * @returns undefined when it says nothing that can be read
 */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (!/^(\d{1,9}|[A-Z][a-z]{2}.*GMT)$/.test(text)) return undefined;
  const seconds = /^\d/.test(text) ? Number(text) : Math.ceil((Date.parse(text) - now) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(seconds, 0), maxRetryAfterSeconds);
}
