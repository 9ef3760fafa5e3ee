import { archiveColumn } from '@millrace/core/dataset';
import { literal, quoted } from '../plain-files/read-table.js';
import type { ArchiveRange } from './archive-range.js';
import type { PartitionFiles } from './archive-segments.js';

/** The archive's own columns, and where a row comes from. */
export const archiveOwn = ['record_id', 'event_time', 'archive_partition', 'offset', 'contract_version'] as const;

// Not Hive's partitions: a property of the contract may be called date or kind. Times come without their zone, which is UTC.
const source = ({ partition, files }: PartitionFiles): string =>
  `SELECT * REPLACE (CAST(event_time AS TIMESTAMPTZ) AS event_time), ${partition} AS archive_partition FROM read_parquet([${files.map(literal).join(', ')}], union_by_name = true, hive_partitioning = false)`;

/** Archived rows of one kind, for a connection whose time zone is UTC. An id that was told more than once counts by its first offset, as in a dataset version. */
export const firstOfEachId = (partitions: readonly PartitionFiles[]): string =>
  `SELECT * FROM (${partitions.map(source).join(' UNION ALL BY NAME ')}) QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY archive_partition, "offset") = 1`;

const time = (ms: number): string => `make_timestamptz(${ms * 1_000})`;

export function inRange({ fromMs, toMs }: ArchiveRange): string {
  const ends = [...(fromMs === null ? [] : [`event_time >= ${time(fromMs)}`]), ...(toMs === null ? [] : [`event_time < ${time(toMs)}`])];
  return ends.length === 0 ? 'true' : ends.join(' AND ');
}

/**
 * Columns of archived rows under the names that a model knows: its features first, then the rest as archived but what a feature's
 * name hides.
 * @param present the archive's columns.
 * @returns for SELECT, and the features that no row has.
 */
export function namedAsFeatures(present: readonly string[], features: readonly string[]): { readonly select: readonly string[]; readonly missing: readonly string[] } {
  const held = new Map(present.map((name) => [name.toLowerCase(), name]));
  const taken = new Set([...features, ...features.map(archiveColumn)].map((name) => name.toLowerCase()));
  const sources = features.map((name) => ({ name, from: held.get(archiveColumn(name).toLowerCase()) }));
  const rest = present.filter((name) => !taken.has(name.toLowerCase()));
  return {
    select: [...rest.map(quoted), ...sources.flatMap(({ name, from }) => (from === undefined ? [] : [`${quoted(from)} AS ${quoted(name)}`]))],
    missing: sources.filter(({ from }) => from === undefined).map(({ name }) => name),
  };
}
