import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { featureLayoutOf, type FeatureLayout, type Features } from '../inference/index.js';
import type { TensorSpec } from '@millrace/contracts';
import type { ExplainedSignature } from './explanation-plan.js';

type Matrix = readonly (readonly (number | null)[])[];
interface Frozen {
  readonly name: string;
  readonly onnx: string;
  readonly signature: ExplainedSignature;
  readonly rows: readonly Features[];
  readonly columns: Matrix;
  /** [score][row][column] */
  readonly values: readonly (readonly (readonly number[])[])[];
  readonly base: readonly number[];
  readonly background?: Matrix;
}

/** fixtures/tree-shap.py wrote them. */
export function frozenModels(): (Frozen & { readonly bytes: Uint8Array })[] {
  const { models } = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/tree-shap.json'), 'utf8')) as { models: Frozen[] };
  return models.map((model) => ({ ...model, bytes: Uint8Array.from(Buffer.from(model.onnx, 'base64')) }));
}

export function layoutOf(signature: ExplainedSignature): FeatureLayout {
  const layout = featureLayoutOf(signature.inputs as readonly TensorSpec[]);
  if (layout === null) throw new Error('the inputs are no features');
  return layout;
}
