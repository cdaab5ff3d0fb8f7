import fc from 'fast-check';
import { expect, it } from 'vitest';
import { failInfoNames, type FailInfo } from '../../../src/ca/authority.ts';
import { meaningOf, type RefusalMeaning } from '../../../src/ca/refusal.ts';

it.each<[RefusalMeaning, readonly FailInfo[]]>([
  ['later', ['systemUnavail']],
  ['later', ['timeNotAvailable', 'systemFailure']],
  ['certificateNotTaken', ['certRevoked']],
  ['certificateNotTaken', ['badPOP', 'signerNotTrusted']],
  ['notAllowed', ['notAuthorized']],
  ['knownAlready', ['transactionIdInUse']],
  ['clock', ['badTime']],
  ['requestNotTaken', ['badCertTemplate', 'badPOP']],
  ['requestNotTaken', ['systemFailure', 'badAlg']],
  ['technical', ['badRequest']],
  ['technical', ['systemFailure', 'badDataFormat']],
  ['technical', []],
])('means %s by %j', (meaning, failInfo) => {
  expect(meaningOf(failInfo)).toBe(meaning);
});

it('means the same in any order, and “later” only by what says nothing against the request', () => {
  const passing: readonly FailInfo[] = ['systemUnavail', 'systemFailure', 'timeNotAvailable'];
  fc.assert(
    fc.property(fc.uniqueArray(fc.constantFrom(...failInfoNames)), (failInfo) => {
      const meaning = meaningOf(failInfo);
      expect(meaningOf([...failInfo].reverse())).toBe(meaning);
      expect(meaning === 'later').toBe(failInfo.length > 0 && failInfo.every((info) => passing.includes(info)));
    }),
  );
});
