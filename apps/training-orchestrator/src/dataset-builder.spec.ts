/**
 * Goal: a dataset holds exactly the records of its window that were labelled as of the horizon, each once, in event-time
 * order, the same every time; a record younger than its label stops everything.
 * Method: small Parquet segments written here; the expected rows are written by hand.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DatasetManifest } from '@millrace/core/dataset';
import { writeSegment, type ArchivedRow } from '@millrace/testing';
import { DatasetBuilder, partFile, parts } from './dataset-builder.js';
import { parquet } from './dataset-sql.js';
import { rowsOf, withDuckDb } from './parquet.js';
import type { SegmentFiles } from './segment-files.js';

const day = (text: string): string => `2026-01-${text}:00:00Z`;
const record = (id: string, at: string, weight: number | null, depot = 'north'): ArchivedRow => ({ id, at: day(at), weight, depot });
const label = (id: string, at: string, late: boolean): ArchivedRow => ({ id, at: day(at), late });

describe('DatasetBuilder', () => {
  let folder: string;
  let segments: DatasetManifest['segments'][number][];
  let count = 0;
  const files = new Map<string, string>();
  const builder = new DatasetBuilder({ localFile: async ({ sha256 }) => files.get(sha256) ?? '' } as Partial<SegmentFiles> as SegmentFiles);

  const archive = async (kind: 'record' | 'label', partition: number, fromOffset: number, rows: ArchivedRow[]) => {
    const sha256 = `segment-${(count += 1)}`;
    const file = join(folder, `stream=parcels/kind=${kind}/date=2026-01-01/${sha256}.parquet`);
    await writeSegment(file, fromOffset, rows);
    files.set(sha256, file);
    segments.push({ kind, topic: kind, partition, fromOffset, toOffset: fromOffset + rows.length, rows: rows.length, sha256 });
  };
  const manifest = (changes: Partial<DatasetManifest> = {}): DatasetManifest => ({
    formatVersion: 1, stream: 'parcels', contractVersion: '1.0.0', segments, labelHorizon: day('20T00'), window: { from: null, to: day('20T00') },
    features: [{ name: 'weight', type: 'number' }, { name: 'depot', type: 'category' }], label: { field: 'late', positive: true },
    split: { by: 'event-time', testShare: 0.25, validationShare: 0.25 }, ...changes,
  });
  const build = (changes: Partial<DatasetManifest> = {}, task: 'binary' | 'multiclass' = 'binary') => builder.build(manifest(changes), task, join(folder, 'dataset'));
  const rowsIn = async (part: (typeof parts)[number]) => withDuckDb((connection) => rowsOf(connection, `SELECT * FROM ${parquet(partFile(join(folder, 'dataset'), part))}`));
  const ids = async (): Promise<string[]> => (await Promise.all(parts.map(rowsIn))).flat().map(({ record_id }) => String(record_id));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-dataset-'));
    segments = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('joins over partitions and segments, in event-time order, and splits the latest off', async () => {
    await archive('record', 0, 0, [record('d', '04T00', 4), record('a', '01T00', null)]);
    await archive('record', 1, 7, [record('c', '03T00', 3, 'south'), record('b', '02T00', 2)]);
    await archive('label', 0, 0, [label('a', '05T00', true), label('d', '06T00', false)]);
    await archive('label', 1, 3, [label('c', '05T00', true), label('b', '05T00', false), label('stranger', '05T00', true)]);
    expect(await build()).toMatchObject({ records: 4, labelled: 4, train: 2, validation: 1, test: 1 });
    expect(await rowsIn('train')).toMatchObject([{ record_id: 'a', weight: null, depot: 'north', label: 1 }, { record_id: 'b', weight: 2, label: 0 }]);
    expect(await rowsIn('validation')).toMatchObject([{ record_id: 'c', depot: 'south', label: 1 }]);
    expect(await rowsIn('test')).toMatchObject([{ record_id: 'd', label: 0 }]);
  });

  it('takes the first offset of a record and of a label that were told twice', async () => {
    await archive('record', 0, 10, [record('a', '02T00', 99)]);
    await archive('record', 0, 0, [record('a', '01T00', 1), record('a', '01T00', 50)]);
    await archive('label', 0, 5, [label('a', '03T00', false)]);
    await archive('label', 0, 0, [label('a', '03T00', true)]);
    expect(await build()).toMatchObject({ records: 1, labelled: 1 });
    expect(await rowsIn('train')).toMatchObject([{ record_id: 'a', weight: 1, label: 1 }]);
  });

  it('knows no label beyond the horizon and no record outside the window', async () => {
    await archive('record', 0, 0, [record('old', '01T00', 1), record('first', '05T00', 1), record('in', '06T00', 1), record('unlabelled', '07T00', 1), record('next', '10T00', 1)]);
    await archive('label', 0, 0, [label('old', '02T00', true), label('first', '09T00', true), label('in', '10T00', true), label('unlabelled', '10T01', true), label('next', '10T00', true)]);
    const counts = await build({ labelHorizon: day('10T00'), window: { from: day('05T00'), to: day('10T00') } });
    expect(counts).toMatchObject({ records: 3, labelled: 2 });
    expect(await ids()).toEqual(['first', 'in']);
  });

  it('gives the same rows however the archive was cut, and other rows another hash', async () => {
    const rows = [record('a', '01T00', 1), record('b', '01T00', 2), record('c', '01T00', 3), record('d', '02T00', 4)];
    const labels = rows.map(({ id }) => label(id, '03T00', id < 'c'));
    await archive('record', 0, 0, rows);
    await archive('label', 0, 0, labels);
    const whole = await build();
    expect(await ids()).toEqual(['a', 'b', 'c', 'd']);
    segments = [];
    await archive('record', 0, 2, rows.slice(2));
    await archive('record', 0, 0, rows.slice(0, 2));
    await archive('label', 0, 0, labels);
    expect((await build()).rowsSha256).toBe(whole.rowsSha256);
    segments = segments.filter(({ kind }) => kind === 'label');
    await archive('record', 0, 0, rows.map((row) => (row.id === 'b' ? record('b', '01T00', 2.5) : row)));
    expect((await build()).rowsSha256).not.toBe(whole.rowsSha256);
  });

  it('refuses a record that is younger than its label', async () => {
    await archive('record', 0, 0, [record('fine', '01T00', 1), record('leaky', '09T00', 1)]);
    await archive('label', 0, 0, [label('fine', '02T00', true), label('leaky', '08T00', true)]);
    await expect(build()).rejects.toMatchObject({ code: 'DATASET_LEAKAGE', message: expect.stringContaining('leaky') });
  });

  it('says so when nothing is labelled, nothing is archived, or a feature was never archived', async () => {
    await archive('record', 0, 0, [record('a', '01T00', 1)]);
    await expect(build()).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
    await archive('label', 0, 0, [label('b', '02T00', true)]);
    await expect(build()).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
    await expect(build({ features: [{ name: 'height', type: 'number' }] })).rejects.toMatchObject({ code: 'DATASET_EMPTY', message: expect.stringContaining('height') });
  });

  it('takes features and labels that are named like the archive’s own columns and partitions from its rows', async () => {
    const features = ['date', 'Kind', 'stream', 'offset'];
    const own = (id: string, at: string, word: string): ArchivedRow => ({ id, at: day(at), ...Object.fromEntries(features.map((name) => [name, `${word} ${name}`])) });
    await archive('record', 0, 0, [own('a', '01T00', 'first'), own('b', '02T00', 'second')]);
    await archive('label', 0, 0, ['a', 'b'].map((id) => ({ id, at: day('03T00'), kind: id === 'a' ? 'late' : 'early' })));
    await build({ features: features.map((name) => ({ name, type: 'category' })), label: { field: 'kind' } }, 'multiclass');
    expect((await Promise.all(parts.map(rowsIn))).flat()).toMatchObject([
      { date: 'first date', Kind: 'first Kind', stream: 'first stream', offset: 'first offset', label: 'late' },
      { date: 'second date', Kind: 'second Kind', stream: 'second stream', offset: 'second offset', label: 'early' },
    ]);
  });

  it('writes the class names of a multiclass label', async () => {
    await archive('record', 0, 0, [record('a', '01T00', 1)]);
    await archive('label', 0, 0, [{ id: 'a', at: day('02T00'), late: 'somewhat' }]);
    await build({ label: { field: 'late' } }, 'multiclass');
    expect(await rowsIn('train')).toMatchObject([{ label: 'somewhat' }]);
  });
});
