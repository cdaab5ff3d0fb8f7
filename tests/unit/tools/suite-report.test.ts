import { expect, test } from 'vitest';
import {
  failuresOfPlaywright,
  failuresOfVitest,
  firstLines,
  pageInBrief,
  slowest,
  timesOfPlaywright,
  timesOfVitest,
} from '../../tools/suite-report.mjs';

const vitest = {
  numPassedTests: 1,
  numFailedTests: 1,
  numPendingTests: 0,
  testResults: [
    {
      name: '/site/tests/unit/a.test.ts',
      status: 'failed',
      message: '',
      assertionResults: [
        { fullName: 'a number is odd', status: 'passed', duration: 3, failureMessages: [] },
        { fullName: 'a number is even', status: 'failed', duration: 40, failureMessages: ['Error: 3 is not'] },
        {
          fullName: 'hangs',
          status: 'failed',
          duration: 5000.2,
          failureMessages: ['Error: STACK_TRACE_ERROR\n  at a'],
        },
      ],
    },
    { name: '/site/tests/unit/b.test.ts', status: 'failed', message: 'Cannot find ./c.ts', assertionResults: [] },
    { name: '/site/tests/unit/d.test.ts', status: 'passed', message: '', assertionResults: [] },
  ],
};

const kept = [{ name: 'screenshot' }, { name: 'error-context', path: '/r/error-context.md' }];
const playwright = {
  stats: { expected: 1, unexpected: 1, flaky: 1, skipped: 0 },
  suites: [
    {
      title: 'a.spec.ts',
      file: 'a.spec.ts',
      specs: [{ title: 'opens', tests: [{ status: 'expected', results: [{ duration: 700, errors: [] }] }] }],
      suites: [
        {
          title: 'the page',
          specs: [
            {
              title: 'closes',
              tests: [
                {
                  status: 'unexpected',
                  results: [{ duration: 900, errors: [{ message: 'still open' }], attachments: kept }],
                },
              ],
            },
            {
              title: 'hangs',
              tests: [{ status: 'unexpected', results: [{ duration: 60_000, status: 'timedOut', errors: [] }] }],
            },
            {
              title: 'blinks',
              tests: [
                {
                  status: 'flaky',
                  results: [
                    { duration: 100, errors: [{ message: 'dark' }] },
                    { duration: 200, errors: [] },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  ],
  errors: [{ message: 'no server' }],
};

test('of vitest: each failed test with its file and message, and each file that could not be loaded', () => {
  expect(failuresOfVitest(vitest, '/site')).toEqual([
    { name: 'tests/unit/a.test.ts: a number is even', message: 'Error: 3 is not' },
    { name: 'tests/unit/a.test.ts: hangs', message: 'ended by the runner after 5000 ms\n  at a' },
    { name: 'tests/unit/b.test.ts', message: 'Cannot find ./c.ts' },
  ]);
});

test('of Playwright: each test that failed or was flaky, by all the names it stands in, and what failed outside', () => {
  expect(failuresOfPlaywright(playwright)).toEqual([
    { name: 'a.spec.ts › the page › closes', message: 'still open', page: '/r/error-context.md' },
    { name: 'a.spec.ts › the page › hangs', message: 'timedOut' },
    { name: 'a.spec.ts › the page › blinks', message: 'dark' },
    { name: 'outside any test', message: 'no server' },
  ]);
});

test('of a page on which a test failed: what was in its main part', () => {
  const file = [
    '# Test info',
    '```yaml',
    '- banner:',
    '  - link "home"',
    '- main:',
    '  - text: no key',
    '```',
    '# Test',
  ];
  expect(pageInBrief(file.join('\n'))).toEqual(['- main:', '  - text: no key']);
  expect(pageInBrief('nothing was kept')).toEqual([]);
});

test('the slowest tests of either come first, every attempt counted', () => {
  expect(slowest(timesOfVitest(vitest, '/site'), 1)).toEqual([
    { name: 'tests/unit/a.test.ts: hangs', milliseconds: 5000.2 },
  ]);
  expect(slowest(timesOfPlaywright(playwright), 3).map(({ milliseconds }) => milliseconds)).toEqual([60_000, 900, 700]);
  expect(timesOfPlaywright(playwright).at(-1)).toEqual({ name: 'a.spec.ts › the page › blinks', milliseconds: 300 });
});

test('a message is shown without colours, empty lines and the runner’s own calls, and not for ever', () => {
  const message =
    '\u001B[31mError: no\u001B[39m\n\n  at a.ts:1\n    at f (/x/node_modules/r.js:1:1)\n' + 'line\n'.repeat(50);
  expect(firstLines(message, 3)).toEqual(['Error: no', '  at a.ts:1', 'line']);
  expect(firstLines('x'.repeat(500))).toEqual([`${'x'.repeat(400)}…`]);
});
