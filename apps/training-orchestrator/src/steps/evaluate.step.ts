import { Inject, Injectable } from '@nestjs/common';
import type { GateResult, Metric, ReferenceProfile } from '@millrace/contracts';
import type { Prediction } from '@millrace/core/inference';
import { calibrationOf, validationErrors } from '@millrace/core/performance';
import { emptyPerformance, metricsOf, observeOutcome, type PerformanceSums } from '@millrace/core/statistics';
import type { ModelRuntime } from '@millrace/model-runtime';
import type { ArtifactStore } from '@millrace/storage';
import { ARTIFACTS } from '../artifacts.js';
import { DatasetBuilder, partFile } from '../dataset-builder.js';
import { parquet } from '../dataset-sql.js';
import { RUNTIME } from '../model-runtime.js';
import { explainRows } from '../explain-rows.js';
import { rowsOf, withDuckDb } from '../parquet.js';
import type { PipelineStep, StepContext } from '../pipeline-step.js';
import type { Plan } from '../plan.js';
import { countReference } from '../reference-counts.js';
import { numbersOf, readPart, scoreRows, type LabelledRow } from '../score-rows.js';
import { WorkFolder } from '../work-folder.js';
import type { TrainOutput } from './train.step.js';

export interface EvaluateOutput {
  readonly metrics: Metric[];
  readonly parity: GateResult['checks'][number];
  readonly reference: ReferenceProfile;
}

/** Does not believe the trainer: scores its file through the serving code, and holds the trainer’s own answers against it. */
@Injectable()
export class EvaluateStep implements PipelineStep {
  constructor(
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    @Inject(RUNTIME) private readonly runtime: ModelRuntime,
    private readonly builder: DatasetBuilder,
    private readonly work: WorkFolder,
  ) {}

  async execute({ plan, outputs }: StepContext): Promise<EvaluateOutput> {
    const train = outputs.train as TrainOutput;
    const folder = this.work.dataset(plan);
    await this.builder.ensure(plan.manifest, plan.spec.task, folder);
    const { task, features } = plan.spec;
    const test = await readPart(partFile(folder, 'test'), task);
    const bytes = await this.artifacts.get(train.artifact.sha256);
    const model = await this.runtime.load(bytes, train.signature);
    try {
      const said = await scoreRows(model, train.signature, features, test);
      const metrics = measure(plan, test, said);
      const theirs = await trainersAnswers(await this.artifacts.localPath(train.predictions.sha256), train);
      const training = await readPart(partFile(folder, 'train'), task);
      return { metrics, parity: judgeParity(test, said, theirs, plan.spec.gates.parityMax), reference: { ...countReference(plan, training, test, said), metrics, ...validated(plan, test, said), ...(await this.explained(plan, bytes, train, test)) } };
    } finally {
      await model.close();
    }
  }

  /** Where answers will be explained, what they are compared with. A model that cannot be explained is trained all the same. */
  private async explained({ spec }: Plan, bytes: Uint8Array, { signature }: TrainOutput, test: readonly LabelledRow[]): Promise<Pick<ReferenceProfile, 'attributions'>> {
    if (spec.serving.explanations.share === 0) return {};
    const attributions = await explainRows(this.runtime, bytes, signature, test);
    return attributions === null ? {} : { attributions };
  }
}

/** What the version’s answers turned out to be worth on rows that it had not seen: monitoring estimates and watches from there. */
function validated({ spec: { task, monitoring } }: Plan, test: readonly LabelledRow[], said: readonly Prediction[]): Pick<ReferenceProfile, 'calibration' | 'errors'> {
  const sums = emptyPerformance(task);
  test.forEach(({ label }, index) => observeOutcome(sums, said[index] ?? {}, label));
  const calibration = calibrationOf(sums);
  const errors = validationErrors(task, test.map(({ label }, index) => ({ said: said[index] ?? {}, label })), monitoring.conceptDrift.errorTolerance ?? null);
  return { ...(calibration === null ? {} : { calibration: { positives: [...calibration.positives], negatives: [...calibration.negatives] } }), ...(errors === null ? {} : { errors }) };
}

/** Overall, and per value of each feature that the gates slice by. */
function measure({ spec }: Plan, rows: readonly LabelledRow[], said: readonly Prediction[]): Metric[] {
  const sums = new Map<string, PerformanceSums>([['overall', emptyPerformance(spec.task)]]);
  const fields = [...new Set(spec.gates.slices.map(({ by }) => by))];
  rows.forEach((row, index) => {
    for (const slice of ['overall', ...fields.map((field) => `${field}=${String(row.features[field] ?? '')}`)]) {
      let sum = sums.get(slice);
      if (sum === undefined) sums.set(slice, (sum = emptyPerformance(spec.task)));
      observeOutcome(sum, said[index] ?? {}, row.label);
    }
  });
  return [...sums].flatMap(([slice, sum]) => metricsOf(sum).map(({ name, value, n, low, high }) => ({ name, slice, value, n, low, high })));
}

/** The trainer’s answers by record, as numbersOf orders them. */
async function trainersAnswers(file: string, { signature }: TrainOutput): Promise<Map<string, number[]>> {
  const rows = await withDuckDb((connection) => rowsOf(connection, `SELECT * FROM ${parquet(file)}`));
  const columns = { binary: ['probability'], multiclass: [...signature.classes].sort().map((name) => `probability_${name}`), regression: ['prediction'] }[signature.task];
  return new Map(rows.map((row) => [String(row['record_id']), columns.map((name) => Number(row[name] ?? NaN))]));
}

function judgeParity(rows: readonly LabelledRow[], said: readonly Prediction[], theirs: ReadonlyMap<string, readonly number[]>, threshold: number): EvaluateOutput['parity'] {
  let [worst, worstId, missing] = [0, '', 0];
  rows.forEach(({ recordId }, index) => {
    const expected = theirs.get(recordId);
    const ours = numbersOf(said[index] ?? {});
    if (expected === undefined || expected.length !== ours.length) missing += 1;
    ours.forEach((number, column) => {
      const difference = Math.abs(number - (expected?.[column] ?? NaN));
      // float32 has 24 bits: a large value is compared relative to its size.
      const scaled = difference / Math.max(1, Math.abs(number));
      if (!(scaled <= worst)) [worst, worstId] = [scaled, recordId];
    });
  });
  const check = { rule: 'parity.maximum', slice: 'overall', threshold, n: rows.length };
  if (missing > 0 || !Number.isFinite(worst)) return { ...check, outcome: 'errored', value: null, reason: `the trainer left no comparable prediction for ${missing} of ${rows.length} test rows` };
  const passed = worst <= threshold;
  return { ...check, outcome: passed ? 'passed' : 'failed', value: worst, reason: `the serving runtime and the trainer differ by at most ${worst.toExponential(2)}${passed ? '' : `, most on record ${worstId}; allowed is ${threshold}`}` };
}
