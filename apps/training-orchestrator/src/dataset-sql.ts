import type { ModelSpec } from '@millrace/contracts';
import { archiveColumn } from '@millrace/core/dataset';

/** Local Parquet files of one partition of one kind. */
export interface PartitionFiles {
  readonly partition: number;
  readonly files: readonly string[];
}

export interface DatasetShape {
  readonly task: ModelSpec['spec']['task'];
  readonly features: readonly { readonly name: string; readonly type: string }[];
  readonly label: { readonly field: string; readonly positive?: boolean | string | number };
  readonly window: { readonly from: string | null; readonly to: string };
  readonly labelHorizon: string;
}

export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The columns that the files hold, never the Hive partitions of their paths: a feature may be called date or kind. */
export const parquet = (...files: readonly string[]): string => `read_parquet([${files.map(literal).join(', ')}], union_by_name = true, hive_partitioning = false)`;

const source = ({ partition, files }: PartitionFiles): string => `SELECT *, ${partition} AS archive_partition FROM ${parquet(...files)}`;

/** Every archived row of one kind, the first offset of each id only. Ids are keys, so one id stands in one partition. */
export function firstOfEachId(view: string, partitions: readonly PartitionFiles[]): string {
  const all = partitions.map(source).join(' UNION ALL BY NAME ');
  return `CREATE OR REPLACE TEMP VIEW ${view} AS
    SELECT * FROM (${all}) QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY archive_partition, "offset") = 1`;
}

function labelValue({ task, label }: DatasetShape): string {
  const column = `l.${identifier(archiveColumn(label.field))}`;
  if (task === 'regression') return `CAST(${column} AS DOUBLE)`;
  if (task === 'multiclass') return `CAST(${column} AS VARCHAR)`;
  const positive = label.positive ?? true;
  if (typeof positive === 'string') return `CAST(CAST(${column} AS VARCHAR) = ${literal(positive)} AS INTEGER)`;
  if (typeof positive === 'number') return `CAST(CAST(${column} AS DOUBLE) = ${positive} AS INTEGER)`;
  return `CAST(CAST(${column} AS BOOLEAN) = ${positive} AS INTEGER)`;
}

/**
 * Records of the window joined with labels as of the horizon, both on event time, in the order of (event time, record id).
 * A record that an earlier offset has told already is not told again, and neither is a label: growing the archive never
 * changes a row that an earlier dataset held. Columns: record_id, event_time, label_event_time, the features, label.
 */
export function labelledRecords(shape: DatasetShape): string {
  const features = shape.features.map(({ name, type }) => `CAST(r.${identifier(archiveColumn(name))} AS ${type === 'number' ? 'DOUBLE' : 'VARCHAR'}) AS ${identifier(name)}`);
  const label = labelValue(shape);
  const from = shape.window.from === null ? '' : `AND r.event_time >= TIMESTAMPTZ ${literal(shape.window.from)}`;
  return `CREATE OR REPLACE TEMP TABLE dataset AS
    SELECT r.record_id, r.event_time, l.event_time AS label_event_time, ${features.join(', ')}, ${label} AS label
    FROM records r JOIN labels l USING (record_id)
    WHERE r.event_time < TIMESTAMPTZ ${literal(shape.window.to)} ${from}
      AND l.event_time <= TIMESTAMPTZ ${literal(shape.labelHorizon)} AND ${label} IS NOT NULL
    ORDER BY r.event_time, r.record_id`;
}

/** Records of the window, labelled or not. */
export const recordsInWindow = ({ window }: DatasetShape): string =>
  `SELECT count(*) AS n FROM records r WHERE r.event_time < TIMESTAMPTZ ${literal(window.to)} ${window.from === null ? '' : `AND r.event_time >= TIMESTAMPTZ ${literal(window.from)}`}`;

/** One part of the split as a Parquet file: rows [offset, offset + rows) of the dataset’s order. */
export function writePart(shape: DatasetShape, file: string, rows: number, offset: number): string {
  const columns = ['record_id', 'event_time', ...shape.features.map(({ name }) => identifier(name)), 'label'];
  return `COPY (SELECT ${columns.join(', ')} FROM dataset ORDER BY event_time, record_id LIMIT ${rows} OFFSET ${offset}) TO ${literal(file)} (FORMAT PARQUET)`;
}
