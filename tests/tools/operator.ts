/**
 * The operator's tool: `npm run operator -- COMMAND`. The exit status is 0 when all is well, 1 when a file has errors, 2
 * when the command was not understood. With errors nothing is written.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { importCentres, type ImportError, type ImportProblem } from '../../src/guidance/centres/import.ts';
import { checkConfig } from './operator/check-config.ts';
import { keygen } from './operator/keygen.ts';
import { signContent } from './operator/sign-content.ts';
import { fileProblem, UsageError, type Console } from './operator/console.ts';

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

const usage = `usage: npm run operator -- COMMAND
  import-centres FILE.csv|FILE.json [--out FILE]
      checks a table of service centres and writes it as the site reads it
  keygen --id NAME --out PRIVATE.pem [--algorithm ed25519|sm2]
      makes a key for content packs and prints its row for "contentKeys" in config.json
  sign-content FILE.json --kind guidance|faq --version N --key PRIVATE.pem --id NAME --out DIRECTORY [--url PATH]
      checks content and writes the pack and its manifest
  check-config FILE
      says whether a config.json is one, and what in it is not read`;

async function centres(args: readonly string[], { out, error }: Console): Promise<number> {
  const [file, ...options] = args;
  const target = options[0] === '--out' ? options[1] : undefined;
  if (file === undefined || (options.length > 0 && (target === undefined || options.length > 2)))
    throw new UsageError('import-centres FILE [--out FILE]');
  const bytes = await readFile(file);
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

const commands: Readonly<Record<string, (args: readonly string[], console: Console) => Promise<number>>> = {
  'import-centres': centres,
  keygen,
  'sign-content': signContent,
  'check-config': checkConfig,
};

/** @returns the exit status: 0 well, 1 the file has errors, 2 the command was not understood or a file cannot be read */
export async function operator(args: readonly string[], console: Console): Promise<number> {
  const [name = '', ...others] = args;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (!command) throw new UsageError(name === '' ? 'which command?' : `${name} is no command`);
    return await command(others, console);
  } catch (cause) {
    const problem = cause instanceof UsageError ? `${cause.message}\n${usage}` : fileProblem(cause);
    if (problem === undefined) throw cause;
    console.error(problem);
    return 2;
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = await operator(process.argv.slice(2), { out: console.log, error: console.error });
}
