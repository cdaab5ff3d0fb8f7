/** A record of a CSV file, with the line of the file on which it begins (1-based). */
export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvFile {
  readonly records: readonly CsvRecord[];
  /** The line on which a quoted cell begins that never ends; undefined in a sound file. */
  readonly unclosedQuote: number | undefined;
}

/**
 * Reads comma-separated values (RFC 4180): quoted cells may hold commas, doubled quotes and line breaks; lines end with CRLF,
 * LF or CR; a byte order mark and empty lines are passed over.
 */
export function parseCsv(text: string): CsvFile {
  const source = text.startsWith('\ufeff') ? text.slice(1) : text;
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let wasQuoted = false;
  let line = 1;
  let recordLine = 1;
  let quoteLine = 1;

  const endCell = () => {
    cells.push(wasQuoted ? cell : cell.trim());
    cell = '';
    wasQuoted = false;
  };
  const endRecord = () => {
    endCell();
    if (cells.some((one) => one !== '')) records.push({ line: recordLine, cells });
    cells = [];
  };

  for (let at = 0; at < source.length; at += 1) {
    const character = source.charAt(at);
    const newline = character === '\n' || (character === '\r' && source.charAt(at + 1) !== '\n');
    if (newline) line += 1;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (source.charAt(at + 1) === '"') {
        cell += '"';
        at += 1;
      } else quoted = false;
    } else if (character === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
      wasQuoted = true;
      quoteLine = line;
    } else if (character === ',') endCell();
    else if (newline) {
      endRecord();
      recordLine = line;
    } else if (character !== '\r') cell += character;
  }
  if (cell !== '' || cells.length > 0 || wasQuoted) endRecord();
  return { records, unclosedQuote: quoted ? quoteLine : undefined };
}
