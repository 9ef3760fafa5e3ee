/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
/**
 * Goal: a candidate is judged on past traffic against what the champion said then, on the same records, per slice too; the offsets
 * that were read are told; where the log does not reach, the archive answers; what is missing is refused with a reason.
 * Method: flights whose lateness is drawn from a logistic truth; models in closed form, so that every loss follows by hand; a log in
 * memory, and the command as its own process on a real Kafka with stand-ins for registry and archive.
 */
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { outcomeObserved, predictionServed } from '@millrace/contracts';
import { createRingTopics, encodeEvent, KafkaDriver } from '@millrace/messaging';
import { logisticModel } from '@millrace/model-runtime/testing';
import { seeded } from '@millrace/testing';
import { ArchiveOnDisk } from '../archive/archive.fixture.js';
import { openArchive } from '../archive/archive-segments.js';
import { openLog } from '../verification/open-log.js';
import { LogInMemory, outcomeOf, predictionOf, specOf, type Flight } from './past.fixture.js';
import { replay, type Pasts, type ReplayQuestion } from './replay.js';

const model = `replay-${randomUUID().slice(0, 8)}`;
const folder = mkdtempSync(join(tmpdir(), 'replay-'));
const path = (name: string): string => join(folder, name);
const archive = new ArchiveOnDisk(path('storage'));
const logistic = (margin: number): number => 1 / (1 + Math.exp(-margin));

// Truth: the farther the later, and carrier UA late more often. v1 knows only the mean; v2 knows the truth; v3 has it upside down for UA.
const truth = ({ distance, carrier }: Pick<Flight, 'distance' | 'carrier'>): number => logistic(2 * (distance ?? 0) + (carrier === 'UA' ? 1 : 0) - 1);
const upsideDown = ({ distance, carrier }: Pick<Flight, 'distance' | 'carrier'>): number => logistic(2 * (distance ?? 0) + (carrier === 'UA' ? -3 : 0) - 1);
const files: Record<string, Buffer> = {
  v1: Buffer.from(logisticModel({ numbers: { distance: { weight: 0, impute: 0 } }, categories: { carrier: { UA: 0 } }, intercept: 0 })),
  v2: Buffer.from(logisticModel({ numbers: { distance: { weight: 2, impute: 0 } }, categories: { carrier: { UA: 1 } }, intercept: -1 })),
  v3: Buffer.from(logisticModel({ numbers: { distance: { weight: 2, impute: 0 } }, categories: { carrier: { UA: -3 } }, intercept: -1 })),
};
const hashOf = (version: string): string => createHash('sha256').update(files[version] ?? '').digest('hex');
const signature = { inputs: [], outputs: [], task: 'binary', classes: ['false', 'true'], positiveIndex: 1 };

function flights(count: number, change: (flight: Flight, chance: () => number) => Partial<Flight> = () => ({})): Flight[] {
  const chance = seeded(17);
  return Array.from({ length: count }, (_, index) => {
    const base = { distance: Math.round(2_000 * chance() - 1_000) / 1_000, carrier: chance() < 0.3 ? 'UA' : 'AA' };
    const flight = { ...base, id: `f${index}`, at: new Date(Date.parse('2013-05-01T00:00:00Z') + index * 60_000).toISOString(), late: chance() < truth(base), said: 0.5 };
    return { ...flight, ...change(flight, chance) };
  });
}

const brier = (probability: number, late: boolean): number => (probability - Number(late)) ** 2;
const sumOf = (all: readonly Flight[], loss: (flight: Flight) => number): number => all.reduce((sum, flight) => sum + loss(flight), 0);

function logOf(all: readonly Flight[]): LogInMemory {
  const log = new LogInMemory();
  for (const flight of all) log.tell(predictionOf(model, flight), flight.late);
  return log;
}
const pasts = (log: LogInMemory): Pasts => ({ log: () => Promise.resolve(log), archive: openArchive });

let ring: Server;
let rollout: object = {};
const before = { ...process.env };
const question: ReplayQuestion = { candidate: `${model}@v2`, fromMs: Date.parse('2013-05-01'), toMs: Date.parse('2013-06-01'), source: 'auto', alpha: 0.05, rowsMax: 10_000 };

beforeAll(async () => {
  ring = createServer((request, response) => {
    const url = decodeURIComponent(request.url ?? '');
    const file = Object.keys(files).find((version) => url === `/v1/artifacts/${hashOf(version)}`);
    const version = url.startsWith(`/v1/models/${model}/versions/`) ? url.split('/').at(-1) : undefined;
    const segments = /^\/v1\/streams\/flights\/segments\?kind=(\w+)$/u.exec(url)?.[1];
    if (file !== undefined) return void response.end(files[file]);
    if (version !== undefined && Object.hasOwn(files, version)) return void response.end(JSON.stringify({ version, artifact: { sha256: hashOf(version) }, signature }));
    if (segments !== undefined) return void response.end(JSON.stringify({ stream: 'flights', segments: archive.segments.filter(({ kind }) => kind === segments) }));
    if (url === `/v1/models/${model}`) return void response.end(JSON.stringify(specOf(model, rollout)));
    response.statusCode = 404;
    response.end(JSON.stringify({ code: 'VERSION_UNKNOWN', error: `nothing at ${url}` }));
  });
  await new Promise<void>((resolve) => void ring.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(ring.address() as AddressInfo).port}`;
  Object.assign(process.env, { MILLRACE_MODEL_REGISTRY_URL: address, MILLRACE_DATA_VALIDATION_URL: address, STORAGE_URL: archive.storageUrl });
});
afterAll(async () => {
  process.env = { ...before };
  await new Promise<void>((resolve) => void ring.close(() => resolve()));
  rmSync(folder, { recursive: true });
});

describe('replay, from the log', () => {
  const all = flights(1_500);

  it('compares the candidate with what was said, on the same records, and tells the offsets', async () => {
    const { report } = await replay(question, pasts(logOf(all)));
    expect(report).toMatchObject({ gate: 'passed', verdict: 'better', source: 'log', candidate: `${model}@v2`, champions: { v1: 1_500 }, records: 1_500, leftOut: {}, plan: { margin: 0.02 }, specRevision: 3 });
    expect(report.arms.champion.loss).toBeCloseTo(0.25 * 1_500, 6);
    expect(report.arms.candidate.loss).toBeCloseTo(sumOf(all, (flight) => brier(truth(flight), flight.late)), 3);
    expect(report.offsets).toEqual([
      { topic: 'outcomes.outcome-observed.v1', partition: 0, fromOffset: 0, toOffset: 1_500, rows: 1_500 },
      { topic: 'inference.prediction-served.v1', partition: 0, fromOffset: 0, toOffset: 1_500, rows: 1_500 },
    ]);
    // Who alone has answered leaves nothing to weigh.
    expect(report.value?.refusal?.code).toBe('no-overlap');
  });

  it('fails a candidate that is worse in one slice only', async () => {
    rollout = { slices: ['carrier'] };
    const said = all.map((flight) => ({ ...flight, said: flight.carrier === 'UA' ? truth(flight) : 0.5 }));
    const { report } = await replay({ ...question, candidate: `${model}@v3` }, pasts(logOf(said))).finally(() => (rollout = {}));
    expect(report).toMatchObject({ gate: 'failed', slices: expect.arrayContaining([expect.objectContaining({ field: 'carrier', slice: 'UA', verdict: 'worse' }), expect.objectContaining({ slice: 'AA', verdict: 'better' })]) });
    expect(report.plan.sliceFields).toEqual(['carrier']);
  });

  it('counts a record once, only inside the range, and not where nobody asked the champion', async () => {
    const log = logOf(all.slice(0, 100));
    const [first] = log.outcomes;
    if (first !== undefined) log.outcomes.push(first);
    for (const [index, flight] of all.slice(100, 104).entries()) {
      log.tell(predictionOf(model, { ...flight, ...(index < 2 ? { at: index === 0 ? '2013-04-30T23:59:59.999Z' : '2013-06-01T00:00:00Z' } : { answered: { version: 'v2', arm: 'candidate', propensity: 0.5, probability: 0.5 } }) }), flight.late);
    }
    log.tell({ ...predictionOf('another-model', all[200] ?? { ...all[0], id: 'x' } as Flight) }, true);
    log.tell({ ...predictionOf(model, all[201] ?? { ...all[0], id: 'y' } as Flight) }, true);
    log.outcomes.at(-1)?.predictions.forEach((each) => (each.fallback = 'constant'));
    const { report } = await replay(question, pasts(log));
    expect(report).toMatchObject({ records: 100, leftOut: { 'told again': 1, 'champion not asked': 2, 'no answer but by a fallback': 1 } });
  });

  it('asks a named champion where the log does not have its answer', async () => {
    const some = flights(300, ({ id }) => (Number(id.slice(1)) % 3 === 0 ? { answered: { version: 'v3', arm: 'champion', propensity: 1, probability: 0.9 } } : {}));
    const { report } = await replay({ ...question, champion: `${model}@v3` }, pasts(logOf(some)));
    expect(report.champions).toEqual({ v3: 100, 'v3 (asked now)': 200 });
    const expected = sumOf(some, (flight) => brier(flight.answered === undefined ? upsideDown(flight) : 0.9, flight.late));
    expect(report.arms.champion.loss).toBeCloseTo(expected, 3);
  });

  it('tells the candidate’s value where it has answered by chance', async () => {
    const split = flights(2_000, (flight, chance) => {
      const share = flight.carrier === 'UA' ? 0.2 : 0.6;
      const isCandidate = chance() < share;
      return { answered: { version: isCandidate ? 'v2' : 'v1', arm: isCandidate ? 'candidate' : 'champion', propensity: isCandidate ? share : 1 - share, probability: isCandidate ? truth(flight) : 0.5 } };
    });
    const { report } = await replay({ ...question, slices: ['carrier'], champion: `${model}@v1` }, pasts(logOf(split)));
    // What it loses on all of them is known here, for labels do not depend on answers.
    const mean = sumOf(split, (flight) => brier(truth(flight), flight.late)) / split.length;
    expect(report.value?.refusal).toBeNull();
    for (const each of [report.value?.selfNormalised?.value, report.value?.doublyRobust?.value]) expect(Math.abs((each?.estimate ?? NaN) - mean)).toBeLessThan(3 * (each?.standardError ?? 0));
    expect(report.arms.candidate.loss / 2_000).toBeCloseTo(mean, 4);
  });

  it('does not pass a candidate on little evidence', async () => {
    const { report } = await replay(question, pasts(logOf(all.slice(0, 8))));
    expect(report).toMatchObject({ gate: 'inconclusive', verdict: 'not-enough-evidence', reason: 'too-few-rows' });
  });

  it.each<[string, Partial<ReplayQuestion>, string, string]>([
    ['a range without outcomes', { fromMs: Date.parse('2014-01-01'), toMs: Date.parse('2014-02-01') }, 'DATASET_EMPTY', 'has met its label'],
    ['more records than were allowed', { rowsMax: 99 }, 'REQUEST_INVALID', 'more than 99 records'],
    ['a version that nobody registered', { candidate: `${model}@v9` }, 'VERSION_UNKNOWN', 'v9'],
    ['a file without a model', { candidate: path('alone.onnx') }, 'REQUEST_INVALID', '--model'],
    ['slices by the thousand', { slices: ['distance'] }, 'REQUEST_INVALID', 'at most 50'],
  ])('refuses %s', async (_what, change, code, message) => {
    writeFileSync(path('alone.onnx'), files['v2'] ?? '');
    await expect(replay({ ...question, ...change }, pasts(logOf(all.slice(0, 200))))).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('says which feature the log does not have', async () => {
    writeFileSync(path('more.onnx'), logisticModel({ numbers: { height: { weight: 1, impute: 0 } }, categories: { carrier: { UA: 0 } }, intercept: 0 }));
    writeFileSync(path('model.yaml'), 'task: binary\nclasses: ["false", "true"]\n');
    await expect(replay({ ...question, model, candidate: path('more.onnx') }, pasts(logOf(all.slice(0, 50))))).rejects.toMatchObject({ code: 'DATASET_EMPTY', message: expect.stringMatching(/height.*--source archive/u) });
  });
});

describe('replay, from the archive', () => {
  const all = flights(800);
  beforeAll(async () => {
    await archive.seal('flights', 'record', 0, 40, all.map(({ id, at, distance, carrier }) => ({ id, at, distance, carrier })));
    // The last ten have no label yet.
    await archive.seal('flights', 'label', 0, 7, all.slice(0, 790).map(({ id, at, late }) => ({ id, at, late })));
  });

  it('asks both versions, where the log no longer reaches', async () => {
    const log = logOf(all);
    log.from = 300;
    const { report } = await replay(question, pasts(log));
    expect(report).toMatchObject({ source: 'archive', gate: 'passed', records: 790, champions: { 'v1 (asked now)': 790 }, leftOut: { 'no label': 10 }, value: null, because: expect.stringContaining('no longer reaches 2013-05-01T00:00:00.000Z') });
    expect(report.offsets).toEqual([
      { topic: 'validation.record-admitted.v1', partition: 0, fromOffset: 40, toOffset: 840, rows: 800 },
      { topic: 'validation.label-admitted.v1', partition: 0, fromOffset: 7, toOffset: 797, rows: 790 },
    ]);
    const labelled = all.slice(0, 790);
    expect(report.arms.champion.loss).toBeCloseTo(0.25 * 790, 6);
    expect(report.arms.candidate.loss).toBeCloseTo(sumOf(labelled, (flight) => brier(truth(flight), flight.late)), 3);
    // The same records from the log, to the same verdict.
    const same = await replay({ ...question, source: 'log' }, pasts(logOf(labelled)));
    expect(same.report.interval.lower).toBeCloseTo(report.interval.lower, 6);
    expect(same.report.interval.upper).toBeCloseTo(report.interval.upper, 6);
  });

  it('is not read when only the log was allowed, nor for what retention has not touched', async () => {
    const log = logOf(all);
    log.from = 300;
    await expect(replay({ ...question, source: 'log' }, pasts(log))).rejects.toMatchObject({ code: 'OFFSETS_UNAVAILABLE' });
    const later = await replay({ ...question, fromMs: Date.parse(all[400]?.at ?? '') }, pasts(log));
    expect(later.report).toMatchObject({ source: 'log', records: 400 });
  });

  it('refuses what it does not hold', async () => {
    await expect(replay({ ...question, source: 'archive', fromMs: Date.parse('2014-01-01'), toMs: Date.parse('2014-02-01') })).rejects.toMatchObject({ code: 'DATASET_EMPTY' });
    await expect(replay({ ...question, source: 'archive', fromMs: Date.parse(all[795]?.at ?? '') })).rejects.toMatchObject({ code: 'DATASET_EMPTY', message: expect.stringContaining('none of the 5 archived records') });
  });
});

const command = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const brokers = process.env['KAFKA_BROKERS'] ?? '';

describe('millrace replay, on Kafka', () => {
  const all = flights(600);
  const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [command, ...args], { env: { ...process.env, NODE_OPTIONS: '' } }, (error, stdout, stderr) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }));
    });
  const range = ['--from', '2013-05-01', '--to', '2013-06-01'];

  beforeAll(async () => {
    if (brokers === '') throw new Error('KAFKA_BROKERS is not set: run `npm test`, which starts a broker');
    const driver = new KafkaDriver({ brokers: brokers.split(','), clientId: 'replay-spec' });
    await createRingTopics(driver, 2);
    const producer = await driver.producer();
    const options = (id: string) => ({ key: id, source: '/millrace/replay-spec', time: '2013-05-01T00:00:00Z' });
    const log = await openLog();
    const ends = new Map((await log.held(predictionServed)).map(({ partition, toOffset }) => [partition, toOffset]));
    await producer.send(all.map((flight) => encodeEvent(predictionServed, predictionOf(model, flight), options(flight.id))));
    const places = new Map<string, { partition: number; offset: number }>();
    const written = (await log.held(predictionServed)).map((range) => ({ ...range, fromOffset: ends.get(range.partition) ?? 0 }));
    await log.read(predictionServed, written, ({ data, partition, offset }) => data.model === model && places.set(data.recordId, { partition, offset }));
    await log.close();
    await producer.send(all.flatMap((flight) => {
      const place = places.get(flight.id);
      return place === undefined ? [] : [encodeEvent(outcomeObserved, outcomeOf(predictionOf(model, flight), flight.late, place.partition, place.offset), options(flight.id))];
    }));
    await producer.close();
    await driver.close();
  });

  it('passes a good candidate with 0, and writes losses that rollout judge reads again', async () => {
    const { code, stdout, stderr } = await run('replay', '--candidate', `${model}@challenger`, ...range, '--slices', 'carrier', '--out', path('losses.csv'), '--json');
    if (stdout === '') throw new Error(stderr);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ gate: 'passed', candidate: `${model}@v2`, records: 600, champions: { v1: 600 } });
    expect(report.offsets.filter(({ topic }: { topic: string }) => topic === predictionServed.type).reduce((sum: number, { rows }: { rows: number }) => sum + rows, 0)).toBe(600);
    expect(code).toBe(0);
    expect(readFileSync(path('losses.csv'), 'utf8').split('\n')[0]).toBe('unit,arm,loss,slice');
    const again = await run('rollout', 'judge', '--log', path('losses.csv'), '--paired', '--margin', '0.02', '--json');
    const { verdict, interval, slices } = JSON.parse(again.stdout);
    expect({ verdict, interval, slices }).toEqual({ verdict: report.verdict, interval: report.interval, slices: report.slices.map(({ field: _field, ...rest }: { field: string }) => rest) });
  });

  it('fails a bad one with 2, in a sentence', async () => {
    const { code, stdout } = await run('replay', '--candidate', `${model}@v1`, '--champion', `${model}@v2`, ...range);
    expect(stdout).toMatch(/Gate failed: the candidate loses more than the margin 0\.02 allows; mean loss 0\.\d+ \(champion\) and 0\.2500 \(candidate\)/u);
    expect(stdout).toMatch(/inference\.prediction-served\.v1\/\d+ \[\d+, \d+\): [\d,]+ of them count/u);
    expect(code).toBe(2);
  });

  it('says why it cannot', async () => {
    expect(await run('replay', '--candidate', `${model}@v2`, '--from', '2014-05-01', '--to', '2014-06-01')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('DATASET_EMPTY') });
    expect(await run('replay', '--candidate', `${model}@v2`, '--from', 'yesterday', '--to', '2014-06-01')).toMatchObject({ code: 1, stderr: expect.stringContaining('--from yesterday') });
  });
});
