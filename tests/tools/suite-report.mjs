// @ts-check
// What the runners' own reports say of the tests that failed and of those that took longest.
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** @typedef {{name: string, message: string, page?: string}} Failure `page`: the file with what the page showed then. */
/** @typedef {{name: string, milliseconds: number}} Timed */
/**
 * @typedef {object} VitestReport Of vitest's reporter `json`; a file that could not be loaded has a message and no tests.
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {{name: string, status: string, message?: string, assertionResults: {fullName: string, status: string,
 *   duration?: number | null, failureMessages?: string[] | null}[]}[]} testResults
 */
/**
 * @typedef {object} PlaywrightSuite
 * @property {string} title
 * @property {string} [file]
 * @property {PlaywrightSuite[]} [suites]
 * @property {{title: string, tests: {status: string, results: {duration: number, status?: string,
 *   errors: {message?: string}[], attachments?: {name: string, path?: string}[]}[]}[]}[]} [specs]
 */
/**
 * @typedef {object} PlaywrightReport Of Playwright's reporter `json`.
 * @property {{expected: number, unexpected: number, flaky: number, skipped: number}} stats
 * @property {PlaywrightSuite[]} suites
 * @property {{message?: string}[]} [errors] outside any test
 */

/** The first lines of a message that say something, without colours. @param {string} message @param {number} [lines] */
export function firstLines(message, lines = 12) {
  return stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && !/^\s*at .*node_modules/.test(line))
    .slice(0, lines)
    .map((line) => (line.length > 400 ? `${line.slice(0, 400)}…` : line));
}

/**
 * Of what Playwright keeps of a page on which a test failed, the part that the test was about.
 * @param {string} kept Markdown with the page's accessibility tree in a fence
 */
export function pageInBrief(kept, lines = 30) {
  const [, tree = ''] = /```yaml\n([^]*?)```/.exec(kept) ?? [];
  const [main = tree] = /^ *- main:[^]*/m.exec(tree) ?? [];
  return firstLines(main, lines);
}

/** @param {VitestReport} report @param {string} root @returns {Failure[]} */
export function failuresOfVitest({ testResults }, root) {
  return testResults.flatMap(({ name, status, message = '', assertionResults }) => {
    const file = path.relative(root, name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (failed.length === 0 && status === 'failed') return [{ name: file, message }];
    return failed.map(({ fullName, duration, failureMessages }) => ({
      name: `${file}: ${fullName}`,
      // What a test that was timed out says in this report is the runner's own placeholder.
      message: (failureMessages ?? [])
        .join('\n')
        .replaceAll('Error: STACK_TRACE_ERROR', `ended by the runner after ${Math.round(duration ?? 0)} ms`),
    }));
  });
}

/** @param {VitestReport} report @param {string} root @returns {Timed[]} */
export const timesOfVitest = ({ testResults }, root) =>
  testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, duration }) => ({
      name: `${path.relative(root, name)}: ${fullName}`,
      milliseconds: duration ?? 0,
    })),
  );

/**
 * Every test with the names of what it stands in, file first.
 * @param {PlaywrightSuite} suite @param {string[]} [above]
 * @returns {{name: string, test: NonNullable<PlaywrightSuite['specs']>[number]['tests'][number]}[]}
 */
function testsIn({ title, suites = [], specs = [] }, above = []) {
  const within = [...above, title];
  return [
    ...specs.flatMap((spec) => spec.tests.map((test) => ({ name: [...within, spec.title].join(' › '), test }))),
    ...suites.flatMap((suite) => testsIn(suite, within)),
  ];
}

/** @param {PlaywrightReport} report @returns {Failure[]} */
export function failuresOfPlaywright({ suites, errors = [] }) {
  const failed = suites
    .flatMap((suite) => testsIn(suite))
    .filter(({ test }) => test.status === 'unexpected' || test.status === 'flaky')
    .map(({ name, test }) => {
      const said = test.results.flatMap((result) => result.errors.map(({ message = '' }) => message));
      const message = said.join('\n') || test.results.map(({ status = '' }) => status).join(', ');
      const kept = test.results.flatMap(({ attachments = [] }) => attachments);
      const page = kept.find((one) => one.name === 'error-context')?.path;
      return { name, message, ...(page === undefined ? {} : { page }) };
    });
  return [...failed, ...errors.map(({ message = '' }) => ({ name: 'outside any test', message }))];
}

/** @param {PlaywrightReport} report @returns {Timed[]} */
export const timesOfPlaywright = ({ suites }) =>
  suites
    .flatMap((suite) => testsIn(suite))
    .map(({ name, test }) => ({
      name,
      milliseconds: test.results.reduce((sum, { duration }) => sum + duration, 0),
    }));

/** @param {readonly Timed[]} times @param {number} count */
export const slowest = (times, count) => [...times].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, count);
