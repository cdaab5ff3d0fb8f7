import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesEqual, concat, fromBase64, fromHex, toHex } from '../../../src/pki/bytes.ts';
import {
  assertDer,
  bitString,
  boolean,
  certificateTime,
  children,
  DerError,
  ecdsaSignatureFromDer,
  ecdsaSignatureToDer,
  encode,
  explicit,
  generalizedTime,
  integer,
  octetString,
  oid,
  parseDer,
  raw,
  readBitString,
  readBoolean,
  readExplicit,
  readInteger,
  readNamedBits,
  readOctetString,
  readOid,
  readSequence,
  readText,
  readTime,
  readUnsignedInteger,
  sequence,
  sourceBytes,
  unsignedInteger,
  utf8String,
} from '../../../src/pki/der.ts';
import cfca from '../../vectors/cfca.json' with { type: 'json' };

describe('assertDer', () => {
  it.each([
    ['NULL', '0500'],
    ['empty SEQUENCE', '3000'],
    ['INTEGER 128', '02020080'],
    ['INTEGER −128', '020180'],
    ['long length', `048180${'00'.repeat(128)}`],
    ['GeneralizedTime with a fraction', `1811${Buffer.from('20260101000000.5Z').toString('hex')}`],
    ['context tags, nested', 'a0038001ff'],
  ])('accepts %s', (_name, hex) => {
    expect(() => {
      assertDer(fromHex(hex));
    }).not.toThrow();
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['indefinite length', '30800000'],
    ['length in two bytes where one does', '04820001ff'],
    ['length 5 in the long form', '0481050000000000'],
    ['length with a leading zero', `04830000ff${'00'.repeat(255)}`],
    ['more than there is', '0405ff'],
    ['a child longer than its parent', '3003040500'],
    ['bytes after the value', '050000'],
    ['a high tag number', '1f8100'],
    ['end-of-contents', '0000'],
    ['BOOLEAN 01', '010101'],
    ['INTEGER without contents', '0200'],
    ['INTEGER with a needless 00', '02020001'],
    ['INTEGER with a needless FF', '0202ff80'],
    ['BIT STRING without contents', '0300'],
    ['BIT STRING with 8 unused bits', '03020800'],
    ['BIT STRING with an unused bit set', '03020101'],
    ['BIT STRING in pieces', '2304030200ff'],
    ['OCTET STRING in pieces', '24030401ff'],
    ['NULL with contents', '050100'],
    ['OBJECT IDENTIFIER cut short', '06022a86'],
    ['OBJECT IDENTIFIER with a padded arc', '06032a8001'],
    ['SEQUENCE without the constructed bit', '1000'],
    ['UTCTime without seconds', `170b${Buffer.from('2601010000Z').toString('hex')}`],
    ['UTCTime with an offset', `1711${Buffer.from('260101000000+0800').toString('hex')}`],
    ['GeneralizedTime with a trailing zero', `1812${Buffer.from('20260101000000.50Z').toString('hex')}`],
    ['BMPString of three bytes', '1e03000000'],
    ['UniversalString of three bytes', '1c03000000'],
    ['universal tag 15', '0f00'],
  ])('refuses %s', (_name, hex) => {
    expect(() => {
      assertDer(fromHex(hex));
    }).toThrow(DerError);
  });

  it('keeps to its bounds of size and depth', () => {
    const nested = (depth: number): Uint8Array => {
      let der = Uint8Array.of(0x30, 0);
      for (let i = 1; i < depth; i++) der = encode(sequence(raw(der)));
      return der;
    };
    expect(() => {
      assertDer(nested(32));
    }).not.toThrow();
    expect(() => {
      assertDer(nested(33));
    }).toThrow(DerError);
    expect(() => {
      assertDer(nested(5), { maxDepth: 4 });
    }).toThrow(DerError);
    expect(() => {
      assertDer(concat(fromHex('0483010000'), new Uint8Array(65_536)));
    }).toThrow(DerError);
    expect(() => {
      assertDer(concat(fromHex('0483010000'), new Uint8Array(65_536)), { maxBytes: 70_000 });
    }).not.toThrow();
  });

  it('lets parseDer read all the bytes or throw DerError, whatever they are', () => {
    const sample = fromBase64(cfca.csr);
    const mutation = fc.tuple(fc.nat({ max: sample.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.array(mutation, { maxLength: 3 })), (input) => {
        let bytes: Uint8Array;
        if (input instanceof Uint8Array) bytes = input;
        else {
          bytes = sample.slice();
          for (const [index, value] of input) bytes[index] = value;
        }
        try {
          expect(bytesEqual(sourceBytes(parseDer(bytes)), bytes)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('building and reading', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 2 ** 40, -1, -128, -129, -65_536])('carries the INTEGER %d', (value) => {
    const der = encode(integer(value));
    expect(() => {
      assertDer(der);
    }).not.toThrow();
    expect(readInteger(parseDer(der))).toBe(value);
  });

  it('encodes certReqId −1 as CMP wants it', () => {
    expect(toHex(encode(integer(-1)))).toBe('0201ff');
  });

  it('carries unsigned integers of any length in their shortest form', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const der = encode(unsignedInteger(bytes));
        assertDer(der);
        expect(BigInt(`0x0${toHex(readUnsignedInteger(parseDer(der)))}`)).toBe(BigInt(`0x0${toHex(bytes)}`));
      }),
    );
  });

  it.each(['1.2.156.10197.1.501', '2.5.29.15', '1.3.6.1.5.5.7.3.27', '2.999.3', '0.9.2342.19200300.100.1.25'])(
    'carries the OID %s',
    (dotted) => {
      expect(readOid(parseDer(encode(oid(dotted))))).toBe(dotted);
    },
  );

  it('carries a value of every kind through a SEQUENCE', () => {
    const parts = readSequence(
      parseDer(
        encode(
          sequence(
            octetString(Uint8Array.of(1, 2)),
            undefined,
            explicit(3, utf8String('税')),
            boolean(true),
            bitString(Uint8Array.of(0xa0), 5),
          ),
        ),
      ),
      4,
      4,
    );
    const [octets, tagged, flag, bits] = parts;
    expect(readOctetString(octets)).toEqual(Uint8Array.of(1, 2));
    expect(tagged && readText(readExplicit(tagged, 3))).toBe('税');
    expect(flag && readBoolean(flag)).toBe(true);
    expect(bits && readNamedBits(bits)).toEqual([0, 2]);
    expect(() => readBitString(bits)).toThrow(DerError);
  });

  it('splices ready bytes in unchanged and gives back the bytes it read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 30 }), (bytes, tag) => {
        const inner = encode(octetString(bytes));
        const der = encode(sequence(explicit(tag, raw(inner)), raw(inner)));
        const [tagged, plain] = children(parseDer(der));
        expect(tagged && sourceBytes(readExplicit(tagged, tag))).toEqual(inner);
        expect(plain && sourceBytes(plain)).toEqual(inner);
      }),
    );
  });

  it.each([
    ['1E044E2D56FD', '中国'],
    ['1303414243', 'ABC'],
    ['1C040001F600', '😀'],
  ])('reads the string %s', (hex, text) => {
    expect(readText(parseDer(fromHex(hex)))).toBe(text);
  });

  it('refuses UTF8String that is not UTF-8', () => {
    expect(() => readText(parseDer(fromHex('0c02c328')))).toThrow(DerError);
  });

  it('carries times to the second, and refuses times that do not exist', () => {
    const seconds = fc.integer({ min: Date.UTC(1950, 0) / 1000, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(seconds, (at) => {
        const date = new Date(at * 1000);
        expect(readTime(parseDer(encode(certificateTime(date))))).toEqual(date);
        expect(readTime(parseDer(encode(generalizedTime(date))))).toEqual(date);
      }),
    );
    expect(toHex(encode(certificateTime(new Date('2049-12-31T23:59:59Z')))).slice(0, 2)).toBe('17');
    expect(toHex(encode(certificateTime(new Date('2050-01-01T00:00:00Z')))).slice(0, 2)).toBe('18');
    const impossible = encode(raw(concat(Uint8Array.of(0x17, 13), new TextEncoder().encode('260230000000Z'))));
    expect(() => readTime(parseDer(impossible))).toThrow(DerError);
  });

  it.each([
    ['a SEQUENCE', () => readSequence(parseDer(fromHex('0500')))],
    ['an OCTET STRING', () => readOctetString(parseDer(fromHex('0500')))],
    ['an OBJECT IDENTIFIER', () => readOid(parseDer(fromHex('0500')))],
    ['an INTEGER', () => readInteger(parseDer(fromHex('0500')))],
    ['a small INTEGER', () => readInteger(parseDer(fromHex('020801ffffffffffffff')))],
    ['a tagged value', () => readExplicit(parseDer(fromHex('a0020500')), 1)],
    ['one tagged value', () => readExplicit(parseDer(fromHex('a00405000500')), 0)],
    ['a positive INTEGER', () => readUnsignedInteger(parseDer(fromHex('0201ff')))],
  ])('says so when the value is not %s', (_name, read) => {
    expect(read).toThrow(DerError);
  });
});

describe('ECDSA signatures', () => {
  it('go from r ‖ s to DER and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (signature) => {
        const der = ecdsaSignatureToDer(signature);
        assertDer(der);
        expect(ecdsaSignatureFromDer(der)).toEqual(signature);
      }),
    );
  });

  it('are refused when malformed or too large', () => {
    const der = ecdsaSignatureToDer(new Uint8Array(96).fill(0x11));
    expect(ecdsaSignatureFromDer(der, 48)).toEqual(new Uint8Array(96).fill(0x11));
    expect(() => ecdsaSignatureFromDer(der)).toThrow(DerError);
    expect(() => ecdsaSignatureFromDer(fromHex('30060201ff020101'))).toThrow(DerError);
    expect(() => ecdsaSignatureFromDer(fromHex('3003020101'))).toThrow(DerError);
    expect(() => ecdsaSignatureFromDer(fromHex('300702010102020001'))).toThrow(DerError);
  });
});
