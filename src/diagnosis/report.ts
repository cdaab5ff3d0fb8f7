import { toHex } from '../pki/bytes.ts';
import { readSpki } from '../pki/algorithms.ts';
import type { KindState } from '../guidance/packs/state.ts';
import { holderName, taxpayerNumber } from '../renewal/trust.ts';
import type { TraceEntry } from '../usbkey/connect.ts';
import type { BrowserIdentity } from './browser-identity.ts';
import type { Finding } from './check.ts';
import type { CheckResult, CheckRun } from './run-checks.ts';

/** What is told besides the run itself. */
export interface ReportContext {
  readonly build: string;
  /** Server time, or the best there is. */
  readonly at: Date;
  readonly identity: BrowserIdentity;
  /** The six digits that the person reads out; undefined where there is nothing to read out. */
  readonly code: string | undefined;
  readonly skewMs: number | undefined;
  /** Every APDU by INS and status word. */
  readonly trace: readonly TraceEntry[];
  /** Fresh for each report, so that the same holder has another mark in the next one; at least 8 bytes. */
  readonly salt: Uint8Array;
}

const maxTrace = 400;
const markBytes = 8;
const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0');
const tail = (text: string): string => text.slice(-4);
/** A version as keys and certificates have them; anything else that a device says is not passed on. */
const version = (text: string): string => (/^[\d.]{1,16}$/.test(text) ? text : '-');
const day = (date: Date): string => date.toISOString().slice(0, 10);

/**
 * The run as lines of text that a person can look through and hand on: what is named here and nothing else. Names and
 * taxpayer numbers are marks, SHA-256 of salt and value cut to 8 bytes, by which somebody who knows the name can tell that it
 * is the same; of serial numbers the last four. No text that a device or a server made up is in it.
 */
export async function reportText({ results, notes }: CheckRun, context: ReportContext): Promise<string> {
  const { build, at, identity, code, skewMs, trace, salt } = context;
  const { attached, contents, tries, active, trust, records = [], latency = {}, policy, content = [] } = notes;
  const mark = async (value: string | undefined): Promise<string> =>
    value === undefined ? '-' : toHex(await digest(salt, value)).slice(0, 2 * markBytes);
  const lines = [
    'casupport report 1',
    `build ${build}`,
    `time ${at.toISOString()}`,
    `code ${code ?? '-'}`,
    `browser ${identity.browser} ${identity.version ?? '-'} ${identity.system}`,
    `clock ${skewMs === undefined ? '-' : `${Math.round(skewMs / 1000)} s`}`,
    ...(['config', 'policy', 'authority'] as const).map((name) => `server ${name} ${latency[name] ?? '-'} ms`),
    `enrolment ${policy?.enrolment ?? '-'}`,
    ...content.map(contentLine),
  ];
  if (attached) {
    const { vendorId, productId, way, model, device } = attached;
    lines.push(
      `device ${hex(vendorId, 4)}:${hex(productId, 4)} ${way} ${model?.name ?? '-'} ${device.guessed ? 'guessed' : 'known'}`,
    );
  }
  if (contents) {
    const { info, commandSet, containers, certificates } = contents;
    lines.push(
      `key ${commandSet} firmware ${version(info.firmwareVersion)} hardware ${version(info.hardwareVersion)}`,
      `serial …${tail(info.serialNumber)}`,
      `algorithms ${info.algorithms.join(' ') || '-'}`,
      `containers ${containers.length} of ${info.maxContainers ?? '-'}, certificates ${certificates.length}`,
      `password tries ${tries?.remaining ?? '-'} of ${tries?.maximum ?? '-'}`,
    );
  }
  if (active) {
    const { certificate, generation, keyMatches } = active;
    const { notBefore, notAfter, spki, serialNumber } = certificate;
    lines.push(
      `certificate ${readSpki(spki).algorithm} ${day(notBefore)} to ${day(notAfter)} ${generation} ${keyMatches ? 'pair' : 'no pair'}`,
      `certificate serial …${tail(serialNumber)}`,
      `holder ${await mark(holderName(certificate))}`,
      `taxpayer ${await mark(trust && taxpayerNumber(certificate, trust))}`,
      `salt ${toHex(salt)}`,
    );
  }
  lines.push(
    ...records.map(({ stage, purpose, endedBecause, updatedAt, transactionId }) =>
      ['record', tail(transactionId), purpose, stage, endedBecause ?? '', day(new Date(updatedAt))].join(' ').trim(),
    ),
    '',
    ...results.map(resultLine),
    '',
    `APDU ${trace.length}: INS SW`,
    ...inRows(
      trace.slice(-maxTrace).map(({ ins, sw }) => `${hex(ins, 2)} ${hex(sw, 4)}`),
      8,
    ),
  );
  return `${lines.join('\n')}\n`;
}

/** A pack's kind, number, and why another was not taken: all of them words and numbers of this software's own. */
function contentLine({ kind, version, checkedAt, refused }: KindState): string {
  const checked = checkedAt ? ` checked ${day(checkedAt)}` : '';
  const not = refused ? ` refused ${refused.version ?? '-'} ${refused.reason}` : '';
  return `content ${kind} ${version}${checked}${not}`;
}

function resultLine({ id, finding, ms }: CheckResult): string {
  return [id, outcomeOf(finding), ...(ms === undefined ? [] : [`${ms} ms`])].join(' ');
}

function outcomeOf(finding: Finding | undefined): string {
  if (!finding) return 'not run';
  if (finding.outcome === 'found') return finding.cause;
  return finding.outcome === 'skipped' ? `skipped (${finding.because})` : 'ok';
}

function inRows(items: readonly string[], perRow: number): string[] {
  const rows: string[] = [];
  for (let at = 0; at < items.length; at += perRow) rows.push(items.slice(at, at + perRow).join(', '));
  return rows;
}

async function digest(salt: Uint8Array, value: string): Promise<Uint8Array> {
  const text = new TextEncoder().encode(value);
  const bytes = new Uint8Array(salt.length + text.length);
  bytes.set(salt);
  bytes.set(text, salt.length);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}
