import { Inject, Injectable } from '@nestjs/common';
import { canonicalJson } from '@millrace/contracts';
import { canonicalManifest } from '@millrace/core/dataset';
import { Messaging } from '@millrace/messaging';
import type { ArtifactStore } from '@millrace/storage';
import { DatasetBuilder, type DatasetCounts } from '../dataset-builder.js';
import { DatasetStore } from '../dataset.store.js';
import type { PipelineStep, StepContext } from '../pipeline-step.js';
import { ARTIFACTS } from '../artifacts.js';
import { WorkFolder } from '../work-folder.js';

export interface SnapshotOutput {
  readonly datasetVersion: string;
  readonly counts: DatasetCounts;
}

/** The dataset as files, its manifest as an artifact: the manifest’s hash is the dataset version, so it is found by its name. */
@Injectable()
export class SnapshotStep implements PipelineStep {
  constructor(
    private readonly builder: DatasetBuilder,
    private readonly datasets: DatasetStore,
    private readonly work: WorkFolder,
    private readonly messaging: Messaging,
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
  ) {}

  async execute({ plan }: StepContext): Promise<SnapshotOutput> {
    const counts = await this.builder.build(plan.manifest, plan.spec.task, this.work.dataset(plan));
    await this.artifacts.put(Buffer.from(canonicalJson(canonicalManifest(plan.manifest))));
    await this.datasets.add(plan.datasetVersion, plan.model, plan.manifest, counts, this.messaging.now());
    return { datasetVersion: plan.datasetVersion, counts };
  }
}
