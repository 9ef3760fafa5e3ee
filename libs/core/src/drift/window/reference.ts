import { countFeature, emptyFeatureCounts, frequentNames, type FeatureCounts } from '../../statistics/index.js';
import { emptyRowSample, sampleRow, type RowSample } from './row-sample.js';
import { outputSubject, type Watched, type WatchedFeature } from './input-state.js';

/** What a version is compared with: counts over the rows that it was trained on, and a sample of them where the writer kept one. */
export interface InputReference {
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly output: FeatureCounts | null;
  readonly sample: RowSample | null;
}

const [wantedMax, wantedShareMin] = [64, 0.01];

/** Rarer ones are not wanted: of those the reference has by chance too many would be. */
function wantedOf(names: readonly { readonly name: string; readonly count: number }[], n: number): string[] {
  return names.filter(({ count }) => count >= wantedShareMin * n).slice(0, wantedMax).map(({ name }) => name);
}

/** The counts of a whole column. */
export function referenceCounts(kind: 'number' | 'category', values: readonly unknown[]): FeatureCounts {
  const counts = emptyFeatureCounts(kind, kind === 'category' ? frequentIn(values) : []);
  for (const value of values) countFeature(counts, value);
  return counts;
}

/** A sample of the rows of training, with room for the output, to compare samples of windows with. Their places in the log are not known: 0. */
export function referenceSample(fields: readonly string[], rows: Iterable<{ readonly recordId: string; readonly features: Readonly<Record<string, unknown>> }>): RowSample {
  const sample = emptyRowSample([...fields, outputSubject].sort());
  for (const { recordId, features } of rows) sampleRow(sample, { recordId, partition: 0, offset: 0 }, (field) => (Object.hasOwn(features, field) ? features[field] : null));
  return sample;
}

function frequentIn(values: readonly unknown[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null && value !== undefined && value !== '') counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const ordered = [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return wantedOf(ordered, values.length);
}

const watchedLike = (name: string, counts: FeatureCounts): WatchedFeature => ({ name, kind: counts.kind, wanted: counts.kind === 'category' ? wantedOf(frequentNames(counts.values), counts.values.n) : [] });

/** What panes of a version have to count: the features of its reference; those of the spec while there is none. */
export function watchedOf(reference: InputReference | null, spec: { readonly features: readonly { readonly name: string; readonly type: 'number' | 'category' }[]; readonly task: 'binary' | 'multiclass' | 'regression' }): Watched {
  const features = reference === null || reference.features.size === 0 ? spec.features.map(({ name, type }) => ({ name, kind: type, wanted: [] })) : [...reference.features].map(([name, counts]) => watchedLike(name, counts));
  const output = reference?.output ?? null;
  return { features, output: output === null ? { name: outputSubject, kind: spec.task === 'multiclass' ? 'category' : 'number', wanted: [] } : watchedLike(outputSubject, output) };
}
