/**
 * The operator's tool.
 *
 *   npm run operator -- import-centres FILE [--out FILE]
 *
 * Checks a table of service centres (.csv or .json) and writes it as the site reads it. With errors nothing is written:
 * each is told with its line, and the exit status is 1.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { importCentres, type ImportError, type ImportProblem } from '../../src/guidance/centres/import.ts';

const explanations: Record<ImportProblem, string> = {
  empty: 'the file has no entries',
  tooLarge: 'the file is too large',
  tooMany: 'there are too many entries',
  notJson: 'this is not JSON',
  notAList: 'the JSON is not a list of centres',
  badEncoding: 'the text is neither UTF-8 nor GB 18030',
  unclosedQuote: 'a quotation mark is not closed',
  missingColumn: 'a column is missing',
  unknownColumn: 'this column is not known',
  duplicateColumn: 'this column comes twice',
  tooManyCells: 'there are more cells than columns',
  missingValue: 'a value is missing',
  badId: 'an id has letters, digits, - and _ only',
  duplicateId: 'this id comes twice',
  unknownDistrict: 'this is none of the 16 districts, neither by code nor by name',
  badPhone: 'this is not a telephone number',
  unknownService: 'this is none of the five services',
  badCoordinates: 'coordinates need latitude, longitude and their system, within Tianjin',
  tooLong: 'the text is too long',
  badValue: 'this value does not fit',
};

/** An error as a line of text. */
export function describe(file: string, { line, column, problem }: ImportError): string {
  const place = [file, ...(line > 0 ? [String(line)] : [])].join(':');
  return `${place}: ${column === undefined ? '' : `${column}: `}${explanations[problem]} (${problem})`;
}

/** A text file as spreadsheets here save it: UTF-8, or else GB 18030, which every byte sequence of GBK is. */
export function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('gb18030').decode(bytes);
  }
}

export interface Console {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

/** @returns the exit status: 0 well, 1 the file has errors, 2 the command was not understood */
export async function operator(args: readonly string[], { out, error }: Console): Promise<number> {
  const [command, file, ...options] = args;
  const target = options[0] === '--out' ? options[1] : undefined;
  const understood = options.length === 0 || (target !== undefined && options.length === 2);
  if (command !== 'import-centres' || file === undefined || !understood) {
    error('usage: npm run operator -- import-centres FILE.csv|FILE.json [--out FILE]');
    return 2;
  }
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    error(`${file}: cannot be read (${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'})`);
    return 2;
  }
  const result = importCentres(decode(bytes), path.extname(file).toLowerCase() === '.json' ? 'json' : 'csv');
  if (!result.ok) {
    for (const each of result.errors) error(describe(file, each));
    error(`errors: ${result.errors.length}; nothing was written`);
    return 1;
  }
  const json = `${JSON.stringify(result.centres, undefined, 2)}\n`;
  if (target === undefined) out(json.trimEnd());
  else {
    await writeFile(target, json);
    out(`${result.centres.length} centres written to ${target}`);
  }
  return 0;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await operator(process.argv.slice(2), { out: console.log, error: console.error });
}
