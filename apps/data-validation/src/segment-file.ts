import { parquetWriteBuffer, type BasicType, type ColumnSource } from 'hyparquet-writer';
import { canonicalJson } from '@millrace/contracts';
import { archiveColumn } from '@millrace/core/dataset';
import type { ContractProperty } from './contracts-in-force.js';
import type { ArchivedRow } from './archive-run.js';

type Cell = string | number | bigint | boolean | Date | null;

function column(name: string, type: BasicType, data: Cell[], nullable: boolean): ColumnSource {
  return { name, type, data, nullable };
}

function integers(values: readonly unknown[]): { type: BasicType; data: Cell[] } {
  // An integer beyond 2^53 came as a double already: keep what was judged rather than pretend to 64 exact bits.
  const exact = values.every((value) => typeof value !== 'number' || Number.isSafeInteger(value));
  if (!exact) return { type: 'DOUBLE', data: values.map((value) => (typeof value === 'number' ? value : null)) };
  return { type: 'INT64', data: values.map((value) => (typeof value === 'number' ? BigInt(value) : null)) };
}

function text(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === 'string' ? value : canonicalJson(value);
}

/** Times and dates stay the producer’s text, which loses nothing; objects and arrays become canonical JSON text. */
function propertyColumn({ name, logicalType }: ContractProperty, rows: readonly ArchivedRow[]): ColumnSource {
  const values = rows.map(({ value }) => value[name]);
  const target = archiveColumn(name);
  switch (logicalType) {
    case 'number':
      return column(target, 'DOUBLE', values.map((value) => (typeof value === 'number' ? value : null)), true);
    case 'integer': {
      const { type, data } = integers(values);
      return column(target, type, data, true);
    }
    case 'boolean':
      return column(target, 'BOOLEAN', values.map((value) => (typeof value === 'boolean' ? value : null)), true);
    default:
      return column(target, 'STRING', values.map(text), true);
  }
}

function observedType(values: readonly unknown[]): ContractProperty['logicalType'] {
  const present = values.filter((value) => value !== undefined && value !== null);
  if (present.length > 0 && present.every((value) => typeof value === 'number')) return 'number';
  return present.length > 0 && present.every((value) => typeof value === 'boolean') ? 'boolean' : 'string';
}

/** For rows whose contract nobody here knows: every field that occurs, by name, typed as it occurs. */
export function observedFields(rows: readonly ArchivedRow[]): ContractProperty[] {
  const names = [...new Set(rows.flatMap(({ value }) => Object.keys(value)))].sort();
  return names.map((name) => ({ name, required: false, logicalType: observedType(rows.map(({ value }) => value[name])) }));
}

/**
 * One segment as Parquet: `offset` (INT64), `record_id`, `event_time` (timestamp, UTC, milliseconds), `contract_version`,
 * then the contract’s properties in its order (named by `archiveColumn`), all nullable. The same rows give the same bytes.
 */
export function segmentBytes(rows: readonly ArchivedRow[], contractVersion: string, properties: readonly ContractProperty[]): Uint8Array {
  const columnData: ColumnSource[] = [
    column('offset', 'INT64', rows.map(({ offset }) => BigInt(offset)), false),
    { ...column('record_id', 'STRING', rows.map(({ recordId }) => recordId), false), bloomFilter: true },
    column('event_time', 'TIMESTAMP', rows.map(({ eventTime }) => new Date(eventTime)), false),
    column('contract_version', 'STRING', rows.map(() => contractVersion), false),
    ...properties.map((property) => propertyColumn(property, rows)),
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 100_000 }));
}
