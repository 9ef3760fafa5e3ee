import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { labelAdmitted, MillraceError, recordAdmitted, type ModelSpec } from '@millrace/contracts';
import { archiveColumn, readLabel } from '@millrace/core/dataset';
import type { Feature } from '@millrace/core/inference';
import { labelFiles, recordFiles, type Archive } from '../archive/archive-segments.js';
import { firstOfEachId, inRange, namedAsFeatures } from '../archive/archive-sql.js';
import { quoted } from '../plain-files/read-table.js';
import type { Past, PastQuestion, PastRow, ReadRange } from './past-row.js';

/** What a row is called where a feature could be called anything. */
const own = { id: 'millrace:record', label: 'millrace:label', labelledAt: 'millrace:labelled-at' } as const;

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJS();
}

async function columnsOf(connection: DuckDBConnection, view: string): Promise<string[]> {
  return (await rowsOf(connection, `DESCRIBE ${view}`)).map((column) => String(column['column_name']));
}

const json = (value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);

async function rangesOf(connection: DuckDBConnection, view: string, topic: string, where: string): Promise<ReadRange[]> {
  const found = await rowsOf(connection, `SELECT archive_partition AS p, min("offset") AS a, max("offset") + 1 AS b, count(*) AS n FROM ${view} WHERE ${where} GROUP BY p ORDER BY p`);
  return found.map(({ p, a, b, n }) => ({ topic, partition: Number(p), fromOffset: Number(a), toOffset: Number(b), rows: Number(n) }));
}

function pastRow(found: Record<string, unknown>, features: readonly Feature[], spec: ModelSpec['spec']): PastRow | null {
  try {
    const label = readLabel({ task: spec.task, label: spec.label }, { [spec.label.field]: json(found[own.label]) });
    return { recordId: String(found[own.id]), label, features: Object.fromEntries(features.map(({ name }) => [name, json(found[name] ?? null)])), champion: null, championVersion: null, answered: null };
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'EVENT_INVALID') return null;
    throw error;
  }
}

async function join(connection: DuckDBConnection, question: PastQuestion, spec: ModelSpec['spec'], features: readonly Feature[]): Promise<Past> {
  const where = inRange({ stream: spec.stream, fromMs: question.fromMs, toMs: question.toMs });
  const { missing } = namedAsFeatures(await columnsOf(connection, 'records'), features.map(({ name }) => name));
  if (missing.length > 0) throw new MillraceError('REQUEST_INVALID', `no archived record of ${spec.stream} has the feature${missing.length === 1 ? '' : 's'} ${missing.join(', ')}`);
  const labelColumn = archiveColumn(spec.label.field);
  if (!(await columnsOf(connection, 'labels')).includes(labelColumn)) throw new MillraceError('DATASET_EMPTY', `no archived label of ${spec.stream} carries ${spec.label.field}`);
  const select = [`r.record_id AS ${quoted(own.id)}`, `l.${quoted(labelColumn)} AS ${quoted(own.label)}`, `l.event_time AS ${quoted(own.labelledAt)}`, ...features.map(({ name, type }) => `CAST(r.${quoted(archiveColumn(name))} AS ${type === 'number' ? 'DOUBLE' : 'VARCHAR'}) AS ${quoted(name)}`)];
  const [{ n } = { n: 0 }] = await rowsOf(connection, `SELECT count(*) AS n FROM records WHERE ${where}`);
  const found = await rowsOf(connection, `SELECT ${select.join(', ')} FROM (SELECT * FROM records WHERE ${where}) r JOIN labels l USING (record_id) ORDER BY l.event_time, r.record_id LIMIT ${question.rowsMax + 1}`);
  if (found.length > question.rowsMax) throw new MillraceError('REQUEST_INVALID', `more than ${question.rowsMax.toLocaleString('en-US')} records lie in the range; choose a shorter one, or more with --rows-max`);
  const rows = found.map((each) => pastRow(each, features, spec));
  const usable = rows.filter((row) => row !== null);
  const [unlabelled, unreadable] = [Number(n) - found.length, rows.length - usable.length];
  if (usable.length === 0) throw new MillraceError('DATASET_EMPTY', `none of the ${Number(n)} archived records of ${spec.stream} in the range has a label that can be read`);
  return {
    source: 'archive', rows: usable,
    read: [...(await rangesOf(connection, 'records', recordAdmitted.type, where)), ...(await rangesOf(connection, 'labels', labelAdmitted.type, `record_id IN (SELECT record_id FROM records WHERE ${where})`))],
    leftOut: { ...(unlabelled === 0 ? {} : { 'no label': unlabelled }), ...(unreadable === 0 ? {} : { 'label cannot be read': unreadable }) },
  };
}

/**
 * Past traffic from the archive: its records in the range with their labels. What was said of them then is not there.
 * @param features of both models.
 * @throws MillraceError DATASET_EMPTY, REQUEST_INVALID for a feature that no record has, or too many records.
 */
export async function pastFromArchive(archive: Archive, question: PastQuestion, spec: ModelSpec['spec'], features: readonly Feature[]): Promise<Past> {
  const records = await recordFiles(archive, { stream: spec.stream, fromMs: question.fromMs, toMs: question.toMs });
  const labels = await labelFiles(archive, spec.stream);
  if (labels.length === 0) throw new MillraceError('DATASET_EMPTY', `the archive holds no label of ${spec.stream} yet`);
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(`SET TimeZone = 'UTC'; CREATE TEMP VIEW records AS ${firstOfEachId(records)}; CREATE TEMP VIEW labels AS ${firstOfEachId(labels)}`);
    return await join(connection, question, spec, features);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
