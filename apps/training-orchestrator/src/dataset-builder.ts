import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { DuckDBConnection } from '@duckdb/node-api';
import { MillraceError } from '@millrace/contracts';
import { archiveColumn, splitByEventTime, type DatasetManifest, type ManifestSegment } from '@millrace/core/dataset';
import { firstOfEachId, identifier, labelledRecords, recordsInWindow, writePart, type DatasetShape, type PartitionFiles } from './dataset-sql.js';
import { rowsOf, withDuckDb } from './parquet.js';
import { SegmentFiles } from './segment-files.js';

export const parts = ['train', 'validation', 'test'] as const;
export type Part = (typeof parts)[number];

export interface DatasetCounts {
  /** Records in the window, labelled or not. */
  readonly records: number;
  readonly labelled: number;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Over every labelled row in order: equal hashes are equal rows. */
  readonly rowsSha256: string;
}

export const partFile = (folder: string, part: Part): string => join(folder, part, 'part-00000.parquet');

/** From a manifest to files: the same manifest gives the same rows in the same order, whenever and wherever it is built. */
@Injectable()
export class DatasetBuilder {
  constructor(private readonly segments: SegmentFiles) {}

  /**
   * Writes `folder`/{train,validation,test}/part-00000.parquet; the folder appears whole or not at all.
   * @throws MillraceError DATASET_EMPTY, DATASET_LEAKAGE, OBJECT_MISSING.
   */
  async build(manifest: DatasetManifest, task: DatasetShape['task'], folder: string): Promise<DatasetCounts> {
    const shape: DatasetShape = { ...manifest, task };
    const [records, labels] = [await this.partitionFiles(manifest.segments, 'record'), await this.partitionFiles(manifest.segments, 'label')];
    if (records.length === 0 || labels.length === 0) throw empty(manifest);
    const draft = `${folder}.${randomUUID()}.draft`;
    try {
      for (const part of parts) await mkdir(join(draft, part), { recursive: true });
      const counts = await withDuckDb((connection) => fill(connection, shape, manifest, records, labels, draft));
      await rm(folder, { recursive: true, force: true });
      await rename(draft, folder);
      return counts;
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  /** Builds the files again only where they are not there: another machine, or a cleared work folder. */
  async ensure(manifest: DatasetManifest, task: DatasetShape['task'], folder: string): Promise<void> {
    const present = await Promise.all(parts.map((part) => stat(partFile(folder, part)).then(() => true, () => false)));
    if (!present.every(Boolean)) await this.build(manifest, task, folder);
  }

  private async partitionFiles(segments: readonly ManifestSegment[], kind: ManifestSegment['kind']): Promise<PartitionFiles[]> {
    const partitions = new Map<number, string[]>();
    for (const segment of segments) {
      if (segment.kind !== kind) continue;
      const files = partitions.get(segment.partition) ?? [];
      files.push(await this.segments.localFile(segment));
      partitions.set(segment.partition, files);
    }
    return [...partitions].map(([partition, files]) => ({ partition, files }));
  }
}

async function fill(connection: DuckDBConnection, shape: DatasetShape, manifest: DatasetManifest, records: PartitionFiles[], labels: PartitionFiles[], folder: string): Promise<DatasetCounts> {
  await connection.run(firstOfEachId('records', records));
  await connection.run(firstOfEachId('labels', labels));
  await requireColumns(connection, 'records', shape.features.map(({ name }) => archiveColumn(name)));
  await requireColumns(connection, 'labels', [archiveColumn(shape.label.field)]);
  await connection.run(labelledRecords(shape));
  await refuseLeakage(connection);
  const [{ n: labelled } = { n: 0 }] = await rowsOf(connection, 'SELECT count(*) AS n FROM dataset');
  const [{ n: inWindow } = { n: 0 }] = await rowsOf(connection, recordsInWindow(shape));
  if (Number(labelled) === 0) throw empty(manifest);
  const split = splitByEventTime(Number(labelled), manifest.split);
  await connection.run(writePart(shape, partFile(folder, 'train'), split.train, 0));
  await connection.run(writePart(shape, partFile(folder, 'validation'), split.validation, split.train));
  await connection.run(writePart(shape, partFile(folder, 'test'), split.test, split.train + split.validation));
  const [hashed] = await rowsOf(connection, `SELECT sha256(string_agg(sha256(CAST(d AS VARCHAR)), '' ORDER BY event_time, record_id)) AS hash FROM dataset d`);
  return { records: Number(inWindow), labelled: Number(labelled), ...split, rowsSha256: String(hashed?.['hash']) };
}

async function requireColumns(connection: DuckDBConnection, view: string, columns: readonly string[]): Promise<void> {
  const present = new Set((await rowsOf(connection, `DESCRIBE ${identifier(view)}`)).map(({ column_name }) => String(column_name).toLowerCase()));
  const missing = columns.filter((name) => !present.has(name.toLowerCase()));
  if (missing.length > 0) throw new MillraceError('DATASET_EMPTY', `no archived ${view === 'records' ? 'record' : 'label'} carries ${missing.join(', ')}`);
}

/** What was known only after the outcome must not teach a model. */
async function refuseLeakage(connection: DuckDBConnection): Promise<void> {
  const leaks = await rowsOf(connection, 'SELECT record_id, count(*) OVER () AS n FROM dataset WHERE event_time > label_event_time ORDER BY event_time, record_id LIMIT 3');
  const [first] = leaks;
  if (first === undefined) return;
  const examples = leaks.map(({ record_id }) => String(record_id)).join(', ');
  throw new MillraceError('DATASET_LEAKAGE', `${String(first['n'])} records are younger than their labels, such as ${examples}: their features may tell the outcome. Correct the event times in the producers’ records or the contract’s eventTime.`);
}

const empty = ({ stream, window, labelHorizon }: DatasetManifest): MillraceError =>
  new MillraceError('DATASET_EMPTY', `the stream ${stream} has no labelled records from ${window.from ?? 'its beginning'} to ${window.to} with labels as of ${labelHorizon}`);
