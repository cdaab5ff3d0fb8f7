import * as v from 'valibot';
import type { PackKind } from '../../storage/database.ts';
import { faqContentSchema, type FaqContent } from './faq-content.ts';
import { guidanceContentSchema, type GuidanceContent } from './guidance-content.ts';

/** What is wrong with the content of a pack, and where. */
export class ContentError extends Error {
  override readonly name = 'ContentError';
}

function read<Schema extends v.GenericSchema>(schema: Schema, content: unknown): v.InferOutput<Schema> {
  const result = v.safeParse(schema, content, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ContentError(`content.${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}

/** @throws ContentError */
export const readGuidance = (content: unknown): GuidanceContent => read(guidanceContentSchema, content);

/** @throws ContentError; for an id that comes twice too */
export function readFaq(content: unknown): FaqContent {
  const faq = read(faqContentSchema, content);
  const ids = new Set<string>();
  for (const { id } of faq.entries) {
    if (ids.has(id)) throw new ContentError(`content.entries: ${id} comes twice`);
    ids.add(id);
  }
  return faq;
}

/** How the content of each kind of pack is checked. */
export const readContent: Readonly<Record<PackKind, (content: unknown) => unknown>> = {
  guidance: readGuidance,
  faq: readFaq,
};
