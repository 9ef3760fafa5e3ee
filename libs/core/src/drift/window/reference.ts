import type { FeatureCounts } from '../../statistics/index.js';
import type { WatchedFeature, WatchedParts } from './input-parts.js';
import { outputSubject, seasonField, type Watched } from './input-state.js';
import { watchedLike } from './reference-counts.js';
import type { ReferenceParts } from './reference-parts.js';
import { emptyRowSample, sampleRow, type RowSample } from './row-sample.js';
import { bucketOf, type Season } from './season.js';

/** What a version is compared with: counts over the rows that it was trained on, and a sample of them where the writer kept one. */
export interface InputReference {
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly output: FeatureCounts | null;
  /** With the field of the season, where `parts` has one. */
  readonly sample: RowSample | null;
  /** The same rows by segment and season; absent when the spec asked for neither. */
  readonly parts?: ReferenceParts | null;
}

/**
 * A sample of the rows of training, with room for the output, to compare samples of windows with. Their places in the log are not known: 0.
 * @param season with it, each row’s bucket is kept too; its rows need event times then.
 */
export function referenceSample(fields: readonly string[], rows: Iterable<{ readonly recordId: string; readonly features: Readonly<Record<string, unknown>>; readonly eventTimeMs?: number }>, season: Season | null = null): RowSample {
  const sample = emptyRowSample([...fields, outputSubject, ...(season === null ? [] : [seasonField])].sort());
  for (const { recordId, features, eventTimeMs } of rows) {
    sampleRow(sample, { recordId, partition: 0, offset: 0 }, (field) => (field === seasonField && season !== null ? String(bucketOf(season, eventTimeMs ?? NaN)) : Object.hasOwn(features, field) ? features[field] : null));
  }
  return sample;
}

function watchedParts({ season, room, attributes, segments }: ReferenceParts, output: WatchedFeature): WatchedParts {
  const watched = [...segments].map(([name, part]) => [name, { features: [...part.features].map(([feature, counts]) => watchedLike(feature, counts, room)), output: part.output === null ? output : watchedLike(outputSubject, part.output, room) }] as const);
  return { season, room, attributes, segments: new Map(watched) };
}

/** What panes of a version have to count: the features of its reference; those of the spec while there is none. */
export function watchedOf(reference: InputReference | null, spec: { readonly features: readonly { readonly name: string; readonly type: 'number' | 'category' }[]; readonly task: 'binary' | 'multiclass' | 'regression' }): Watched {
  const features = reference === null || reference.features.size === 0 ? spec.features.map(({ name, type }) => ({ name, kind: type, wanted: [] })) : [...reference.features].map(([name, counts]) => watchedLike(name, counts));
  const said = reference?.output ?? null;
  const output: WatchedFeature = said === null ? { name: outputSubject, kind: spec.task === 'multiclass' ? 'category' : 'number', wanted: [] } : watchedLike(outputSubject, said);
  const parts = reference?.parts ?? null;
  return { features, output, ...(parts === null ? {} : { parts: watchedParts(parts, output) }) };
}
