import { describe, expect, it } from 'vitest';
import { TransportError } from '../../../src/apdu/channel.ts';
import { parseResponse } from '../../../src/apdu/response.ts';
import { pivStatusMeaning, statusMeaning, triesLeft } from '../../../src/apdu/status-words.ts';
import { hex } from './hex.ts';

describe('statusMeaning', () => {
  it.each([
    [0x9000, 'success'],
    [0x6110, 'moreAvailable'],
    [0x6c08, 'wrongLe'],
    [0x63c0, 'wrongPassword'],
    [0x63ca, 'wrongPassword'],
    [0x6300, 'warning'],
    [0x6282, 'warning'],
    [0x6400, 'executionFailed'],
    [0x6581, 'memoryFailure'],
    [0x6700, 'wrongLength'],
    [0x6915, 'keyGenerationFailed'],
    [0x6982, 'notLoggedIn'],
    [0x6983, 'passwordLocked'],
    [0x6984, 'conditionsNotSatisfied'],
    [0x6988, 'conditionsNotSatisfied'],
    [0x698a, 'applicationNotOpen'],
    [0x6a84, 'noRoom'],
    [0x6a88, 'noSuchApplication'],
    [0x6a8b, 'noSuchName'],
    [0x6a95, 'noKeyPair'],
    [0x6a96, 'noCertificate'],
    [0x6a9e, 'moreToExport'],
    [0x6a81, 'wrongParameters'],
    [0x6d00, 'unknownInstruction'],
    [0x6e00, 'unknownClass'],
    [0x6e02, 'containerExists'],
    [0x1234, 'unknown'],
    [0x9001, 'unknown'],
  ])('reads %i as %s', (sw, meaning) => {
    expect(statusMeaning(sw)).toBe(meaning);
  });

  // NIST SP 800-73-4 part 2, the tables of status words of each command.
  it.each([
    [0x9000, 'success'],
    [0x6182, 'moreAvailable'],
    [0x63c2, 'wrongPassword'],
    [0x6300, 'wrongPassword'],
    [0x6581, 'memoryFailure'],
    [0x6700, 'wrongLength'],
    [0x6882, 'secureMessagingNotSupported'],
    [0x6884, 'chainingNotSupported'],
    [0x6982, 'notLoggedIn'],
    [0x6983, 'passwordLocked'],
    [0x6987, 'conditionsNotSatisfied'],
    [0x6a80, 'wrongParameters'],
    [0x6a81, 'functionNotSupported'],
    [0x6a82, 'noSuchObject'],
    [0x6a84, 'noRoom'],
    [0x6a86, 'wrongParameters'],
    [0x6a88, 'noSuchReference'],
    [0x6b00, 'wrongParameters'],
    [0x6d00, 'unknownInstruction'],
    [0x6e00, 'unknownClass'],
    [0x6e02, 'unknownClass'],
    [0x6f00, 'executionFailed'],
  ])('reads %i from a PIV key as %s', (sw, meaning) => {
    expect(pivStatusMeaning(sw)).toBe(meaning);
  });

  it('knows every word that ISO/IEC 7816-4 assigns, and no other', () => {
    const all = Array.from({ length: 0x1_0000 }, (_, sw) => sw);

    const unknown = all.filter((sw) => statusMeaning(sw) === 'unknown' || pivStatusMeaning(sw) === 'unknown');

    expect(unknown).toEqual(all.filter((sw) => (sw < 0x6100 || sw > 0x6fff) && sw !== 0x9000));
  });

  it('takes the tries of 63Cx and of nothing else', () => {
    expect([0x63c0, 0x63cf, 0x6310, 0x6983].map(triesLeft)).toEqual([0, 15, undefined, undefined]);
  });
});

describe('parseResponse', () => {
  it('separates the data from the status word', () => {
    expect(parseResponse(hex('0102 6a9e'))).toEqual({ data: hex('0102'), sw: 0x6a9e });
  });

  it.each([0, 1, 65_539])('refuses %i bytes as malformed', (length) => {
    expect(() => parseResponse(new Uint8Array(length))).toThrow(TransportError);
  });
});
