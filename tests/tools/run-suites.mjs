// @ts-check
// Runs test suites one after another and ends with what failed, how long each suite took, and one plain line of real
// totals, all taken from the runners' own reports.
//   node tests/tools/run-suites.mjs [--require] unit browser e2e interop usb faults
// --require (or CI=true): a suite whose program cannot be had fails instead of being skipped aloud.
// SLOWEST=15: each suite's 15 slowest tests too.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureCompiler, ensureDisplay } from '../usb-stack/ensure.mjs';
import { findChromium } from './browser.mjs';
import { ensureBrowser, ensureHeadless, ensureNginx, ensureOpenssl } from './ensure.mjs';
import {
  failuresOfPlaywright,
  failuresOfVitest,
  firstLines,
  pageInBrief,
  slowest,
  timesOfPlaywright,
  timesOfVitest,
} from './suite-report.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const reports = path.join(root, 'node_modules/.cache/test-reports');
const strict = process.argv.includes('--require') || process.env['CI'] === 'true';
const suites = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const totals = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const troubles = [];

/** Each suite's failed tests; more than this many of one suite have one cause. */
const mostShown = 30;
const slowestShown = Number(process.env['SLOWEST'] ?? 0);
/** @type {{suite: string, failure: import('./suite-report.mjs').Failure}[]} */
const failures = [];
/** @type {{suite: string, slow: import('./suite-report.mjs').Timed}[]} */
const slow = [];

/**
 * Runs a script of Node's; what it says is passed on at once.
 * @param {string} script @param {string[]} args @param {Record<string, string>} [env]
 * @returns {Promise<{ok: boolean, said: string}>} all that it wrote
 */
const node = (script, args, env = {}) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(root, script), ...args], {
      cwd: root,
      stdio: ['inherit', 'pipe', 'pipe'],
      env: { ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...process.env, ...env },
    });
    /** @type {Buffer[]} */
    const chunks = [];
    /** @param {NodeJS.WriteStream} to @returns {(chunk: Buffer) => void} */
    const passOn = (to) => (chunk) => {
      chunks.push(chunk);
      to.write(chunk);
    };
    child.stdout.on('data', passOn(process.stdout));
    child.stderr.on('data', passOn(process.stderr));
    child.once('error', () => resolve({ ok: false, said: '' }));
    child.once('close', (code) => resolve({ ok: code === 0, said: Buffer.concat(chunks).toString('utf8') }));
  });

/** @param {string} file */
const readReport = (file) => {
  try {
    return /** @type {unknown} */ (JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
};

/**
 * @param {string} suite @param {readonly import('./suite-report.mjs').Failure[]} failed
 * @param {readonly import('./suite-report.mjs').Timed[]} times
 */
function note(suite, failed, times) {
  failures.push(...failed.slice(0, mostShown).map((failure) => ({ suite, failure })));
  if (failed.length > mostShown) troubles.push(`${suite}: ${failed.length - mostShown} more failures not shown`);
  slow.push(...slowest(times, slowestShown).map((one) => ({ suite, slow: one })));
}

/** @param {string} project */
async function vitest(project) {
  const file = path.join(reports, `${project}.json`);
  rmSync(file, { force: true });
  const { ok, said } = await node('node_modules/vitest/vitest.mjs', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const report = /** @type {import('./suite-report.mjs').VitestReport | undefined} */ (readReport(file));
  if (report) note(project, failuresOfVitest(report, root), timesOfVitest(report, root));
  count(project, ok, report && [report.numPassedTests, report.numFailedTests, report.numPendingTests], said);
}

/** @param {string} suite @param {string} config @param {string[]} [files] @param {Record<string, string>} [env] */
async function playwright(suite, config, files = [], env = {}) {
  const file = path.join(reports, `${suite}.json`);
  rmSync(file, { force: true });
  const { ok, said } = await node('node_modules/@playwright/test/cli.js', ['test', '-c', config, ...files], {
    ...env,
    PLAYWRIGHT_JSON_OUTPUT_FILE: file,
  });
  const report = /** @type {import('./suite-report.mjs').PlaywrightReport | undefined} */ (readReport(file));
  if (report) note(suite, failuresOfPlaywright(report), timesOfPlaywright(report));
  const stats = report?.stats;
  count(suite, ok, stats && [stats.expected, stats.unexpected + stats.flaky, stats.skipped], said);
}

async function e2e() {
  for (const mode of ['production', 'demo']) {
    const build = ['build', '--logLevel', 'warn', '--mode', mode];
    const { ok, said } = await node('node_modules/vite/bin/vite.js', build);
    if (!ok) return count('e2e', false, undefined, said);
  }
  const config = 'tests/playwright.config.ts';
  await playwright('e2e', config);
  // Again behind nginx: what a server in front can spoil, and a renewal through it. E2E_FRONT=nginx runs all so.
  if (process.env['E2E_FRONT'] === 'nginx') return;
  console.log('\n# e2e behind nginx');
  if (ensureNginx())
    await playwright('e2e-nginx', config, ['headers', 'production', 'offline'], { E2E_FRONT: 'nginx' });
  else missing('e2e-nginx', 'nginx');
}

/** A short slice of the faults, the same every time, and every deliberate defect: each run is one check. */
async function faults() {
  const runs = [
    ['--slice', '240'],
    ['--sabotage', 'all'],
  ];
  let good = 0;
  for (const options of runs) {
    const { ok, said } = await node('node_modules/tsx/dist/cli.mjs', ['tests/faults/run.ts', ...options]);
    if (ok) good += 1;
    else {
      const [bad = said] = /^(?:BAD|NOT CAUGHT) [^]*/m.exec(said) ?? [];
      note('faults', [{ name: options.join(' '), message: bad }], []);
    }
  }
  count('faults', good === runs.length, [good, runs.length - good, 0]);
}

/**
 * @param {string} suite @param {boolean} ok @param {number[] | undefined} numbers passed, failed, skipped
 * @param {string} [said] all that the runner wrote
 */
function count(suite, ok, numbers, said = '') {
  const [passed = 0, failed = 0, skipped = 0] = numbers ?? [];
  // A runner that died, or that failed without a failing test (an unhandled rejection, a coverage floor), is a failure too.
  const died = !ok && failed === 0;
  const empty = ok && passed === 0;
  totals.passed += passed;
  totals.failed += failed + (died || empty ? 1 : 0);
  totals.skipped += skipped;
  if (strict && skipped > 0) {
    totals.failed += skipped;
    troubles.push(`failed: ${suite}: ${skipped} tests skipped where none may be`);
  }
  const [unhandled] = /Unhandled (?:Errors|Rejection)[^]*/.exec(said) ?? [];
  // A hook that fails leaves its file without a message.
  const isTold = failures.some((told) => told.suite === suite && told.failure.message !== '');
  if ((died && !isTold) || (!ok && unhandled !== undefined)) {
    const message = unhandled ?? /FAIL [^]*/.exec(said)?.[0] ?? said.slice(-2000);
    note(suite, [{ name: 'the runner failed outside any test', message }], []);
  }
  if (empty) troubles.push(`${suite}: no test ran`);
}

/** @param {string} suite @param {string} what */
function missing(suite, what) {
  if (strict) totals.failed += 1;
  else totals.skipped += 1;
  troubles.push(`${strict ? 'failed' : 'skipped'}: ${suite}: ${what} missing`);
}

mkdirSync(reports, { recursive: true });
const needBrowser = suites.some((suite) => ['browser', 'e2e', 'usb'].includes(suite));
const browser = needBrowser ? await ensureBrowser() : undefined;
if (browser && strict) ensureHeadless();
/** @type {string[]} */
const durations = [];
for (const suite of suites) {
  console.log(`\n# ${suite}`);
  const started = performance.now();
  if (suite === 'unit') await vitest('unit');
  else if (suite === 'interop') {
    if (ensureOpenssl()) await vitest('interop');
    else missing('interop', 'openssl 3');
  } else if (suite === 'browser' || suite === 'e2e') {
    if (!browser) {
      // Nothing a person asked for may end green without its browser.
      totals.failed += 1;
      troubles.push(`failed: ${suite}: no browser`);
    } else if (suite === 'browser') await vitest('browser');
    else await e2e();
  } else if (suite === 'faults') await faults();
  else if (suite === 'usb') {
    // Beneath a browser of the system only: the library stands in for the kernel that it was built for.
    if (!findChromium()) missing('usb', 'an installed Chromium');
    else if (!ensureCompiler()) missing('usb', 'a C compiler with the Linux headers');
    else if (!ensureDisplay()) missing('usb', 'Xvfb or xdotool');
    else await playwright('usb', 'tests/usb-stack/playwright.config.ts');
  } else {
    console.error(`no such suite: ${suite}`);
    process.exit(2);
  }
  durations.push(`${suite} ${Math.round((performance.now() - started) / 1000)} s`);
}
console.log('');
for (const { suite, slow: one } of slow)
  console.log(`${(one.milliseconds / 1000).toFixed(1)} s  ${suite}: ${one.name}`);
for (const { suite, failure } of failures) {
  console.log(`FAILED ${suite}: ${failure.name}`);
  for (const line of firstLines(failure.message)) console.log(`    ${line}`);
  if (failure.page === undefined || !existsSync(failure.page)) continue;
  console.log('    the page then:');
  for (const line of pageInBrief(readFileSync(failure.page, 'utf8'))) console.log(`    ${line}`);
}
console.log(durations.join(', '));
for (const trouble of troubles) console.log(trouble);
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped ? `, ${totals.skipped} skipped` : ''}`);
process.exitCode = totals.failed > 0 ? 1 : 0;
