import { MillraceError, type ModelSignature, type PredictionOutput, type PredictionServed } from '@millrace/contracts';
import { featureLayoutOf, interpretOutput, judgeFeatures, type FeatureLayout, type FeatureMistake, type Features } from '@millrace/core/inference';
import type { ModelLimits, RunOptions, ServedModel, Tensors, TensorSpec } from '@millrace/model-runtime';

/** What a version is called, and what tells its file from any other. */
export interface VersionTarget {
  readonly version: string;
  /** Content hash, or path and time of change: the same identity is never loaded twice. */
  readonly identity: string;
}

export interface VersionMeaning {
  /** Null: what the outputs mean is not known; the version is asked with tensors only. */
  readonly signature: ModelSignature | null;
  /** Names of the columns of a model that takes all features in one tensor. */
  readonly featureNames?: readonly string[];
  readonly limits: ModelLimits;
  /** Time that a request has when it names none, ms. */
  readonly deadlineMs?: number;
}

/** One model version in service. Whatever was submitted before `close` is answered. */
export class ServingVersion {
  readonly version: string;
  readonly identity: string;
  /** Null for a model whose inputs are no features: it can be asked with tensors only. */
  readonly layout: FeatureLayout | null;
  private readonly onClose: (() => void)[] = [];
  private isClosed = false;

  /** @param readFile the bytes of its model file. */
  constructor(
    target: VersionTarget,
    readonly meaning: VersionMeaning,
    readonly model: ServedModel,
    readonly readFile: () => Promise<Uint8Array>,
  ) {
    this.version = target.version;
    this.identity = target.identity;
    this.layout = featureLayoutOf(model.inputs, meaning.featureNames);
  }

  get inputs(): readonly TensorSpec[] {
    return this.model.inputs;
  }

  get outputs(): readonly TensorSpec[] {
    return this.model.outputs;
  }

  /** Rows of named features go in, and what comes out has a meaning. */
  get isTabular(): boolean {
    return this.layout !== null && this.meaning.signature !== null;
  }

  /** @throws MillraceError TENSOR_INVALID saying what is missing for named features. */
  tabular(): { readonly layout: FeatureLayout; readonly signature: ModelSignature } {
    const { layout, meaning } = this;
    if (layout !== null && meaning.signature !== null) return { layout, signature: meaning.signature };
    const why = layout === null ? `its inputs are no columns of features (${this.inputs.map(({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(', ')}]`).join(', ')})` : 'what its outputs mean is not known; say task and classes in its model.yaml';
    throw new MillraceError('TENSOR_INVALID', `version ${this.version} takes no named features: ${why}. Ask it through the Open Inference Protocol.`);
  }

  judge(features: Features, isKnown: (name: string) => boolean): FeatureMistake[] {
    return judgeFeatures(this.tabular().layout.features, features, isKnown);
  }

  /** Rows must have been judged. They are handed to the model in the turn of the call. */
  async predict(rows: readonly Features[], options?: RunOptions): Promise<PredictionOutput[]> {
    const { layout, signature } = this.tabular();
    return interpretOutput(await this.model.run(layout.feedsOf(rows), options), signature, rows.length);
  }

  infer(feeds: Tensors, options?: RunOptions): Promise<Tensors> {
    return this.model.run(feeds, options);
  }

  interpret(outputs: Tensors, rows: number): PredictionOutput[] {
    return interpretOutput(outputs, this.tabular().signature, rows);
  }

  /** What the log says the model was given: its own inputs only. */
  logged(features: Features): PredictionServed['features'] {
    const given: PredictionServed['features'] = {};
    for (const { name } of this.layout?.features ?? []) {
      const value = features[name];
      given[name] = typeof value === 'number' || typeof value === 'string' ? value : null;
    }
    return given;
  }

  get closed(): boolean {
    return this.isClosed;
  }

  /** Called once, with the first `close`. */
  whenClosed(then: () => void): void {
    this.onClose.push(then);
  }

  close(): Promise<void> {
    if (!this.isClosed) for (const then of this.onClose) then();
    this.isClosed = true;
    return this.model.close();
  }
}

/** Puts a version into service. */
export interface VersionLoader<T extends VersionTarget> {
  /** @throws MillraceError ARTIFACT_MISSING, ARTIFACT_CORRUPT, STORAGE_UNAVAILABLE, MODEL_LOAD_FAILED */
  load(model: string, target: T): Promise<ServingVersion>;
}
