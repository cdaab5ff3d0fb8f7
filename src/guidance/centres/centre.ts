import * as v from 'valibot';
import { phonePattern } from '../../service/phone.ts';
import { flowSlugs, type FlowSlug } from '../rule-ids.ts';
import { districtCodes, type DistrictCode } from './districts.ts';

/** Where a point is, and in which of the two systems maps of China are drawn. Degrees. */
export interface Coordinates {
  readonly system: 'gcj02' | 'wgs84';
  readonly latitude: number;
  readonly longitude: number;
}

/** A CA certificate service centre (CA证书服务中心), as the operator publishes it. */
export interface Centre {
  readonly id: string;
  readonly name: string;
  readonly district: DistrictCode;
  readonly address: string;
  /** In words, as the centre writes them; empty when not published. */
  readonly hours: string;
  /** Empty when not published. */
  readonly phone: string;
  readonly services: readonly FlowSlug[];
  readonly coordinates?: Coordinates | undefined;
  /** Made up to show the page; never shown without saying so. */
  readonly sample: boolean;
}

const line = (limit: number) => v.pipe(v.string(), v.trim(), v.maxLength(limit));
const requiredLine = (limit: number) => v.pipe(line(limit), v.minLength(1));

/** Generous bounds of Tianjin: outside, latitude and longitude were most likely swapped or mistyped. */
export const coordinatesSchema = v.object({
  system: v.picklist(['gcj02', 'wgs84']),
  latitude: v.pipe(v.number(), v.minValue(38), v.maxValue(41)),
  longitude: v.pipe(v.number(), v.minValue(116), v.maxValue(119)),
});

export const centreSchema = v.object({
  id: v.pipe(v.string(), v.trim(), v.regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/)),
  name: requiredLine(80),
  district: v.picklist(districtCodes),
  address: requiredLine(200),
  hours: v.optional(line(200), ''),
  phone: v.optional(
    v.pipe(
      line(40),
      v.check((value) => value === '' || phonePattern.test(value)),
    ),
    '',
  ),
  services: v.pipe(v.array(v.picklist(flowSlugs)), v.minLength(1), v.maxLength(flowSlugs.length)),
  coordinates: v.optional(coordinatesSchema),
  sample: v.optional(v.boolean(), false),
});

/** What the operator's file may hold; far more than the city has, no more than stays smooth. */
export const maxCentres = 10_000;

export interface CentreFilter {
  readonly district?: DistrictCode | undefined;
  readonly service?: FlowSlug | undefined;
  /** Part of a name or an address. */
  readonly words?: string | undefined;
}

/** Sorting ten thousand names takes longer than a key press may: a list is sorted once. */
const inOrder = new WeakMap<readonly Centre[], readonly Centre[]>();

function ordered(centres: readonly Centre[]): readonly Centre[] {
  let sorted = inOrder.get(centres);
  if (!sorted) {
    const { compare } = new Intl.Collator('zh-CN');
    const byName = (a: Centre, b: Centre): number => Number(a.district) - Number(b.district) || compare(a.name, b.name);
    sorted = [...centres].sort(byName);
    inOrder.set(centres, sorted);
  }
  return sorted;
}

/** The centres that fit, in the order of the districts, then by name. */
export function filterCentres(centres: readonly Centre[], filter: CentreFilter): readonly Centre[] {
  const words = filter.words?.trim().toLowerCase() ?? '';
  return ordered(centres).filter(
    (centre) =>
      (filter.district === undefined || centre.district === filter.district) &&
      (filter.service === undefined || centre.services.includes(filter.service)) &&
      (words === '' || `${centre.name} ${centre.address}`.toLowerCase().includes(words)),
  );
}

/** How many of the centres are in each district, for the chips. */
export function countByDistrict(centres: readonly Centre[]): ReadonlyMap<DistrictCode, number> {
  const counts = new Map<DistrictCode, number>();
  for (const { district } of centres) counts.set(district, (counts.get(district) ?? 0) + 1);
  return counts;
}

/** A telephone number as an address, without blanks; the extension comes after a pause (RFC 3966). Undefined for no number. */
export function telHref(phone: string): string | undefined {
  const [, country = '', main = '', extension = ''] = phonePattern.exec(phone.trim()) ?? [];
  const dialled = `${country}${main}`.replace(/[^\d+]/g, '');
  const pressed = extension.replace(/\D/g, '');
  if (dialled === '') return undefined;
  return `tel:${dialled}${pressed === '' ? '' : `,${pressed}`}`;
}
