import type { ReferenceProfile } from '@millrace/contracts';
import { referenceCounts, referenceParts, referenceSample, serialiseReferenceParts, serialiseRowSample } from '@millrace/core/drift';
import type { Prediction } from '@millrace/core/inference';
import { serialiseFeatureCounts } from '@millrace/core/statistics';
import type { Plan } from './plan.js';
import type { LabelledRow } from './score-rows.js';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const countsOf = (kind: 'number' | 'category', values: readonly unknown[]): Record<string, unknown> => ({ v: 2, kind, counts: base64(serialiseFeatureCounts(referenceCounts(kind, values))) });

/** Probabilities, labels or values by task. */
const answerOf = (task: Plan['spec']['task'], { label, probability, value }: Prediction): string | number | null => (task === 'multiclass' ? (label === undefined ? null : String(label)) : (probability ?? value ?? null));

/**
 * What monitoring compares windows with: the rows that the model was fitted on, and its answers on the test rows, which it had not
 * seen; as a whole, and by season and segment where the spec asks for them.
 */
export function countReference({ spec: { task, features, monitoring } }: Plan, training: readonly LabelledRow[], test: readonly LabelledRow[], said: readonly Prediction[]): Pick<ReferenceProfile, 'rows' | 'features' | 'output' | 'sample' | 'parts'> {
  const kind = task === 'multiclass' ? 'category' : 'number';
  const answered = test.map((row, index) => ({ ...row, output: answerOf(task, said[index] ?? {}) }));
  const sample = referenceSample(features.map(({ name }) => name), training, monitoring.drift.reference?.season);
  const parts = referenceParts(monitoring.drift, features, kind, training, answered);
  return {
    rows: training.length,
    features: Object.fromEntries(features.map(({ name, type }) => [name, countsOf(type, training.map((row) => row.features[name]))])),
    output: countsOf(kind, answered.map(({ output }) => output)),
    sample: base64(serialiseRowSample(sample)),
    ...(parts === null ? {} : { parts: base64(serialiseReferenceParts(parts)) }),
  };
}
