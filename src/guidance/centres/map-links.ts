import { districtNames } from './districts.ts';
import type { Centre } from './centre.ts';

/** A map's web page that opens without a key or an account of ours. */
export interface MapLink {
  readonly map: 'amap' | 'baidu';
  readonly href: string;
}

type MapName = MapLink['map'];
let maps: readonly MapName[] = ['amap', 'baidu'];

/** Takes the operator's choice of maps. */
export function useMaps(names: readonly MapName[]): void {
  maps = names;
}

const address = (base: string, parameters: Readonly<Record<string, string>>) => {
  const url = new URL(base);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  // Both maps read a plus sign literally in some of their applications.
  return url.href.replaceAll('+', '%20');
};

/**
 * Opens the centre in Amap and in Baidu Maps, by coordinates where they are known, else by a search for name and address.
 * Amap URI API (uri.amap.com/marker, /search); Baidu Map URI API (api.map.baidu.com/marker, /geocoder).
 */
export function mapLinks(centre: Centre): readonly MapLink[] {
  return allLinks(centre).filter(({ map }) => maps.includes(map));
}

function allLinks(centre: Centre): readonly MapLink[] {
  const place = `天津市${districtNames[centre.district]['zh-CN']}${centre.address}`;
  const { coordinates, name } = centre;
  const source = 'casupport';
  if (!coordinates)
    return [
      {
        map: 'amap',
        href: address('https://uri.amap.com/search', { keyword: `${place} ${name}`, city: '120000', src: source }),
      },
      {
        map: 'baidu',
        href: address('https://api.map.baidu.com/geocoder', {
          address: place,
          output: 'html',
          src: `webapp.${source}`,
        }),
      },
    ];
  const { latitude, longitude, system } = coordinates;
  return [
    {
      map: 'amap',
      href: address('https://uri.amap.com/marker', {
        position: `${longitude},${latitude}`,
        name,
        coordinate: system === 'wgs84' ? 'wgs84' : 'gaode',
        src: source,
      }),
    },
    {
      map: 'baidu',
      href: address('https://api.map.baidu.com/marker', {
        location: `${latitude},${longitude}`,
        title: name,
        content: place,
        coord_type: system,
        output: 'html',
        src: `webapp.${source}`,
      }),
    },
  ];
}
