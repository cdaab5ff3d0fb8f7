import { text, type Text } from '../text.ts';

/** The sixteen districts of Tianjin with their codes (GB/T 2260), in the code's order. */
export const districtCodes = [
  '120101',
  '120102',
  '120103',
  '120104',
  '120105',
  '120106',
  '120110',
  '120111',
  '120112',
  '120113',
  '120114',
  '120115',
  '120116',
  '120117',
  '120118',
  '120119',
] as const;
export type DistrictCode = (typeof districtCodes)[number];

export const districtNames: Readonly<Record<DistrictCode, Text>> = {
  '120101': text('和平区', 'Heping'),
  '120102': text('河东区', 'Hedong'),
  '120103': text('河西区', 'Hexi'),
  '120104': text('南开区', 'Nankai'),
  '120105': text('河北区', 'Hebei'),
  '120106': text('红桥区', 'Hongqiao'),
  '120110': text('东丽区', 'Dongli'),
  '120111': text('西青区', 'Xiqing'),
  '120112': text('津南区', 'Jinnan'),
  '120113': text('北辰区', 'Beichen'),
  '120114': text('武清区', 'Wuqing'),
  '120115': text('宝坻区', 'Baodi'),
  '120116': text('滨海新区', 'Binhai'),
  '120117': text('宁河区', 'Ninghe'),
  '120118': text('静海区', 'Jinghai'),
  '120119': text('蓟州区', 'Jizhou'),
};

export const isDistrictCode = (value: string): value is DistrictCode =>
  (districtCodes as readonly string[]).includes(value);

/** A code or a name, with or without its 区. */
export function findDistrict(written: string): DistrictCode | undefined {
  const wanted = written.trim();
  if (isDistrictCode(wanted)) return wanted;
  return districtCodes.find((code) => {
    const name = districtNames[code]['zh-CN'];
    return name === wanted || name.replace(/新?区$/, '') === wanted;
  });
}
