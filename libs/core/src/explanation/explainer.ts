import { MillraceError, type TensorSpec } from '@millrace/contracts';
import { featureLayoutOf, type Feature, type FeatureLayout, type Features } from '../inference/index.js';
import { rowsOf, type AttributedRow, type Attributor, type Explainer, type ExplainerOptions, type Explanation, type ExplanationMethod, type ExplanationRuntime, type RunnableModel } from './explanation.js';
import { planExplanation, probes, type ExplainedSignature, type ExplanationPlan } from './explanation-plan.js';
import { FunctionAttributor } from './function-attributor.js';
import type { ExplanationUnit } from './onnx/raw-score.js';
import { TreeAttributor } from './tree-attributor.js';

const rowsPerPause = 16;
/** Of sums of float64, in proportion. */
const exactness = 1e-9;

/** Which column of the scores belongs to a class, and how: explained = sign · column + offset. */
interface Chosen {
  readonly column: number;
  readonly sign: 1 | -1;
  readonly offset: number;
  readonly name: string | null;
}

function choose({ task, classes, positiveIndex }: ExplainedSignature, unit: ExplanationUnit, scores: Float64Array, target: string | undefined): Chosen {
  if (task === 'regression') return { column: 0, sign: 1, offset: 0, name: null };
  const wanted = target === undefined ? -1 : classes.indexOf(target);
  if (target !== undefined && wanted < 0) throw new MillraceError('REQUEST_INVALID', `the model has no class ${target}; it has ${classes.join(', ')}`);
  if (task === 'multiclass') {
    const column = wanted >= 0 ? wanted : scores.indexOf(scores.reduce((most, score) => Math.max(most, score), -Infinity));
    return { column, sign: 1, offset: 0, name: classes[column] ?? String(column) };
  }
  const column = wanted >= 0 ? wanted : (positiveIndex ?? 1);
  const name = classes[column] ?? String(column);
  // A single score is that of the second class.
  if (scores.length === 1) return { column: 0, sign: column === 1 ? 1 : -1, offset: column === 0 && unit === 'probability' ? 1 : 0, name };
  return { column, sign: 1, offset: 0, name };
}

class ModelExplainer implements Explainer {
  readonly method: ExplanationMethod;
  readonly against: string;

  constructor(
    private readonly model: RunnableModel,
    private readonly layout: FeatureLayout,
    private readonly signature: ExplainedSignature,
    private readonly plan: ExplanationPlan,
    private readonly attributor: Attributor,
    private readonly pause: (() => Promise<void>) | undefined,
  ) {
    this.method = attributor.method;
    this.against = attributor.against;
  }

  get unit(): ExplanationUnit {
    return this.plan.unit;
  }

  get because(): string | null {
    return this.plan.because;
  }

  get features(): readonly Feature[] {
    return this.layout.features;
  }

  async explain(rows: readonly Features[], target?: string): Promise<Explanation[]> {
    if (rows.length === 0) return [];
    const outputs = await this.model.run(this.layout.feedsOf(rows));
    const scores = rowsOf(outputs[probes.scores], rows.length);
    const columns = this.plan.trees === null ? [] : rowsOf(outputs[probes.columns], rows.length);
    const explanations: Explanation[] = [];
    for (const [index, features] of rows.entries()) {
      if (index > 0 && index % rowsPerPause === 0) await this.pause?.();
      explanations.push(await this.one({ features, scores: scores[index] ?? new Float64Array(0), columns: columns[index] ?? new Float64Array(0) }, target));
    }
    return explanations;
  }

  private async one(row: AttributedRow, target: string | undefined): Promise<Explanation> {
    const { column, sign, offset, name } = choose(this.signature, this.unit, row.scores, target);
    const { base, output, contributions, standardErrors, tolerance } = await this.attributor.attribute(row, column);
    const additivityError = Math.abs(contributions.reduce((sum, contribution) => sum + contribution, base) - output);
    const served = row.scores[column] ?? NaN;
    const runtimeDifference = Math.abs(output - served);
    if (!(additivityError <= exactness * Math.max(1, Math.abs(base), Math.abs(output)) && runtimeDifference <= tolerance)) {
      throw new MillraceError('EXPLANATION_INEXACT', `the contributions add up to ${output} ± ${additivityError}, and the model answers ${served}: more than rounding explains (${tolerance}); the model was not understood rightly`);
    }
    return {
      output: sign * output + offset,
      base: sign * base + offset,
      unit: this.unit,
      ...(name === null ? {} : { class: name }),
      contributions: this.features.map(({ name: feature }, index) => {
        const value = row.features[feature];
        const standardError = standardErrors?.[index];
        return { feature, value: typeof value === 'number' || typeof value === 'string' ? value : null, contribution: sign * (contributions[index] ?? 0), ...(standardError === undefined ? {} : { standardError }) };
      }),
      additivityError,
      runtimeDifference,
    };
  }

  close(): Promise<void> {
    return this.model.close();
  }
}

/**
 * Opens a model file for explanations: exact TreeSHAP where it is one ensemble of trees (ai.onnx.ml 1 to 3) whose columns can be
 * followed to features, sampled Shapley values otherwise. Loads one more copy of the model, with probes in its graph.
 * @param signature what the file takes and gives, and what its outputs mean.
 * @throws MillraceError MODEL_LOAD_FAILED, EXPLANATION_UNAVAILABLE saying what is missing.
 */
export async function openExplainer(bytes: Uint8Array, runtime: ExplanationRuntime, signature: ExplainedSignature, options: ExplainerOptions = {}): Promise<Explainer> {
  const layout = featureLayoutOf(signature.inputs as readonly TensorSpec[], options.featureNames);
  if (layout === null) throw new MillraceError('EXPLANATION_UNAVAILABLE', 'the model’s inputs are no columns of features, so that there is nothing to give contributions to');
  const plan = planExplanation(bytes, layout, signature);
  const model = await runtime.load(plan.probed);
  try {
    const attributor = plan.trees === null || options.method === 'permutation'
      ? await FunctionAttributor.open(model, layout, options)
      : await TreeAttributor.open(plan.trees, model, layout, options);
    return new ModelExplainer(model, layout, signature, plan, attributor, options.pause);
  } catch (error) {
    await model.close();
    throw error;
  }
}
