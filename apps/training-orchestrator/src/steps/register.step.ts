import { rm } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import type { GateResult, RunCompleted } from '@millrace/contracts';
import { worstOf } from '@millrace/core/model-lifecycle';
import type { PipelineStep, StepContext } from '../pipeline-step.js';
import { WorkFolder } from '../work-folder.js';
import type { CheckServingOutput } from './check-serving.step.js';
import type { CompareOutput } from './compare.step.js';
import type { EvaluateOutput } from './evaluate.step.js';
import type { TrainOutput } from './train.step.js';

export interface RegisterOutput {
  readonly outcome: 'succeeded' | 'rejected';
  readonly reason: string;
  readonly candidate: NonNullable<RunCompleted['candidate']>;
  readonly trainerSha256: string;
}

/**
 * Puts the evidence together. What failed or could not be judged rejects the candidate. Only the comparison with the
 * champion may stay open (`inconclusive`): it was made on few test rows, and the shadow step settles it on live traffic.
 */
@Injectable()
export class RegisterStep implements PipelineStep {
  constructor(private readonly work: WorkFolder) {}

  async execute({ plan, outputs }: StepContext): Promise<RegisterOutput> {
    await rm(this.work.dataset(plan), { recursive: true, force: true });
    const train = outputs.train as TrainOutput;
    const evaluated = outputs.evaluate as EvaluateOutput;
    const checks = [...(outputs.compare as CompareOutput).gate.checks, evaluated.parity, ...(outputs['check-serving'] as CheckServingOutput).checks];
    const gate: GateResult = { outcome: worstOf(checks.map(({ outcome }) => outcome)), checks };
    const against = checks.filter(({ outcome }) => outcome === 'failed' || outcome === 'errored');
    const open = checks.filter(({ outcome }) => outcome === 'inconclusive');
    const sentence = (list: GateResult['checks']) => list.map(({ rule, slice, reason }) => `${rule} on ${slice}: ${reason}`).join('; ');
    return {
      outcome: against.length > 0 ? 'rejected' : 'succeeded',
      reason: against.length > 0 ? sentence(against) : open.length > 0 ? `no check failed, but not all could be settled: ${sentence(open)}` : `all ${checks.length} checks passed`,
      candidate: { artifact: train.artifact, signature: train.signature, metrics: evaluated.metrics, gate, reference: evaluated.reference },
      trainerSha256: train.trainerSha256,
    };
  }
}
