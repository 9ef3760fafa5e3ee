import { sha256Hex, canonicalJson, type RouteTarget, type Serving } from '@millrace/contracts';
import type { ModelHost, ModelLimits } from '@millrace/model-runtime';
import type { ArtifactStore } from '@millrace/storage';
import { limitsOf } from './data-plane/limits.js';
import { ServingVersion, type VersionLoader, type VersionTarget } from './data-plane/serving-version.js';

/** A version of the ring: its file is known by its hash, its meaning by its registered signature, its limits by its model’s spec. */
export type ArtifactTarget = VersionTarget & RouteTarget & { readonly serving?: Serving };

/** The same file under other limits is loaded anew. */
export function artifactTarget(target: RouteTarget, serving: Serving | undefined): ArtifactTarget {
  const { sha256 } = target.artifact;
  const { limits, deadlineMs } = limitsOf(serving);
  return { ...target, ...(serving === undefined ? {} : { serving }), identity: `${sha256}:${sha256Hex(canonicalJson({ limits, deadlineMs: deadlineMs ?? null }))}` };
}

/** Fetches a version’s file by its hash, which the store verifies, and loads it. What the spec leaves open, the process’s own limits say. */
export class ArtifactVersionLoader implements VersionLoader<ArtifactTarget> {
  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly host: ModelHost,
    private readonly limits: ModelLimits,
  ) {}

  async load(model: string, target: ArtifactTarget): Promise<ServingVersion> {
    const bytes = await this.artifacts.get(target.artifact.sha256);
    const { limits: own, deadlineMs } = limitsOf(target.serving);
    const limits = { ...this.limits, ...own };
    const served = await this.host.load({ bytes }, { expected: target.signature, limits, name: `${model}@${target.version}` });
    return new ServingVersion(target, { signature: target.signature, limits, ...(deadlineMs === undefined ? {} : { deadlineMs }) }, served, () => this.artifacts.get(target.artifact.sha256));
  }
}
