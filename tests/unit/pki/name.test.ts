import { describe, expect, it } from 'vitest';
import {
  DerError,
  encode,
  integer,
  oid,
  parseDer,
  raw,
  readEnumerated,
  readInteger,
  sequence,
  set,
  utf8String,
} from '../../../src/pki/der.ts';
import { namesEqual, namesMatch, readName, type DistinguishedName } from '../../../src/pki/name.ts';

const attribute = (type: string, value: string): ReturnType<typeof sequence> => sequence(oid(type), utf8String(value));
const [organisation, unit] = [attribute('2.5.4.10', '某公司'), attribute('2.5.4.11', '财务部')];
const nameOf = (...relativeNames: ReturnType<typeof set>[]): DistinguishedName =>
  readName(parseDer(encode(sequence(...relativeNames))));

describe('names', () => {
  it('are others when their attributes are put together otherwise', () => {
    const apart = nameOf(set(organisation), set(unit));
    const together = nameOf(set(organisation, unit));

    expect(apart.attributes).toEqual(together.attributes);
    expect(namesEqual(apart, together)).toBe(false);
    expect(namesMatch(apart, together)).toBe(false);
    expect(namesEqual(apart, nameOf(set(organisation), set(unit)))).toBe(true);
  });

  it('have no relative name without attributes (X.501 §9.3)', () => {
    expect(() => nameOf(set(organisation), set())).toThrow(DerError);
  });
});

describe('numbers', () => {
  it.each([
    ['an INTEGER', encode(integer(2)), readInteger, readEnumerated],
    ['an ENUMERATED', encode(raw(Uint8Array.of(0x0a, 1, 2))), readEnumerated, readInteger],
  ])('%s is not taken for the other kind', (_, der, reads, refuses) => {
    expect(reads(parseDer(der))).toBe(2);
    expect(() => refuses(parseDer(der))).toThrow(DerError);
  });
});
