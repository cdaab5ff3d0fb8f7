import * as v from 'valibot';
import { isFlowSlug, type FlowSlug } from '../rule-ids.ts';
import { phonePattern } from '../../service/phone.ts';
import { centreSchema, maxCentres, type Centre } from './centre.ts';
import { parseCsv } from './csv.ts';
import { findDistrict } from './districts.ts';

export type ImportProblem =
  | 'empty'
  | 'tooLarge'
  | 'tooMany'
  | 'notJson'
  | 'notAList'
  /** Not UTF-8: most likely saved by a spreadsheet in GBK. */
  | 'badEncoding'
  | 'unclosedQuote'
  | 'missingColumn'
  | 'unknownColumn'
  | 'duplicateColumn'
  | 'tooManyCells'
  | 'missingValue'
  | 'badId'
  | 'duplicateId'
  | 'unknownDistrict'
  | 'badPhone'
  | 'unknownService'
  | 'badCoordinates'
  | 'tooLong'
  | 'badValue';

export interface ImportError {
  /** Line of the file for CSV, number of the entry for JSON, both from 1; 0 for the file as a whole. */
  readonly line: number;
  readonly column: string | undefined;
  readonly problem: ImportProblem;
}

export type ImportResult =
  | { readonly ok: true; readonly centres: readonly Centre[] }
  | { readonly ok: false; readonly errors: readonly ImportError[] };

const requiredColumns = ['id', 'name', 'district', 'address', 'services'] as const;
const optionalColumns = ['hours', 'phone', 'latitude', 'longitude', 'system'] as const;
const columns: readonly string[] = [...requiredColumns, ...optionalColumns];
/** What operators call them in their own tables. */
const columnNames = new Map(
  Object.entries({
    编号: 'id',
    名称: 'name',
    网点名称: 'name',
    区: 'district',
    所属区: 'district',
    地址: 'address',
    业务: 'services',
    可办业务: 'services',
    办公时间: 'hours',
    电话: 'phone',
    纬度: 'latitude',
    经度: 'longitude',
    坐标系: 'system',
  }),
);
const serviceNames = new Map<string, FlowSlug>(
  Object.entries({
    升级: 'upgrade',
    新办: 'new',
    更新: 'renew',
    补办: 'replace',
    解锁: 'unlock',
  } as const),
);
const maxCharacters = 8_000_000;

const fail = (line: number, problem: ImportProblem, column?: string): ImportError => ({ line, column, problem });

/** An entry before it is checked: its texts by column, and the line it stands on. */
interface RawEntry {
  readonly line: number;
  readonly cells: ReadonlyMap<string, string>;
}

function readCsv(text: string): RawEntry[] | ImportError[] {
  const { records, unclosedQuote } = parseCsv(text);
  if (unclosedQuote !== undefined) return [fail(unclosedQuote, 'unclosedQuote')];
  const [header, ...rows] = records;
  if (!header) return [fail(0, 'empty')];
  const names = header.cells.map((cell) => columnNames.get(cell) ?? cell.toLowerCase());
  const errors: ImportError[] = [
    ...names.flatMap((name, at) =>
      columns.includes(name) ? [] : [fail(header.line, 'unknownColumn', header.cells[at])],
    ),
    ...names.flatMap((name, at) => (names.indexOf(name) < at ? [fail(header.line, 'duplicateColumn', name)] : [])),
    ...requiredColumns.flatMap((name) => (names.includes(name) ? [] : [fail(header.line, 'missingColumn', name)])),
    ...rows.flatMap((row) =>
      row.cells.slice(names.length).some((cell) => cell !== '') ? [fail(row.line, 'tooManyCells')] : [],
    ),
  ];
  if (errors.length > 0) return errors;
  return rows.map(({ line, cells }) => ({
    line,
    cells: new Map(names.map((name, at) => [name, cells[at]?.trim() ?? ''])),
  }));
}

const listSchema = v.array(v.record(v.string(), v.unknown()));

/** JSON: a list of entries with the columns of the CSV as members, `services` a list or a text, coordinates as numbers. */
function readJson(text: string): RawEntry[] | ImportError[] {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    return [fail(0, 'notJson')];
  }
  const list = v.safeParse(listSchema, value);
  if (!list.success) return [fail(0, 'notAList')];
  const errors: ImportError[] = [];
  const entries = list.output.map((entry, index): RawEntry => {
    const line = index + 1;
    const cells = new Map<string, string>();
    for (const [written, member] of Object.entries(entry)) {
      const name = columnNames.get(written) ?? written;
      if (!columns.includes(name)) errors.push(fail(line, 'unknownColumn', written));
      else if (typeof member === 'string') cells.set(name, member.trim());
      else if (typeof member === 'number') cells.set(name, String(member));
      else if (name === 'services' && Array.isArray(member) && member.every((one) => typeof one === 'string'))
        cells.set(name, member.join(';'));
      else if (member !== null) errors.push(fail(line, 'badValue', written));
    }
    return { line, cells };
  });
  return errors.length > 0 ? errors : entries;
}

function readServices(written: string): readonly FlowSlug[] | undefined {
  const services = new Set<FlowSlug>();
  for (const one of written.split(/[;；、,，|\s]+/).filter((part) => part !== '')) {
    const slug = isFlowSlug(one) ? one : serviceNames.get(one);
    if (!slug) return undefined;
    services.add(slug);
  }
  return [...services];
}

/** Members whose schema failed, told as what an operator can mend. */
function problemOf(column: string, kind: string): ImportProblem {
  if (kind === 'max_length') return 'tooLong';
  if (column === 'id') return 'badId';
  if (column === 'coordinates') return 'badCoordinates';
  return kind === 'min_length' ? 'missingValue' : 'badValue';
}

function readEntry({ line, cells }: RawEntry): Centre | ImportError[] {
  // A line break inside a cell is how a spreadsheet wraps, not part of an address.
  const cell = (name: string) => (cells.get(name) ?? '').replace(/\s+/g, ' ').trim();
  const errors: ImportError[] = requiredColumns
    .filter((name) => cell(name) === '')
    .map((name) => fail(line, 'missingValue', name));
  const district = findDistrict(cell('district'));
  if (cell('district') !== '' && !district) errors.push(fail(line, 'unknownDistrict', 'district'));
  const phone = cell('phone');
  if (phone !== '' && !phonePattern.test(phone)) errors.push(fail(line, 'badPhone', 'phone'));
  const services = readServices(cell('services'));
  if (!services) errors.push(fail(line, 'unknownService', 'services'));

  // Both numbers or neither; the system has no safe default, the two differ by hundreds of metres.
  const [latitude, longitude, system] = [cell('latitude'), cell('longitude'), cell('system').toLowerCase()];
  const placed = latitude !== '' || longitude !== '' || system !== '';
  const decimal = /^\d{1,3}(\.\d{1,10})?$/;
  const coordinates =
    decimal.test(latitude) && decimal.test(longitude)
      ? { latitude: Number(latitude), longitude: Number(longitude), system: system.replace('-', '') }
      : undefined;
  if (placed && !coordinates) errors.push(fail(line, 'badCoordinates', 'coordinates'));
  if (errors.length > 0) return errors;

  const parsed = v.safeParse(centreSchema, {
    id: cell('id'),
    name: cell('name'),
    district,
    address: cell('address'),
    hours: cell('hours'),
    phone,
    services,
    ...(coordinates ? { coordinates } : {}),
    sample: false,
  });
  if (parsed.success) return parsed.output;
  // One word a column: the first thing wrong with it.
  const byColumn = new Map<string, ImportProblem>();
  for (const issue of parsed.issues) {
    const column = v.getDotPath(issue)?.split('.')[0] ?? '';
    if (!byColumn.has(column)) byColumn.set(column, problemOf(column, issue.type));
  }
  return [...byColumn].map(([column, problem]) => fail(line, problem, column));
}

/**
 * Checks an operator's table of centres. All or nothing: one wrong line, and the former table stays in use.
 * CSV has a header with the columns id, name, district, address, services and, if wanted, hours, phone, latitude, longitude,
 * system (Chinese headings too); several services are parted by `;` or `、`.
 */
export function importCentres(text: string, format: 'csv' | 'json'): ImportResult {
  if (text.length > maxCharacters) return { ok: false, errors: [fail(0, 'tooLarge')] };
  if (text.includes('\ufffd')) return { ok: false, errors: [fail(0, 'badEncoding')] };
  const entries: RawEntry[] = [];
  const errors: ImportError[] = [];
  for (const one of format === 'csv' ? readCsv(text) : readJson(text))
    if ('problem' in one) errors.push(one);
    else entries.push(one);
  if (errors.length === 0 && entries.length === 0) errors.push(fail(0, 'empty'));
  if (entries.length > maxCentres) return { ok: false, errors: [fail(0, 'tooMany')] };

  const centres: Centre[] = [];
  const ids = new Set<string>();
  for (const entry of entries) {
    const read = readEntry(entry);
    if (!('id' in read)) errors.push(...read);
    else if (ids.has(read.id)) errors.push(fail(entry.line, 'duplicateId', 'id'));
    else {
      ids.add(read.id);
      centres.push(read);
    }
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, centres };
}
