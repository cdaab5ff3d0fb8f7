import { describe, expect, test } from 'vitest';
import { parseIsoDay } from '../../../src/guidance/beijing.ts';
import { flowOrder, flows, rulesOf, linkIds, type Flow } from '../../../src/guidance/flows.ts';
import { overviewRules, letterRules, ruleHomes } from '../../../src/guidance/rule-homes.ts';
import { assumptionIds, flowSlugs, isFlowSlug, ruleIds, sectionOf } from '../../../src/guidance/rule-ids.ts';
import { guideNumbers, rule } from '../../../src/guidance/rules.ts';

/** How many rules each section of the service guide has. */
const sections = {
  '1': 5,
  '1.1': 3,
  '1.1.1': 1,
  '1.1.2': 2,
  '1.1.3.1': 4,
  '1.1.3.2': 2,
  '1.2.1': 1,
  '1.2.2': 1,
  '1.2.3': 8,
  '1.3.1': 1,
  '1.3.2': 2,
  '1.3.3.1': 7,
  '1.3.3.2': 2,
  '1.4.1': 1,
  '1.4.2': 1,
  '1.4.3': 6,
  '1.5.1': 2,
  '1.5.2': 1,
  '1.5.3': 3,
  '2': 8,
};

describe('the rules of the guide', () => {
  test('are 61, each once, by section', () => {
    const counted: Record<string, number> = {};
    for (const id of ruleIds) counted[sectionOf(id)] = (counted[sectionOf(id)] ?? 0) + 1;
    expect(new Set(ruleIds).size).toBe(61);
    expect(counted).toEqual(sections);
  });

  test.each([...ruleIds, ...assumptionIds])('%s says a sentence in both languages, with its dates', (id) => {
    const said = rule(id);
    expect(said.sentence['zh-CN']).toMatch(/[\u4e00-\u9fff].*。$/);
    expect(said.sentence.en).toMatch(/[a-z].*\.$/);
    expect(`${said.sentence['zh-CN']}${said.sentence.en}`).not.toMatch(/[!！]/);
    expect(said.assumption).toBe(id.startsWith('A-'));
    expect(said.section === undefined).toBe(said.assumption);
    expect(parseIsoDay(said.effectiveFrom)).toBeDefined();
    expect(parseIsoDay(said.reviewedAt)).toBeGreaterThanOrEqual(parseIsoDay(said.effectiveFrom) ?? Number.NaN);
  });

  test('keep the guide’s numbers', () => {
    expect(rule('R-1-2').sentence['zh-CN']).toContain(`${guideNumbers.centreCount} 个`);
    expect(rule('R-1.3.1-1').sentence['zh-CN']).toContain(`${guideNumbers.renewalWindowDays} 天`);
    expect(rule('R-1.1-1').sentence['zh-CN']).toContain('2018年9月18日起');
    expect(guideNumbers.upgradeCutoff.toISOString()).toBe('2018-09-17T16:00:00.000Z');
    expect(rule('R-1.4.3-3').sentence['zh-CN']).toContain('26 元');
    expect(rule('R-1-5').sentence['zh-CN']).toMatch(/400-880-9888.*95105345-2/);
  });
});

describe('every rule has a home', () => {
  test('all 61 of them', () => {
    expect([...ruleHomes.keys()]).toEqual([...ruleIds]);
  });

  test.each(flowSlugs)('/guide/%s shows each rule that lives there', (slug) => {
    const shown = rulesOf(flows[slug]);
    const missing = [...ruleHomes].filter(([id, home]) => home === `/guide/${slug}` && !shown.has(id));
    expect(missing).toEqual([]);
  });

  test('what is not in a flow is on the overview, the centres or the letter', () => {
    const elsewhere = [...ruleHomes].filter(([, home]) => !home.startsWith('/guide/'));
    expect(elsewhere.filter(([, home]) => home === '/guide').map(([id]) => id)).toEqual([...overviewRules]);
    expect(elsewhere.filter(([, home]) => home === '/letter').map(([id]) => id)).toEqual([...letterRules]);
    expect(elsewhere.filter(([, home]) => home === '/centres').map(([id]) => id)).toEqual(['R-1-2']);
  });
});

describe('the five flows', () => {
  const statements = (flow: Flow) => [
    flow.summary,
    ...flow.forWhom,
    ...flow.ways.flatMap((way) => [way.intro, ...way.steps]),
    ...flow.fee,
    ...flow.notes,
  ];

  test('are the five of the guide, each on one card', () => {
    expect([...flowOrder].sort()).toEqual([...flowSlugs].sort());
    expect(isFlowSlug('renew')).toBe(true);
    expect(isFlowSlug('constructor')).toBe(false);
  });

  test.each(flowSlugs)('%s: every sentence rests on a rule or is marked as assumed', (slug) => {
    for (const said of statements(flows[slug])) {
      expect(said.rules.length + said.assumptions.length, said.text['zh-CN']).toBeGreaterThan(0);
      expect(`${said.text['zh-CN']}${said.text.en}`).not.toMatch(/[!！]/);
    }
  });

  test.each([
    ['upgrade', ['online', 'onSite'], undefined],
    ['renew', ['online', 'onSite'], undefined],
    ['new', ['onSite'], undefined],
    ['replace', ['onSite'], 'replacement'],
    ['unlock', ['onSite'], 'unlock'],
  ] as const)('%s can be done %j; letter: %s', (slug, kinds, letter) => {
    expect(flows[slug].ways.map((way) => way.kind)).toEqual(kinds);
    expect(flows[slug].letter).toBe(letter);
    // The original program is the way out of what can be done online, and of nothing else.
    expect(flows[slug].originalProgram?.sources.map((source) => source.id)).toEqual(
      flows[slug].ways.length > 1 ? [...linkIds] : undefined,
    );
  });

  test('only the replacement names a fee', () => {
    expect(flowSlugs.filter((slug) => flows[slug].fee.length > 0)).toEqual(['replace']);
  });

  test.each([
    ['upgrade', 'centre', ['usbKey!']],
    ['renew', 'centre', ['usbKey!']],
    ['new', 'taxHall', ['registrationOrLicence!', 'ownIdentityCard!']],
    ['new', 'centre', ['assistanceLetter!', 'agentIdentityCard!']],
    ['replace', 'centre', ['agentIdentityCard!', 'authorisation!', 'invoiceDetails', 'usbKey']],
    ['unlock', 'centre', ['agentIdentityCard!', 'authorisation!', 'usbKey']],
  ] as const)('%s, to bring to the %s: %j', (slug, place, expected) => {
    const items = flows[slug].checklists.find((list) => list.place === place)?.items ?? [];
    expect(items.map((item) => `${item.code}${item.need === 'required' ? '!' : ''}`)).toEqual(expected);
  });

  test('a unified code brings the business licence instead of the tax registration', () => {
    const papers = flows.new.checklists[0]?.items[0];
    expect(papers?.oneOf.map((one) => one['zh-CN'])).toEqual(['税务登记证件原件', '一照一码纳税人：营业执照']);
  });
});
