/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: `millrace score --in archive:…` scores exactly the archived records whose event time lies in the range, each once, and a
//   restarted run the same rows whatever was archived since.
// Method: segments written as data-validation lays them out, behind a stand-in for its table of contents; a logistic regression
//   whose answers follow from its closed form.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logisticModel } from '@millrace/model-runtime/testing';
import { StandInService } from '@millrace/testing';
import { ArchiveOnDisk } from '../archive/archive.fixture.js';
import { parseArchiveRange, writtenRange } from '../archive/archive-range.js';
import { printedBy } from '../commands/printed.fixture.js';
import { addScoreCommand } from '../commands/score.js';
import { openModel } from './open-model.js';
import { rowSource } from './row-source.js';
import { scoreFile } from './score-file.js';

let folder: string;
let archive: ArchiveOnDisk;
let contents: StandInService;
let asked: string[];
const before = { ...process.env };
const path = (name: string): string => join(folder, name);
const nothing = (): void => undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'score-archive-'));
  archive = new ArchiveOnDisk(path('storage'));
  asked = [];
  contents = await StandInService.start((url) => {
    asked.push(url);
    const [, stream, kind] = /^\/v1\/streams\/([^/]+)\/segments\?kind=(\w+)$/u.exec(url) ?? [];
    return stream === undefined ? undefined : { stream, segments: archive.segments.filter((segment) => segment.stream === stream && segment.kind === kind) };
  });
  process.env['MILLRACE_DATA_VALIDATION_URL'] = contents.address;
  process.env['STORAGE_URL'] = archive.storageUrl;
  writeFileSync(path('model.onnx'), logisticModel({ numbers: { distance: { weight: 0.5, impute: 2 } }, categories: { date: { mon: 1 } }, intercept: 0 }));
  writeFileSync(path('model.yaml'), 'task: binary\nclasses: [on-time, late]\n');
});

afterEach(async () => {
  process.env = { ...before };
  await contents.stop();
  rmSync(folder, { recursive: true, force: true });
});

// A field called date is archived under another name: date is one of the archive's own partitions.
const row = (id: string, at: string, distance: number | null, date: string, note = '') => ({ id, at, distance, date, note });
const probability = (margin: number): number => 1 / (1 + Math.exp(-margin));
const lines = (name: string): string[][] => readFileSync(path(name), 'utf8').trim().split('\n').map((line) => line.split(','));

async function seal(): Promise<void> {
  await archive.seal('flights', 'record', 0, 100, [row('a', '2013-02-28T23:59:59.999Z', 1, 'mon'), row('c', '2013-03-02T06:00:00Z', null, 'tue', 'x'), row('b', '2013-03-01T00:00:00Z', 4, 'mon')]);
  // Told again, with another distance: the first offset counts.
  await archive.seal('flights', 'record', 0, 103, [row('b', '2013-03-01T00:00:00Z', 9, 'tue'), row('e', '2013-03-03T00:00:00Z', 4, 'mon')]);
  await archive.seal('flights', 'record', 1, 7, [row('d', '2013-03-02T05:00:00Z', 2, 'mon')]);
  await archive.seal('flights', 'record', 1, 8, [row('f', '2014-01-01T00:00:00Z', 2, 'mon')]);
  await archive.seal('trains', 'record', 0, 0, [row('z', '2013-03-02T05:00:00Z', 2, 'mon')]);
}

describe('millrace score --in archive:', () => {
  it('scores the records of the range, each once, in the order of event time', async () => {
    await seal();
    const report = await scoreFile(await openModel(path('model.onnx')), { input: rowSource('archive:flights@2013-03-01..2013-03-03'), output: path('out.csv'), onProgress: nothing });
    expect(report.offsets).toEqual([
      { topic: 'validation.record-admitted.v1', partition: 0, fromOffset: 101, toOffset: 103, rows: 2 },
      { topic: 'validation.record-admitted.v1', partition: 1, fromOffset: 7, toOffset: 8, rows: 1 },
    ]);
    const [header = [], ...rows] = lines('out.csv');
    expect(header).toEqual(['record_id', 'event_time', 'archive_partition', 'offset', 'contract_version', 'note', 'label', 'probability']);
    expect(rows.map((cells) => cells.slice(0, 6))).toEqual([
      ['b', '2013-03-01 00:00:00+00', '0', '102', '1.0.0', '""'],
      ['d', '2013-03-02 05:00:00+00', '1', '7', '1.0.0', '""'],
      ['c', '2013-03-02 06:00:00+00', '0', '101', '1.0.0', 'x'],
    ]);
    // By hand: 0.5 · 4 + 1, 0.5 · 2 + 1, 0.5 · 2 (imputed).
    [3, 2, 1].forEach((margin, index) => expect(Number(rows[index]?.[7])).toBeCloseTo(probability(margin), 6));
    expect(asked).toEqual(['/v1/streams/flights/segments?kind=record']);
  });

  it('goes on with the rows of its first start when it is run again, though more was archived since', async () => {
    const many = Array.from({ length: 120_000 }, (_, index) => row(`r${String(index).padStart(6, '0')}`, '2013-03-01T00:00:00Z', index % 7, 'mon'));
    await archive.seal('flights', 'record', 0, 0, many);
    const model = await openModel(path('model.onnx'));
    const options = { input: rowSource('archive:flights@2013-03-01..'), output: path('out.parquet') };
    await expect(scoreFile(model, { ...options, onProgress: (done) => { if (done > 110_000) throw new Error('power cut'); } })).rejects.toThrow('power cut');
    await archive.seal('flights', 'record', 0, 120_000, [row('late', '2013-03-01T00:00:00Z', 1, 'mon')]);
    const report = await scoreFile(model, { ...options, onProgress: nothing });
    expect(report).toMatchObject({ rows: 120_000, offsets: [{ fromOffset: 0, toOffset: 120_000, rows: 120_000 }] });
    expect(report.resumedAt).toBeGreaterThanOrEqual(100_000);
    expect(existsSync(path('out.parquet.partial'))).toBe(false);
    // Another range is other work: nothing of the first run stands.
    expect(await scoreFile(model, { input: rowSource('archive:flights'), output: path('out.parquet'), onProgress: nothing })).toMatchObject({ rows: 120_001, resumedAt: 0 });
  });

  it('tells the range and the offsets to people', async () => {
    await seal();
    const printed = await printedBy(addScoreCommand, 'score', '--model', path('model.onnx'), '--in', 'archive:flights@2013-03-01..2013-03-03', '--out', path('out.jsonl'), '--keep', 'record_id');
    expect(printed).toContain('3 rows scored by');
    expect(printed).toContain('validation.record-admitted.v1/0 [101, 103): 2 rows');
    expect(readFileSync(path('out.jsonl'), 'utf8').trim().split('\n').map((line) => Object.keys(JSON.parse(line) as object))).toEqual(Array(3).fill(['record_id', 'label', 'probability']));
  });

  it.each([
    ['a range that the archive does not hold', 'archive:flights@2015-01-01..', 'DATASET_EMPTY', 'from 2013-02-28T23:59:59.999Z to 2014-01-01T00:00:00.000Z'],
    ['a stream without records', 'archive:boats', 'DATASET_EMPTY', 'no records of this stream yet'],
    ['a feature that was never archived', 'archive:trains@2013-03-01..2013-03-03', 'REQUEST_INVALID', 'has the feature date'],
  ])('refuses %s', async (_what, input, code, message) => {
    await seal();
    archive.segments.splice(archive.segments.findIndex(({ stream }) => stream === 'trains'), 1);
    await archive.seal('trains', 'record', 0, 0, [{ id: 'z', at: '2013-03-02T05:00:00Z', distance: 2 }]);
    const scored = scoreFile(await openModel(path('model.onnx')), { input: rowSource(input), output: path('out.csv'), onProgress: nothing });
    await expect(scored).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });
});

describe('a range of the archive', () => {
  it.each([
    ['archive:flights@2013-03-01..2013-04-01', 'archive:flights@2013-03-01T00:00:00.000Z..2013-04-01T00:00:00.000Z'],
    ['archive:flights@2013-03-01T06:00..', 'archive:flights@2013-03-01T06:00:00.000Z..'],
    ['archive:flights@..2013-03-01T06:00+02:00', 'archive:flights@..2013-03-01T04:00:00.000Z'],
    ['archive:flights', 'archive:flights@..'],
  ])('%s', (text, written) => {
    const range = parseArchiveRange(text);
    expect(range === null ? null : writtenRange(range)).toBe(written);
  });

  it.each(['archive:', 'archive:flights@2013-03-01', 'archive:flights@2013-02-30..', 'archive:flights@monday..', 'archive:flights@2013-04-01..2013-03-01'])('is not %s', (text) => {
    expect(() => parseArchiveRange(text)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('is not a file', () => expect(parseArchiveRange('archive.csv')).toBeNull());
});
