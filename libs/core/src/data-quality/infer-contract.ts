import type { ContractDocument, ContractProperty, ContractQualityRule } from './contract-document.js';
import { emptyColumn, observeCell, typeOf, type ColumnEvidence, type ColumnType } from './infer-contract-column.js';
import { nullRules, rulesOf } from './infer-contract-rules.js';
import { rises, upperBound } from './infer-contract-tails.js';

/** Evidence of all columns after one pass over clean records. */
export interface ContractEvidence {
  rows: number;
  readonly columns: Map<string, ColumnEvidence>;
}

export interface InferenceSettings {
  /** Name of the stream: lower-case letters, digits and dashes. */
  readonly id: string;
  /** When the records were delivered: what is usual between the newest event and now. */
  readonly asOfMs?: number;
  /** Columns that take the places that are otherwise guessed. */
  readonly key?: string;
  readonly eventTime?: string;
}

export const emptyContractEvidence = (columns: readonly string[] = []): ContractEvidence => ({ rows: 0, columns: new Map(columns.map((name) => [name, emptyColumn(name)])) });

export function observeForContract(evidence: ContractEvidence, record: Readonly<Record<string, unknown>>): void {
  for (const name of Object.keys(record)) {
    if (evidence.columns.has(name)) continue;
    const column = emptyColumn(name);
    // It was missing so far.
    column.rows = column.nulls = evidence.rows;
    if (evidence.rows > 0) column.unique = null;
    evidence.columns.set(name, column);
  }
  for (const [name, column] of evidence.columns) observeCell(column, Object.hasOwn(record, name) ? record[name] : null);
  evidence.rows += 1;
}

type Typed = readonly (readonly [ColumnEvidence, ColumnType])[];

/** Texts and whole numbers that never repeat; those called a key or id first, then the leftmost. */
function keyOf(columns: Typed, wanted: string | undefined): string | null {
  if (wanted !== undefined) return wanted;
  const candidates = columns.filter(([{ unique, rows }, type]) => unique !== null && rows >= 20 && (type === 'string' || type === 'integer')).map(([{ name }]) => name);
  return candidates.find((name) => /(?:^|_)(?:id|key|uuid|number|no)$|Id$|Key$/u.test(name)) ?? candidates[0] ?? null;
}

/** Of the times without nulls, one that rises with the rows, or the only one. */
function eventTimeOf(columns: Typed, wanted: string | undefined): string | null {
  if (wanted !== undefined) return wanted;
  const times = columns.filter(([{ nulls }, type]) => (type === 'timestamp' || type === 'date') && nulls === 0).map(([column]) => column);
  const rising = times.find(({ time, rows }) => time.steps.n > 0.5 * (rows - time.repeats));
  return (rising ?? (times.length === 1 ? times[0] : times.find(({ name }) => /event|time|timestamp|_at$|At$/u.test(name))))?.name ?? null;
}

const windows = [[1, 'PT1M'], [5, 'PT5M'], [15, 'PT15M'], [60, 'PT1H'], [360, 'PT6H'], [1_440, 'P1D'], [10_080, 'P7D']] as const;
const [windowsFewest, rowsPerWindow] = [8, 100];

/** Rows in each complete window of event time: from half the fewest to twice the most, in the shortest window that holds enough. */
function rowCountRule({ time }: ColumnEvidence): ContractQualityRule[] {
  if (time.minutes === null || time.minutes.size === 0) return [];
  for (const [minutes, per] of windows) {
    const counts = new Map<number, number>();
    for (const [minute, rows] of time.minutes) counts.set(Math.floor(minute / minutes), (counts.get(Math.floor(minute / minutes)) ?? 0) + rows);
    const [first, last] = [...counts.keys()].reduce(([low, high], window) => [Math.min(low, window), Math.max(high, window)], [Infinity, -Infinity]);
    const complete = last - first - 1;
    if (complete < windowsFewest) return [];
    const inside = [...counts].filter(([window]) => window > first && window < last).map(([, rows]) => rows);
    const total = inside.reduce((sum, rows) => sum + rows, 0);
    const [least, most] = [Math.min(...inside), Math.max(...inside)];
    if (inside.length < complete || total / complete < rowsPerWindow || least < 10) continue;
    return [{ type: 'library', metric: 'rowCount', arguments: { per }, mustBeBetween: [Math.floor(least / 2), Math.ceil(2 * most)], description: `rows in each complete window of event time; ${least} to ${most} were seen` }];
  }
  return [];
}

/** The longest silence that is still usual, in seconds, on top of twice the age of the newest event when these rows came. */
function latencyOf({ time }: ColumnEvidence, asOfMs: number | undefined): number | null {
  const silence = upperBound(time.steps, true);
  if (silence === null) return null;
  const age = asOfMs === undefined ? 0 : Math.max(0, asOfMs - time.max);
  return Math.max(1, Math.ceil((2 * silence + 2 * age) / 1_000));
}

function propertyOf(column: ColumnEvidence, type: ColumnType, key: boolean, eventTime: boolean): ContractProperty {
  const found = rulesOf(column, type, eventTime);
  const nulls = nullRules(column);
  // A key that counts up has no bounds, and no usual middle.
  const counts = key && (type === 'integer' || rises(column.high));
  const options = counts ? {} : (found.options ?? {});
  const quality = [...nulls.quality, ...(counts ? [] : (found.quality ?? [])), ...(key ? [{ type: 'library', metric: 'duplicateValues', mustBe: 0 }] : [])];
  return {
    name: column.name,
    ...(type === 'mixed' ? { logicalType: 'object' } : { logicalType: type }),
    ...(nulls.required || key ? { required: true } : {}),
    ...(key ? { primaryKey: true, primaryKeyPosition: 1 } : {}),
    ...(Object.keys(options).length > 0 ? { logicalTypeOptions: options } : {}),
    ...(quality.length > 0 ? { quality } : {}),
  };
}

/**
 * A contract for further records like those observed, as an ODCS 3.1 document with one schema object, `record`. It is meant to reject at most 1 in
 * 1,000 further clean records: each bound of `infer-contract-tails.ts` costs about 3 in a million, each closed list and each
 * required column at most about 1/n. Columns without nulls become required, lists of names are closed where hardly any new one is expected. What
 * only all records together show (null share, duplicate keys, rows per window, repeated times, age) becomes rules on the dataset.
 */
export function inferContract(evidence: ContractEvidence, { id, asOfMs, key, eventTime }: InferenceSettings): ContractDocument & { [member: string]: unknown } {
  const columns: Typed = [...evidence.columns.values()].map((column) => [column, typeOf(column)] as const);
  const known = columns.filter(([, type]) => type !== 'mixed');
  const [keyName, timeName] = [keyOf(known, key), eventTimeOf(known, eventTime)];
  const time = timeName === null ? undefined : evidence.columns.get(timeName);
  const latency = time === undefined ? null : latencyOf(time, asOfMs);
  const rowCount = time === undefined ? [] : rowCountRule(time);
  return {
    apiVersion: 'v3.1.0', kind: 'DataContract', id, name: id, version: '1.0.0', status: 'draft',
    description: { purpose: `Inferred from ${evidence.rows} records.`, limitations: 'Bounds come from the records alone; read them before you rely on them.' },
    schema: [{
      name: 'record',
      physicalName: `${id}.records`,
      customProperties: [...(timeName === null ? [] : [{ property: 'eventTime', value: timeName }]), { property: 'closed', value: true }],
      ...(rowCount.length > 0 ? { quality: rowCount } : {}),
      properties: known.map(([column, type]) => propertyOf(column, type, column.name === keyName, column.name === timeName)),
    }],
    ...(latency === null || timeName === null ? {} : { slaProperties: [{ property: 'latency', value: latency, unit: 's', element: `record.${timeName}` }] }),
  };
}
