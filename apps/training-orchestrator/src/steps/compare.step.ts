import { Inject, Injectable } from '@nestjs/common';
import type { GateResult } from '@millrace/contracts';
import { featuresOf } from '@millrace/core/inference';
import { judgeGate } from '@millrace/core/model-lifecycle';
import type { ModelRuntime } from '@millrace/model-runtime';
import type { ArtifactStore } from '@millrace/storage';
import { ARTIFACTS } from '../artifacts.js';
import { DatasetBuilder, partFile } from '../dataset-builder.js';
import { RUNTIME } from '../model-runtime.js';
import type { PipelineStep, StepContext } from '../pipeline-step.js';
import type { Plan } from '../plan.js';
import { pairedLosses, readPart, scoreRows } from '../score-rows.js';
import { WorkFolder } from '../work-folder.js';
import type { EvaluateOutput } from './evaluate.step.js';
import type { TrainOutput } from './train.step.js';

export interface CompareOutput {
  readonly gate: GateResult;
  readonly championVersion: string | null;
}

type Paired = ReturnType<typeof pairedLosses>;

/** The gate on quality: thresholds, and the plan’s champion on the same test rows where there is one. */
@Injectable()
export class CompareStep implements PipelineStep {
  constructor(
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    @Inject(RUNTIME) private readonly runtime: ModelRuntime,
    private readonly builder: DatasetBuilder,
    private readonly work: WorkFolder,
  ) {}

  async execute({ plan, outputs }: StepContext): Promise<CompareOutput> {
    const evaluated = outputs.evaluate as EvaluateOutput;
    const paired = plan.champion === null ? null : await this.compare(plan, plan.champion, outputs.train as TrainOutput);
    const gate = judgeGate({ metrics: evaluated.metrics, paired }, plan.spec.gates);
    return { gate, championVersion: plan.champion?.version ?? null };
  }

  private async compare(plan: Plan, champion: NonNullable<Plan['champion']>, train: TrainOutput): Promise<Paired> {
    const folder = this.work.dataset(plan);
    await this.builder.ensure(plan.manifest, plan.spec.task, folder);
    const rows = await readPart(partFile(folder, 'test'), plan.spec.task);
    const score = async (sha256: string, signature: TrainOutput['signature']) => {
      const model = await this.runtime.load(await this.artifacts.get(sha256), signature);
      try {
        // Each model is asked with its own features: an older spec may have had others.
        return await scoreRows(model, signature, featuresOf(signature.inputs), rows);
      } finally {
        await model.close();
      }
    };
    const [ours, theirs] = [await score(train.artifact.sha256, train.signature), await score(champion.artifactSha256, champion.signature)];
    return pairedLosses(plan.spec.task, rows, ours, theirs);
  }
}
