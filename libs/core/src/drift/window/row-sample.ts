import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../../statistics/binary-form.js';
import { shortName } from '../../statistics/index.js';
import { recordHash } from './record-hash.js';

export type SampledValue = number | string | null;

/** One row with where it stands in the log. */
export interface SampledRow {
  readonly hash: number;
  readonly recordId: string;
  readonly partition: number;
  readonly offset: number;
  /** In the order of the sample’s fields. */
  readonly values: readonly SampledValue[];
}

/**
 * The rows whose ids have the smallest hashes: a uniform sample without replacement that depends on the set of rows alone, so it
 * merges, and is the same whatever order they came in (bottom-k sketch: E. Cohen, H. Kaplan, PODC 2007).
 */
export interface RowSample {
  readonly fields: readonly string[];
  readonly limit: number;
  /** By hash, ascending. */
  rows: SampledRow[];
}

const [rowsMax, bytesMax, bytesPerValue, bytesPerRow] = [400, 100_000, 9, 40];

/** Rows of so many fields that a sample keeps: 400, fewer when they would take more than 100 KB. */
export const sampleLimit = (fields: number): number => Math.max(50, Math.min(rowsMax, Math.floor(bytesMax / (bytesPerRow + bytesPerValue * fields))));

export const emptyRowSample = (fields: readonly string[]): RowSample => ({ fields, limit: sampleLimit(fields.length), rows: [] });

const kept = (value: unknown): SampledValue => (typeof value === 'number' && Number.isFinite(value) ? value : typeof value === 'string' && value !== '' ? shortName(value) : typeof value === 'boolean' ? String(value) : null);

const inOrder = (a: SampledRow, b: SampledRow): number => a.hash - b.hash || (a.recordId < b.recordId ? -1 : a.recordId > b.recordId ? 1 : a.partition - b.partition || a.offset - b.offset);

const sameRecord = (a: SampledRow | undefined, b: SampledRow): boolean => a !== undefined && a.hash === b.hash && a.recordId === b.recordId;

function insert(sample: RowSample, row: SampledRow): void {
  const { rows } = sample;
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = rows[middle];
    if (other !== undefined && inOrder(other, row) < 0) low = middle + 1;
    else high = middle;
  }
  // Of a record that was logged twice the first position stays.
  if (sameRecord(rows[low - 1], row)) return;
  if (sameRecord(rows[low], row)) rows.splice(low, 1, row);
  else rows.splice(low, 0, row);
  if (rows.length > sample.limit) rows.length = sample.limit;
}

/** Takes in a row, in place. @param valueOf of a field; asked only when the row is kept. */
export function sampleRow(sample: RowSample, at: { readonly recordId: string; readonly partition: number; readonly offset: number }, valueOf: (field: string) => unknown): void {
  const hash = recordHash(at.recordId);
  const last = sample.rows[sample.limit - 1];
  if (last !== undefined && hash > last.hash) return;
  insert(sample, { hash, recordId: at.recordId, partition: at.partition, offset: at.offset, values: sample.fields.map((field) => kept(valueOf(field))) });
}

function withFields({ fields, rows }: RowSample, wanted: readonly string[]): readonly SampledRow[] {
  if (fields.length === wanted.length && fields.every((field, index) => field === wanted[index])) return rows;
  const places = wanted.map((field) => fields.indexOf(field));
  return rows.map((row) => ({ ...row, values: places.map((place) => row.values[place] ?? null) }));
}

/** Of samples with different fields the result has all, and the smaller limit. */
export function mergeRowSamples(a: RowSample, b: RowSample): RowSample {
  const fields = [...new Set([...a.fields, ...b.fields])].sort();
  const merged: RowSample = { fields, limit: Math.min(a.limit, b.limit), rows: [] };
  for (const row of [...withFields(a, fields), ...withFields(b, fields)].sort(inOrder)) {
    if (merged.rows.length === merged.limit) break;
    if (!sameRecord(merged.rows.at(-1), row)) merged.rows.push(row);
  }
  return merged;
}

export function writeRowSample(writer: BinaryWriter, { fields, limit, rows }: RowSample): void {
  writer.count(limit);
  writer.count(fields.length);
  for (const field of fields) writer.text(field);
  writer.count(rows.length);
  for (const { recordId, partition, offset, values } of rows) {
    writer.text(recordId);
    writer.count(partition);
    writer.count(offset);
    for (const value of values) {
      writer.u8(value === null ? 0 : typeof value === 'number' ? 1 : 2);
      if (typeof value === 'number') writer.f64(value);
      else if (value !== null) writer.text(value);
    }
  }
}

function readValue(reader: BinaryReader): SampledValue {
  const kind = reader.u8();
  if (kind > 2) throw new RangeError(`there is no kind ${kind} of value`);
  return kind === 0 ? null : kind === 1 ? reader.finite() : reader.text();
}

/** @throws RangeError for an impossible sample. */
export function readRowSample(reader: BinaryReader): RowSample {
  const limit = reader.size(rowsMax);
  const fields = Array.from({ length: reader.size(reader.left) }, () => reader.text());
  const rows = Array.from({ length: reader.size(limit) }, (): SampledRow => {
    const recordId = reader.text();
    return { hash: recordHash(recordId), recordId, partition: reader.count(), offset: reader.count(), values: fields.map(() => readValue(reader)) };
  });
  return { fields, limit, rows };
}

const [tag, version] = [13, 1];
export const serialiseRowSample = (sample: RowSample): Uint8Array => sealed(tag, version, (writer) => writeRowSample(writer, sample));
/** @throws RangeError for bytes that are no sample of rows. */
export const parseRowSample = (bytes: Uint8Array): RowSample => unsealed(bytes, tag, version, readRowSample);
