import { Inject, Injectable } from '@nestjs/common';
import type { GateResult } from '@millrace/contracts';
import type { ModelRuntime } from '@millrace/model-runtime';
import type { ArtifactStore } from '@millrace/storage';
import { ARTIFACTS } from '../artifacts.js';
import { DatasetBuilder, partFile } from '../dataset-builder.js';
import { RUNTIME } from '../model-runtime.js';
import type { PipelineStep, StepContext } from '../pipeline-step.js';
import { numbersOf, readPart, scoreRows } from '../score-rows.js';
import { WorkFolder } from '../work-folder.js';
import type { TrainOutput } from './train.step.js';

export interface CheckServingOutput {
  readonly checks: GateResult['checks'];
  readonly loadMs: number;
}

const runs = 200;
const warmUpRuns = 20;
/** Batched and single answers come from one float32 graph; more than rounding apart means that rows influence each other. */
const batchDifferenceMax = 1e-5;

/** Loads the candidate afresh, as a gateway would, and asks it row by row. */
@Injectable()
export class CheckServingStep implements PipelineStep {
  constructor(
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    @Inject(RUNTIME) private readonly runtime: ModelRuntime,
    private readonly builder: DatasetBuilder,
    private readonly work: WorkFolder,
  ) {}

  async execute({ plan, outputs }: StepContext): Promise<CheckServingOutput> {
    const { artifact, signature } = outputs.train as TrainOutput;
    const { task, features, gates } = plan.spec;
    const folder = this.work.dataset(plan);
    await this.builder.ensure(plan.manifest, task, folder);
    const test = await readPart(partFile(folder, 'test'), task);
    const rows = Array.from({ length: runs }, (_, index) => test[index % test.length]).filter((row) => row !== undefined);
    const begun = performance.now();
    const model = await this.runtime.load(await this.artifacts.get(artifact.sha256), signature);
    const loadMs = performance.now() - begun;
    try {
      const batched = await scoreRows(model, signature, features, rows);
      const latencies: number[] = [];
      let worst = 0;
      for (const row of rows.slice(0, warmUpRuns)) await scoreRows(model, signature, features, [row]);
      for (const [index, row] of rows.entries()) {
        const start = performance.now();
        const [single] = await scoreRows(model, signature, features, [row]);
        latencies.push(performance.now() - start);
        const expected = numbersOf(batched[index] ?? {});
        numbersOf(single ?? {}).forEach((number, column) => {
          worst = Math.max(worst, Math.abs(number - (expected[column] ?? NaN)) / Math.max(1, Math.abs(number)));
        });
      }
      return { checks: [latencyCheck(latencies, gates.latencyMsP95Max), batchCheck(worst, rows.length)], loadMs };
    } finally {
      await model.close();
    }
  }
}

function latencyCheck(latencies: readonly number[], threshold: number): GateResult['checks'][number] {
  const sorted = [...latencies].sort((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * 0.95) - 1] ?? NaN;
  const passed = value <= threshold;
  return { rule: 'latency-ms-p95.maximum', slice: 'overall', outcome: passed ? 'passed' : 'failed', value, threshold, n: sorted.length, reason: `one row takes ${value.toFixed(2)} ms at the 95th percentile; allowed are ${threshold} ms` };
}

function batchCheck(worst: number, n: number): GateResult['checks'][number] {
  const passed = worst <= batchDifferenceMax;
  return { rule: 'batching.maximum', slice: 'overall', outcome: passed ? 'passed' : 'failed', value: Number.isFinite(worst) ? worst : null, threshold: batchDifferenceMax, n, reason: `answers alone and in a batch differ by at most ${worst.toExponential(2)}` };
}
