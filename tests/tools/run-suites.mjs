// @ts-check
// Runs test suites one after another and ends with one plain line of real totals, taken from the runners' own reports.
//   node tests/tools/run-suites.mjs [--require] unit browser e2e interop
// --require (or CI=true): a suite whose program cannot be had fails instead of being skipped aloud.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBrowser, ensureOpenssl } from './ensure.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const reports = path.join(root, 'node_modules/.cache/test-reports');
const strict = process.argv.includes('--require') || process.env['CI'] === 'true';
const suites = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const totals = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const troubles = [];

/** @param {string} script @param {string[]} args @param {Record<string, string>} [env] */
const node = (script, args, env = {}) =>
  spawnSync(process.execPath, [path.join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  }).status === 0;

/** @param {string} file */
const readReport = (file) => {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
};

/** @param {string} project */
function vitest(project) {
  const file = path.join(reports, `${project}.json`);
  rmSync(file, { force: true });
  const ok = node('node_modules/vitest/vitest.mjs', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const report = /** @type {{numPassedTests: number, numFailedTests: number, numPendingTests: number} | undefined} */ (
    readReport(file)
  );
  count(project, ok, report && [report.numPassedTests, report.numFailedTests, report.numPendingTests]);
}

function playwright() {
  const file = path.join(reports, 'e2e.json');
  rmSync(file, { force: true });
  for (const mode of ['production', 'demo'])
    if (!node('node_modules/vite/bin/vite.js', ['build', '--logLevel', 'warn', '--mode', mode]))
      return count('e2e', false, undefined);
  const ok = node('node_modules/@playwright/test/cli.js', ['test', '-c', 'tests/playwright.config.ts'], {
    PLAYWRIGHT_JSON_OUTPUT_FILE: file,
  });
  const report =
    /** @type {{stats: {expected: number, unexpected: number, flaky: number, skipped: number}} | undefined} */ (
      readReport(file)
    );
  const stats = report?.stats;
  return count('e2e', ok, stats && [stats.expected, stats.unexpected + stats.flaky, stats.skipped]);
}

/** @param {string} suite @param {boolean} ok @param {number[] | undefined} numbers passed, failed, skipped */
function count(suite, ok, numbers) {
  const [passed = 0, failed = 0, skipped = 0] = numbers ?? [];
  // A runner that died, or that failed without a failing test (an unhandled rejection, a coverage floor), is a failure too.
  const died = !ok && failed === 0;
  const empty = ok && passed === 0;
  totals.passed += passed;
  totals.failed += failed + (died || empty ? 1 : 0);
  totals.skipped += skipped;
  if (died) troubles.push(`${suite}: the runner failed outside any test`);
  if (empty) troubles.push(`${suite}: no test ran`);
}

/** @param {string} suite @param {string} what */
function missing(suite, what) {
  if (strict) totals.failed += 1;
  else totals.skipped += 1;
  troubles.push(`${strict ? 'failed' : 'skipped'}: ${suite}: ${what} missing`);
}

mkdirSync(reports, { recursive: true });
const browser = suites.some((suite) => suite === 'browser' || suite === 'e2e') ? await ensureBrowser() : undefined;
for (const suite of suites) {
  console.log(`\n# ${suite}`);
  if (suite === 'unit') vitest('unit');
  else if (suite === 'interop') {
    if (ensureOpenssl()) vitest('interop');
    else missing('interop', 'openssl 3');
  } else if (suite === 'browser' || suite === 'e2e') {
    if (!browser) {
      // Nothing a person asked for may end green without its browser.
      totals.failed += 1;
      troubles.push(`failed: ${suite}: no browser`);
    } else if (suite === 'browser') vitest('browser');
    else playwright();
  } else {
    console.error(`no such suite: ${suite}`);
    process.exit(2);
  }
}
console.log('');
for (const trouble of troubles) console.log(trouble);
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped ? `, ${totals.skipped} skipped` : ''}`);
process.exit(totals.failed > 0 ? 1 : 0);
