import type { RouteTarget } from '@millrace/contracts';
import type { ModelHost, ModelLimits } from '@millrace/model-runtime';
import type { ArtifactStore } from '@millrace/storage';
import { ServingVersion, type VersionLoader, type VersionTarget } from './data-plane/serving-version.js';

/** A version of the ring: its file is known by its hash, its meaning by its registered signature. */
export type ArtifactTarget = VersionTarget & RouteTarget;

export const artifactTarget = (target: RouteTarget): ArtifactTarget => ({ ...target, identity: target.artifact.sha256 });

/** Fetches a version’s file by its hash, which the store verifies, and loads it. */
export class ArtifactVersionLoader implements VersionLoader<ArtifactTarget> {
  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly host: ModelHost,
    private readonly limits: ModelLimits,
  ) {}

  async load(model: string, target: ArtifactTarget): Promise<ServingVersion> {
    const bytes = await this.artifacts.get(target.artifact.sha256);
    const served = await this.host.load({ bytes }, { expected: target.signature, limits: this.limits, name: `${model}@${target.version}` });
    return new ServingVersion(target, { signature: target.signature, limits: this.limits }, served);
  }
}
