import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { ModelSignature, parse } from '@millrace/contracts';
import { durationMs } from '@millrace/core/drift';
import { classifyTrainerExit } from '@millrace/core/retraining';
import { Messaging } from '@millrace/messaging';
import type { ArtifactStore, StoredArtifact } from '@millrace/storage';
import { ARTIFACTS } from '../artifacts.js';
import { DatasetBuilder } from '../dataset-builder.js';
import { layOutJob, trainerHash } from '../job-folder.js';
import { StepError, type PipelineStep, type StepContext } from '../pipeline-step.js';
import { killGroup } from '../process-identity.js';
import { runTrainer, type TrainerCommand, type TrainerEnd } from '../trainer-process.js';
import { WorkFolder } from '../work-folder.js';

export const TRAINER = Symbol('trainer command');

export interface TrainOutput {
  readonly artifact: StoredArtifact;
  readonly predictions: StoredArtifact;
  readonly signature: ModelSignature;
  readonly trainerSha256: string;
  readonly seconds: number;
}

@Injectable()
export class TrainStep implements PipelineStep {
  constructor(
    @Inject(TRAINER) private readonly command: TrainerCommand,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    private readonly builder: DatasetBuilder,
    private readonly work: WorkFolder,
    private readonly messaging: Messaging,
  ) {}

  async execute(context: StepContext): Promise<TrainOutput> {
    const { plan, fence, orphan } = context;
    if (orphan !== null) await killGroup(orphan);
    const dataset = this.work.dataset(plan);
    await this.builder.ensure(plan.manifest, plan.spec.task, dataset);
    const folder = this.work.job(plan, fence);
    await layOutJob(folder, plan, dataset);
    const end = await runTrainer(this.command, {
      folder, runId: plan.runId, attempt: context.attempt, fence, seed: plan.seed, timeoutMs: durationMs(plan.spec.trainer.timeout),
      signal: context.signal, started: (process) => context.rememberProcess(process), report: (progress) => context.report(progress),
    }, () => this.messaging.now());
    // The rows can be made again; what the trainer said of them is kept for whoever looks into the folder.
    await rm(join(folder, 'input', 'data'), { recursive: true, force: true });
    refuseFailure(end, context);
    return this.collect(folder, end.seconds);
  }

  private async collect(folder: string, seconds: number): Promise<TrainOutput> {
    const model = (name: string) => join(folder, 'model', name);
    const text = await readFile(model('signature.json'), 'utf8').catch(() => 'null');
    const signature = parse(ModelSignature, JSON.parse(text), 'TRAINER_FAILED', 'the trainer’s signature.json');
    return {
      artifact: await this.artifacts.put({ file: model('model.onnx') }),
      predictions: await this.artifacts.put({ file: model('predictions.parquet') }),
      signature,
      trainerSha256: await trainerHash(this.command.cwd),
      seconds,
    };
  }
}

/** @throws StepError that says in the trainer’s words what went wrong and whether another attempt may help. */
function refuseFailure(end: TrainerEnd, { plan, failures, signal }: StepContext): void {
  if (signal.aborted && end.code !== 0) throw new StepError('TRAINER_FAILED', 'the trainer was stopped because its orchestrator stops', 'cancelled');
  if (end.timedOut) throw new StepError('TRAINER_FAILED', `the trainer was stopped after ${plan.spec.trainer.timeout}, its timeout`, failures + 1 < plan.spec.trainer.attempts ? 'budget' : 'never');
  const exit = classifyTrainerExit(end.code, failures + 1, plan.spec.trainer.attempts);
  if (exit.class === 'done') return;
  const told = end.reason === '' ? 'it left no reason' : end.reason;
  const what = { refused: 'refused its parameters or data', transient: 'asked to be tried later', 'out-of-memory': 'ran out of memory', cancelled: 'was stopped from outside', failed: 'failed', done: '' }[exit.class];
  throw new StepError(exit.class === 'refused' ? 'TRAINER_REFUSED' : 'TRAINER_FAILED', `the trainer ${what} (exit code ${end.code}): ${told}`, exit.retry ? 'budget' : 'never');
}
