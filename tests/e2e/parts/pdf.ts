/** Number of page objects of a PDF as Chromium writes it: its page tree stands in plain text, only contents are compressed. */
export function pageCount(pdf: Uint8Array): number {
  const text = Buffer.from(pdf).toString('latin1');
  const pages = text.match(/\/Type\s*\/Page(?![a-zA-Z])/g)?.length ?? 0;
  const [, told] = /\/Type\s*\/Pages\s[^>]*?\/Count\s+(\d+)/.exec(text) ?? [];
  if (told === undefined || Number(told) !== pages)
    throw new Error(`page tree not understood: ${pages} pages, count ${told ?? 'missing'}`);
  return pages;
}

/** Width and height of the first page in millimetres. */
export function pageSize(pdf: Uint8Array): readonly [number, number] {
  const [, width, height] =
    /\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]/.exec(Buffer.from(pdf).toString('latin1')) ?? [];
  const millimetres = (points: string | undefined): number => Math.round((Number(points) / 72) * 25.4);
  return [millimetres(width), millimetres(height)];
}
