import * as asn1js from 'asn1js';
import { AttributeTypeAndValue, RelativeDistinguishedNames } from 'pkijs';
import type { Bytes } from '../../src/pki/bytes.ts';

/** An attribute of a name: dotted OID and value, in the order of the name. */
export type NamePart = readonly [type: string, value: string];

export const attributeTypes = {
  country: '2.5.4.6',
  locality: '2.5.4.7',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  commonName: '2.5.4.3',
  /** Taxpayer number in SM2 profiles. */
  taxpayerNumber: '1.2.156.10260.4.1.5',
  /** Taxpayer number in the old RSA profile. */
  oldTaxpayerNumber: '1.2.86.11.7.5',
} as const;

/** DER Name, one attribute to an RDN; printable types where X.520 wants them, otherwise UTF8String (RFC 5280 §4.1.2.4). */
export function encodeName(parts: readonly NamePart[]): Bytes {
  const printable: readonly string[] = [
    attributeTypes.country,
    attributeTypes.taxpayerNumber,
    attributeTypes.oldTaxpayerNumber,
  ];
  const sets = parts.map(
    ([type, value]) =>
      new asn1js.Set({
        value: [
          new AttributeTypeAndValue({
            type,
            value: printable.includes(type) ? new asn1js.PrintableString({ value }) : new asn1js.Utf8String({ value }),
          }).toSchema(),
        ],
      }),
  );
  return new Uint8Array(new asn1js.Sequence({ value: sets }).toBER());
}

/** Reads a DER Name for pkijs. */
export function readName(der: Uint8Array): RelativeDistinguishedNames {
  return RelativeDistinguishedNames.fromBER(new Uint8Array(der));
}

/** The 31 characters of a unified social credit code (GB 32100-2015 §4): no I, O, S, V, Z. */
const creditCodeCharacters = '0123456789ABCDEFGHJKLMNPQRTUWXY';

/**
 * The check character of a unified social credit code (GB 32100-2015 §5).
 * @param body the first 17 characters
 * @throws RangeError when they are not 17 characters of the code's alphabet
 */
export function creditCodeCheckCharacter(body: string): string {
  if (body.length !== 17)
    throw new RangeError('a unified social credit code has 17 characters before its check character');
  let sum = 0;
  let weight = 1;
  for (const character of body) {
    const value = creditCodeCharacters.indexOf(character);
    if (value < 0) throw new RangeError(`${character} does not occur in a unified social credit code`);
    sum += value * weight;
    weight = (weight * 3) % 31;
  }
  return creditCodeCharacters.charAt((31 - (sum % 31)) % 31);
}

/** A made-up taxpayer. Everything about it is a sample and says so. */
export interface SampleTaxpayer {
  readonly name: string;
  /** 18 characters, with a valid check character. */
  readonly creditCode: string;
}

const tradeNames = ['某某商贸有限公司', '某某科技有限公司', '某某建材有限公司', '某某餐饮有限公司'] as const;

/** Random, so that no two keys handed out belong to the same taxpayer. */
export function sampleTaxpayer(): SampleTaxpayer {
  const random = crypto.getRandomValues(new Uint8Array(8));
  const [choice = 0, ...rest] = random;
  // 9 commerce, 1 enterprise, 120100 Tianjin, MA: an organisation registered since 2015; the seven others are random.
  const body = `91120100MA${rest
    .map((byte) => byte % creditCodeCharacters.length)
    .map((i) => creditCodeCharacters.charAt(i))
    .join('')}`;
  return {
    name: `${tradeNames[choice % tradeNames.length] ?? tradeNames[0]}(示例)`,
    creditCode: body + creditCodeCheckCharacter(body),
  };
}

/** The subject of a taxpayer's certificate, in the profile of the current (SM2) or the old (RSA) authority. */
export function taxpayerSubject(taxpayer: SampleTaxpayer, profile: 'current' | 'old'): Bytes {
  return encodeName([
    [attributeTypes.country, 'CN'],
    [attributeTypes.organization, '示例认证中心'],
    [attributeTypes.organizationalUnit, '天津税务证书示例'],
    [attributeTypes.commonName, taxpayer.name],
    [profile === 'current' ? attributeTypes.taxpayerNumber : attributeTypes.oldTaxpayerNumber, taxpayer.creditCode],
  ]);
}
