import { telHref } from './centres/centre.ts';
import { guideHotlines, type Hotline, type Hotlines } from './hotlines.ts';
import { text, type Text } from './text.ts';

interface Row {
  readonly number: string;
  readonly hint?: Text;
}

/** What to press once connected, where the number ends with an extension and the operator says nothing else. */
function hintOf({ number, hint }: Row): Text | undefined {
  const pressed = /[-转,](\d{1,6})$/u.exec(number)?.[1];
  const isExtension = pressed !== undefined && (telHref(number) ?? '').includes(',');
  return hint ?? (isExtension ? text(`接通后按 ${pressed}`, `press ${pressed} once connected`) : undefined);
}

/** The operator's hot-lines as they are shown; the guide's where there is none that can be dialled. */
export function operatorHotlines(rows: readonly Row[] | undefined): Hotlines {
  const [first, ...others] = (rows ?? []).flatMap((row): Hotline[] => {
    const href = telHref(row.number);
    return href === undefined ? [] : [{ number: row.number, href, hint: hintOf(row), hintIsAssumption: false }];
  });
  return first ? [first, ...others] : guideHotlines;
}
