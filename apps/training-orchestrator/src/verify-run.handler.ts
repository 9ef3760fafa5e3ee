import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { sha256Hex } from '@millrace/contracts';
import { datasetVersionOf } from '@millrace/core/dataset';
import { durationMs } from '@millrace/core/drift';
import { Messaging } from '@millrace/messaging';
import { DatasetBuilder } from './dataset-builder.js';
import { layOutJob, trainerHash } from './job-folder.js';
import { killGroup } from './process-identity.js';
import { TRAINER, type TrainOutput } from './steps/train.step.js';
import { runTrainer, type TrainerCommand } from './trainer-process.js';
import { VerificationStore, type Finding, type VerificationClaim } from './verification.store.js';
import { WorkFolder } from './work-folder.js';

const heartbeatMs = 2_000;

/** Does the work of a run again from its dataset version and seed, in a scratch folder, and compares. Nothing of it is registered. */
@Injectable()
export class VerifyRunHandler {
  constructor(
    private readonly store: VerificationStore,
    private readonly builder: DatasetBuilder,
    private readonly work: WorkFolder,
    private readonly messaging: Messaging,
    @Inject(TRAINER) private readonly command: TrainerCommand,
  ) {}

  /** @returns false when nobody asks for a verification. */
  async workOnce(owner: string, stopping: AbortSignal): Promise<boolean> {
    const claim = await this.store.claim(owner);
    if (claim === null) return false;
    const lost = new AbortController();
    const beat = setInterval(() => void this.store.heartbeat(claim).then((held) => held || lost.abort(), () => undefined), heartbeatMs);
    const folder = this.work.verification(claim.id, claim.fence);
    try {
      const finding = await this.verify(claim, folder, AbortSignal.any([stopping, lost.signal]));
      if (stopping.aborted) await this.store.release(claim);
      else await this.store.finish(claim, finding, this.messaging.now());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (stopping.aborted) await this.store.release(claim);
      else await this.store.finish(claim, { ...nothing, expectedSha256: claim.train?.artifact.sha256 ?? null, reason }, this.messaging.now());
    } finally {
      clearInterval(beat);
      await rm(folder, { recursive: true, force: true });
    }
    return true;
  }

  private async verify(claim: VerificationClaim, folder: string, signal: AbortSignal): Promise<Finding> {
    const { plan, train, counts } = claim;
    if (train === null || counts === null) return { ...nothing, reason: `run ${plan.runId} never finished training, so there is nothing to compare with` };
    if (claim.orphan !== null) await killGroup(claim.orphan);
    const rebuilt = await this.builder.build(plan.manifest, plan.spec.task, join(folder, 'dataset'));
    const sameDataset = datasetVersionOf(plan.manifest) === plan.datasetVersion && rebuilt.rowsSha256 === counts.rowsSha256;
    const job = join(folder, 'job');
    await layOutJob(job, plan, join(folder, 'dataset'));
    const end = await runTrainer(this.command, {
      folder: job, runId: plan.runId, attempt: claim.fence, fence: claim.fence, seed: plan.seed, timeoutMs: durationMs(plan.spec.trainer.timeout),
      signal, started: (process) => this.store.rememberProcess(claim, process), report: () => undefined,
    }, () => this.messaging.now());
    const expectedSha256 = train.artifact.sha256;
    if (end.code !== 0) return { ...nothing, sameDataset, expectedSha256, reason: `the trainer ended with exit code ${end.code}: ${end.reason}` };
    const actualSha256 = sha256Hex(await readFile(join(job, 'model', 'model.onnx')));
    const sameBytes = actualSha256 === expectedSha256;
    return { state: 'done', sameDataset, sameBytes, expectedSha256, actualSha256, reason: await this.explain(sameDataset, sameBytes, train) };
  }

  private async explain(sameDataset: boolean, sameBytes: boolean, train: TrainOutput): Promise<string> {
    if (sameDataset && sameBytes) return 'trained again from the same dataset version and seed: the same bytes';
    const sameTrainer = (await trainerHash(this.command.cwd)) === train.trainerSha256;
    const causes = [sameDataset ? '' : 'the archive no longer gives the same rows', sameTrainer ? '' : 'the trainer is another one than then', sameBytes ? 'the bytes are equal all the same' : 'the bytes differ'];
    return causes.filter((cause) => cause !== '').join('; ');
  }
}

const nothing = { state: 'failed', sameDataset: null, sameBytes: null, expectedSha256: null, actualSha256: null } as const;
