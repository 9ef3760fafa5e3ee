import type { ModelSignature, PredictionOutput, PredictionServed, RouteTarget } from '@millrace/contracts';
import { featuresOf, interpretOutput, judgeFeatures, toFeeds, type Feature, type FeatureMistake, type Features } from '@millrace/core/inference';
import { BatchedModel, type BatchLimits, type ModelRuntime, type Tensors, type TensorSpec } from '@millrace/model-runtime';
import type { ArtifactStore } from '@millrace/storage';

/** One model version in memory. Whatever was submitted before `close` is answered. */
export class ServingVersion {
  /** Null for a model whose inputs are no feature columns: it can be asked with tensors only. */
  private readonly columns: readonly Feature[] | null;

  constructor(
    readonly version: string,
    readonly artifactSha256: string,
    readonly signature: ModelSignature,
    private readonly model: BatchedModel,
  ) {
    this.columns = this.tabular() ? featuresOf(signature.inputs) : null;
  }

  get inputs(): readonly TensorSpec[] {
    return this.model.inputs;
  }

  get outputs(): readonly TensorSpec[] {
    return this.model.outputs;
  }

  /** @throws MillraceError TENSOR_INVALID when the inputs are no feature columns. */
  features(): readonly Feature[] {
    return this.columns ?? featuresOf(this.signature.inputs);
  }

  get isTabular(): boolean {
    return this.columns !== null;
  }

  judge(features: Features, isKnown: (name: string) => boolean): FeatureMistake[] {
    return judgeFeatures(this.features(), features, isKnown);
  }

  /** Rows must have been judged. They are handed to the model in the turn of the call. */
  async predict(rows: readonly Features[]): Promise<PredictionOutput[]> {
    return this.interpret(await this.model.run(toFeeds(this.features(), rows)), rows.length);
  }

  infer(feeds: Tensors): Promise<Tensors> {
    return this.model.run(feeds);
  }

  interpret(outputs: Tensors, rows: number): PredictionOutput[] {
    return interpretOutput(outputs, this.signature, rows);
  }

  /** What the log says the model was given: its own inputs only. */
  logged(features: Features): PredictionServed['features'] {
    const given: PredictionServed['features'] = {};
    for (const { name } of this.columns ?? []) {
      const value = features[name];
      given[name] = typeof value === 'number' || typeof value === 'string' ? value : null;
    }
    return given;
  }

  close(): Promise<void> {
    return this.model.close();
  }

  private tabular(): boolean {
    try {
      featuresOf(this.signature.inputs);
      return true;
    } catch {
      return false;
    }
  }
}

/** Fetches a version’s file by its hash, which the store verifies, and loads it. */
export class VersionLoader {
  constructor(
    private readonly artifacts: ArtifactStore,
    private readonly runtime: ModelRuntime,
    private readonly limits: BatchLimits,
  ) {}

  /** @throws MillraceError ARTIFACT_MISSING, ARTIFACT_CORRUPT, STORAGE_UNAVAILABLE, MODEL_LOAD_FAILED */
  async load(target: RouteTarget): Promise<ServingVersion> {
    const bytes = await this.artifacts.get(target.artifact.sha256);
    const model = await this.runtime.load(bytes, target.signature);
    return new ServingVersion(target.version, target.artifact.sha256, target.signature, new BatchedModel(model, this.limits));
  }
}
