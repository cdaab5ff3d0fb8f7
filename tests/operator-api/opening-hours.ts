/** When a centre is open, once a week. */
export interface Opening {
  /** 0 Sunday … 6 Saturday. */
  readonly weekdays: readonly number[];
  /** Minutes after midnight. */
  readonly from: number;
  readonly until: number;
}

const weekdayNames = '日一二三四五六';
const weekdayOf = (name: string): number => (name === '天' ? 0 : weekdayNames.indexOf(name));

/** 周一至周五 and the like; office days where nothing is said. */
function weekdaysOf(words: string): readonly number[] {
  if (/每天|每日/u.test(words)) return [0, 1, 2, 3, 4, 5, 6];
  const [, first, last] =
    /(?:周|星期)([一二三四五六日天])\s*[至到\-–—~～]\s*(?:周|星期)?([一二三四五六日天])/u.exec(words) ?? [];
  if (first === undefined || last === undefined) return [1, 2, 3, 4, 5];
  const days = [weekdayOf(first)];
  for (let day = weekdayOf(first); day !== weekdayOf(last);) days.push((day = (day + 1) % 7));
  return days;
}

/** Reads opening hours as centres write them: 工作日 9:00–12:00，13:30–17:00. What has no times in it has none. */
export function readOpeningHours(words: string): readonly Opening[] {
  const weekdays = weekdaysOf(words);
  const minutes = (hour = '', minute = ''): number => Number(hour) * 60 + Number(minute);
  return [...words.matchAll(/(\d{1,2})[:：](\d{2})\s*[至到\-–—~～]\s*(\d{1,2})[:：](\d{2})/gu)]
    .map((found) => ({ weekdays, from: minutes(found[1], found[2]), until: minutes(found[3], found[4]) }))
    .filter(({ from, until }) => from < until && until <= 1_440);
}
