/**
 * Goal: for each task a model goes from archived records to a registered candidate with honest figures, and a
 * verification gives the same bytes; a candidate that is no good is rejected with its reason.
 * Method: the orchestrator as it runs with the real trainer on data with a known rule: the noise share bounds what any
 * model can reach. Skipped with a notice where the trainer’s Python environment is not installed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { aliasMoved, versionRegistered, type Metric, type RunCompleted } from '@millrace/contracts';
import { attributionsOf, meanShare, parseReferenceParts, parseRowSample, type PartCounts } from '@millrace/core/drift';
import { parseFeatureCounts, rowsCounted, type FeatureCounts } from '@millrace/core/statistics';
import { query } from '@millrace/persistence';
import { eventually } from '@millrace/testing';
import { history, modelSpec, OrchestratorUnderTest, type Truth } from './orchestrator.fixture.js';

const python = process.env['TRAINER_PYTHON'] ?? join(process.cwd(), '.millrace', 'venv', 'bin', 'python');
const folder = process.env['TRAINER_FOLDER'] ?? join(process.cwd(), 'trainers', 'tabular');
const described = existsSync(python) ? describe : describe.skip;
if (!existsSync(python)) process.stderr.write('pipeline.spec: skipped, there is no trainer environment (TRAINER_PYTHON or .millrace/venv)\n');

const big = ({ size, kind, noise }: Truth): boolean => (size > 50 && kind !== 'flat') !== noise < 0.05;
const metric = (run: RunCompleted | undefined, name: string, slice = 'overall'): Metric => {
  const found = run?.candidate?.metrics.find((one) => one.name === name && one.slice === slice);
  if (found === undefined) throw new Error(`no ${name} on ${slice}: ${run?.reason ?? 'no run'}`);
  return found;
};

function countsIn(profile: unknown): FeatureCounts {
  if (typeof profile !== 'object' || profile === null || !('v' in profile) || profile.v !== 2 || !('counts' in profile) || typeof profile.counts !== 'string') throw new Error('these are no counts of version 2');
  return parseFeatureCounts(Buffer.from(profile.counts, 'base64'));
}

described('the training pipeline', () => {
  let orchestrator: OrchestratorUnderTest;
  const start = async (changes: object, label: (truth: Truth) => string | number | boolean, count = 1200) => {
    orchestrator = await OrchestratorUnderTest.start({ python, folder });
    await orchestrator.apply(modelSpec(changes));
    const { records, labels } = history(count, label);
    await orchestrator.seal('shapes', 'record', records);
    await orchestrator.seal('shapes', 'label', labels);
  };
  afterEach(() => orchestrator.stop());

  it('trains, judges, registers and verifies a binary model', async () => {
    await start({ serving: { explanations: { share: 0.01 } }, gates: { metrics: [{ metric: 'auc', minimum: 0.85 }], slices: [{ by: 'kind', metric: 'accuracy', minimum: 0.7, rowsMin: 20 }] } }, big);
    const [run] = await orchestrator.completed(1);
    expect(run).toMatchObject({ outcome: 'succeeded', seed: 42, candidate: { gate: { outcome: 'passed' }, signature: { task: 'binary', positiveIndex: 1 } } });
    // One label in twenty is turned round, so that even the rule itself is right in 95 of 100.
    expect(metric(run, 'accuracy').value).toBeGreaterThan(0.85);
    expect(metric(run, 'accuracy').low).toBeLessThan(metric(run, 'accuracy').value);
    const sliceRows = ['round', 'square', 'flat'].map((kind) => metric(run, 'accuracy', `kind=${kind}`).n);
    expect(sliceRows.reduce((a, b) => a + b, 0)).toBe(metric(run, 'accuracy').n);
    const checked = run?.candidate?.gate.checks.map(({ rule }) => rule);
    expect(checked).toEqual(expect.arrayContaining(['auc.minimum', 'accuracy.minimum', 'parity.maximum', 'latency-ms-p95.maximum', 'batching.maximum']));
    const reference = run?.candidate?.reference;
    expect(reference).toMatchObject({ features: { size: { kind: 'number' }, kind: { kind: 'category' } }, output: { kind: 'number' } });
    expect(rowsCounted(countsIn(reference?.output))).toBe(metric(run, 'auc').n);
    for (const feature of Object.values(reference?.features ?? {})) expect(rowsCounted(countsIn(feature))).toBe(reference?.rows);
    expect(parseRowSample(Buffer.from(reference?.sample ?? '', 'base64')).rows.length).toBe(Math.min(400, reference?.rows ?? 0));
    // Scored on the test rows, every one of which is right or wrong.
    expect([...(reference?.calibration?.positives ?? []), ...(reference?.calibration?.negatives ?? [])].reduce((sum, rows) => sum + rows, 0)).toBe(metric(run, 'auc').n);
    expect(reference?.errors).toMatchObject({ rows: metric(run, 'auc').n, tolerance: null });
    // Explained on the test rows: size and kind decide together, and what they have of each row adds up to all of it.
    const explained = reference?.attributions === undefined ? null : attributionsOf(reference.attributions);
    expect(explained?.rows).toBe(metric(run, 'auc').n);
    const shares = ['size', 'kind'].map((feature) => (explained === null ? NaN : meanShare(explained, feature)));
    expect((shares[0] ?? 0) + (shares[1] ?? 0)).toBeCloseTo(1, 2);
    expect(Math.min(...shares)).toBeGreaterThan(0.1);
    const { body: dataset } = await orchestrator.get(`/v1/datasets/${run?.datasetVersion}`);
    expect(dataset).toMatchObject({ counts: { train: reference?.rows }, manifest: { stream: 'shapes', label: { field: 'outcome' } } });
    const { body: asked } = await orchestrator.call('POST', `/v1/runs/${run?.runId}/verify`);
    const verified = await eventually('the verification is done', async () => {
      const { body } = await orchestrator.get(`/v1/verifications/${String(asked['verificationId'])}`);
      return body['state'] === 'done' || body['state'] === 'failed' ? body : undefined;
    });
    expect(verified).toMatchObject({ state: 'done', sameDataset: true, sameBytes: true, expectedSha256: run?.candidate?.artifact.sha256 });
  });

  it('takes a multiclass model through the same pipeline', async () => {
    const label = ({ size, kind, noise }: Truth): string => (noise < 0.05 ? 'grey' : size > 60 ? 'red' : kind === 'flat' ? 'grey' : 'blue');
    await start({ task: 'multiclass', label: { field: 'outcome', classes: ['red', 'blue', 'grey'] }, gates: { metrics: [{ metric: 'accuracy', minimum: 0.8 }] }, monitoring: { drift: { segments: ['kind'], reference: { season: 'hour-of-day' } } } }, label);
    const [run] = await orchestrator.completed(1);
    expect(run).toMatchObject({ outcome: 'succeeded', candidate: { signature: { task: 'multiclass', classes: ['red', 'blue', 'grey'] }, reference: { output: { kind: 'category' } } } });
    // Every training row is of one kind and of one hour.
    const reference = run?.candidate?.reference;
    const parts = parseReferenceParts(Buffer.from(reference?.parts ?? '', 'base64'));
    expect([...parts.segments.keys()].sort()).toEqual(['kind=(all others)', 'kind=flat', 'kind=round', 'kind=square']);
    const rows = (counts: Iterable<PartCounts>): number => [...counts].reduce((sum, { features }) => sum + rowsOf(features.get('size')), 0);
    const rowsOf = (counts: FeatureCounts | undefined): number => (counts === undefined ? 0 : rowsCounted(counts));
    expect([rows(parts.segments.values()), rows(parts.seasons.values())]).toEqual([reference?.rows, reference?.rows]);
    expect([...parts.seasons.values()].reduce((sum, { output }) => sum + rowsOf(output ?? undefined), 0)).toBe(metric(run, 'accuracy').n);
    expect(metric(run, 'accuracy').value).toBeGreaterThan(0.8);
  });

  it('takes a regression model through the same pipeline', async () => {
    await start({ task: 'regression', trainer: { name: 'tabular', algorithm: 'linear' }, gates: { metrics: [{ metric: 'r2', minimum: 0.9 }] } }, ({ size, kind, noise }) => 3 * size + (kind === 'flat' ? 40 : 0) + 10 * noise);
    const [run] = await orchestrator.completed(1);
    expect(run).toMatchObject({ outcome: 'succeeded', candidate: { signature: { task: 'regression' }, reference: { output: { kind: 'number' } } } });
    // Noise is uniform on [0, 10), so that no model can be off by less than 2.5 in the mean.
    expect(metric(run, 'mae').value).toBeGreaterThan(2);
  });

  it('rejects a candidate below its thresholds, with the figures', async () => {
    await start({ gates: { metrics: [{ metric: 'auc', minimum: 0.85 }] } }, ({ noise }) => noise < 0.5);
    const [run] = await orchestrator.completed(1);
    expect(run).toMatchObject({ outcome: 'rejected', candidate: { gate: { outcome: 'failed' } } });
    expect(run?.reason).toContain('auc.minimum');
  });

  it('waves no first model through that nothing was asked of', async () => {
    await start({}, big);
    expect(await orchestrator.completed(1)).toMatchObject([{ outcome: 'rejected', reason: expect.stringContaining('never waved through') }]);
  });

  it('passes the trainer’s own reason on when a hyperparameter is wrong', async () => {
    await start({ trainer: { name: 'tabular', algorithm: 'lightgbm', hyperparameters: { leaves: 3 } } }, big);
    const [run] = await orchestrator.completed(1);
    expect(run).toMatchObject({ outcome: 'failed' });
    expect(run?.reason).toContain("unknown hyperparameter 'leaves'");
  });

  it('compares with the champion on the same test rows', async () => {
    const gates = { metrics: [{ metric: 'auc', minimum: 0.85 }] };
    await start({ gates }, big);
    const [first] = await orchestrator.completed(1);
    const candidate = first?.candidate;
    if (first === undefined || candidate === null || candidate === undefined) throw new Error('no candidate');
    const { model, runId, datasetVersion } = first;
    const registeredAt = '2026-02-01T00:00:00Z';
    await orchestrator.send(versionRegistered, { model, version: '1', source: 'pipeline', runId, datasetVersion, specRevision: 1, ...candidate, registeredAt }, model);
    await orchestrator.send(aliasMoved, { model, alias: 'champion', from: null, to: '1', reason: 'first', routeRevision: 1, movedAt: registeredAt }, model);
    await eventually('the champion is known', async () => (await query(orchestrator.database.source, `SELECT 1 FROM alias JOIN model_version USING (model, version)`)).length === 1);
    await orchestrator.call('POST', `/v1/models/${model}/runs`, { by: 'ada', reason: 'once more' });
    const [, second] = await orchestrator.completed(2);
    // The same data and seed give the same model, so that it cannot be worse than its twin on any row.
    expect(second?.candidate?.artifact).toEqual(candidate.artifact);
    expect(second?.candidate?.gate.checks).toContainEqual(expect.objectContaining({ rule: 'champion.loss', value: 0, outcome: 'passed' }));
    expect(second).toMatchObject({ outcome: 'succeeded', trigger: 'manual', datasetVersion });
  });
});
