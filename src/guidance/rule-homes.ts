import { ruleIds, sectionOf, type FlowSlug, type RuleId } from './rule-ids.ts';

/** The pages that are the first home of a rule. Other pages may cite it too. */
export type RuleHome = `/guide/${FlowSlug}` | '/guide' | '/centres' | '/letter';

/** 1.1 升级 … 1.5 解锁: the flow whose chapter a section belongs to. */
const chapters: Readonly<Record<string, FlowSlug>> = {
  '1.1': 'upgrade',
  '1.2': 'new',
  '1.3': 'renew',
  '1.4': 'replace',
  '1.5': 'unlock',
};

/** The rules of chapter 1's introduction, told on the guide's overview. */
export const overviewRules = ['R-1-1', 'R-1-3', 'R-1-4', 'R-1-5'] as const satisfies readonly RuleId[];

/** The rules of the letter, told beside its form. */
export const letterRules = ruleIds.filter((id) => sectionOf(id) === '2');

function homeOf(id: RuleId): RuleHome {
  if (id === 'R-1-2') return '/centres';
  const section = sectionOf(id);
  if (section === '2') return '/letter';
  const slug = chapters[section.slice(0, 3)];
  return slug ? `/guide/${slug}` : '/guide';
}

/** Rule → the page where a person finds it. */
export const ruleHomes: ReadonlyMap<RuleId, RuleHome> = new Map(ruleIds.map((id) => [id, homeOf(id)]));
