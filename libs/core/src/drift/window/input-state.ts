import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../../statistics/binary-form.js';
import { countFeature, emptyFeatureCounts, mergeFeatureCounts, readFeatureCounts, writeFeatureCounts, type FeatureCounts } from '../../statistics/index.js';
import { emptyParts, joined, mergeParts, observeParts, readParts, valueOf, writeParts, type InputParts, type WatchedFeature, type WatchedParts } from './input-parts.js';
import { recordHash } from './record-hash.js';
import { emptyRowSample, mergeRowSamples, readRowSample, sampleRow, writeRowSample, type RowSample } from './row-sample.js';
import { bucketOf } from './season.js';

export interface Watched {
  readonly features: readonly WatchedFeature[];
  readonly output: WatchedFeature;
  /** Absent: no segments, no season. */
  readonly parts?: WatchedParts;
}

/**
 * What a version saw and said in a pane: exact counts per feature and for the output, and a sample of rows. Depends on the set of
 * rows alone, so panes merge into windows in any order to the same bytes.
 */
export interface InputState {
  rows: number;
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly output: FeatureCounts;
  readonly sample: RowSample;
  /** Ids of the predictions counted here, as hashes, while the pane is open: a prediction that was logged twice counts once. null in what was merged. */
  readonly seen: Set<number> | null;
  /** Rows by season and by segment; null where the reference has neither. */
  readonly parts: InputParts | null;
}

/** The name under which the output is judged, and sampled. */
export const outputSubject = 'output';

/** The field of a sample that holds a row’s bucket of the season. */
export const seasonField = '(season)';

const byName = <T extends { readonly name: string }>(features: readonly T[]): T[] => [...features].sort((a, b) => (a.name < b.name ? -1 : 1));

/** @param open whether to tell predictions apart that come twice, at 8 bytes a row. */
export function emptyInputs({ features, output, parts: watched }: Watched, open: boolean): InputState {
  const sorted = byName(features);
  const parts = watched === undefined ? null : emptyParts(watched);
  return {
    rows: 0,
    features: new Map(sorted.map(({ name, kind, wanted }) => [name, emptyFeatureCounts(kind, wanted)])),
    output: emptyFeatureCounts(output.kind, output.wanted),
    sample: emptyRowSample([...sorted.map(({ name }) => name), outputSubject, ...((parts?.season ?? null) === null ? [] : [seasonField])].sort()),
    seen: open ? new Set() : null,
    parts,
  };
}

export interface ServedRow {
  readonly predictionId: string;
  readonly recordId: string;
  readonly partition: number;
  readonly offset: number;
  /** Since the epoch. */
  readonly eventTimeMs: number;
  readonly features: Readonly<Record<string, unknown>>;
  /** The score where there is one, the value of a regression, otherwise the class. */
  readonly output: number | string | null;
}

/** Takes in a row, in place. @returns false for a prediction that was counted before. */
export function observeInputs(state: InputState, row: ServedRow): boolean {
  const { seen, sample, parts } = state;
  if (seen !== null) {
    const before = seen.size;
    if (seen.add(recordHash(row.predictionId)).size === before) return false;
  }
  state.rows += 1;
  for (const [name, counts] of state.features) countFeature(counts, valueOf(row.features, name));
  countFeature(state.output, row.output);
  if (parts !== null) observeParts(parts, row);
  const season = parts?.season ?? null;
  sampleRow(sample, row, (field) => (state.features.has(field) ? valueOf(row.features, field) : field === outputSubject ? row.output : field === seasonField && season !== null ? String(bucketOf(season, row.eventTimeMs)) : valueOf(row.features, field)));
  return true;
}

/** @throws RangeError when a feature has changed its kind. */
export function mergeInputs(a: InputState, b: InputState): InputState {
  return { rows: a.rows + b.rows, features: joined(a.features, b.features, mergeFeatureCounts), output: mergeFeatureCounts(a.output, b.output), sample: mergeRowSamples(a.sample, b.sample), seen: null, parts: mergeParts(a.parts, b.parts) };
}

/** Version 1 has no parts; without parts it is still what is written. */
const [tag, whole, withParts] = [12, 1, 2];

function writeSeen(writer: BinaryWriter, seen: ReadonlySet<number> | null): void {
  writer.u8(seen === null ? 0 : 1);
  if (seen === null) return;
  writer.count(seen.size);
  for (const hash of [...seen].sort((a, b) => a - b)) {
    writer.u32(Math.floor(hash / 2 ** 32));
    writer.u32(hash % 2 ** 32);
  }
}

function readSeen(reader: BinaryReader): Set<number> | null {
  if (reader.u8() === 0) return null;
  return new Set(Array.from({ length: reader.size(reader.left) }, () => reader.u32() * 2 ** 32 + reader.u32()));
}

/** Stable and versioned: the same state always gives the same bytes. */
export function serialiseInputs({ rows, features, output, sample, seen, parts }: InputState): Uint8Array {
  return sealed(tag, parts === null ? whole : withParts, (writer) => {
    writer.count(rows);
    writer.count(features.size);
    for (const [name, counts] of features) {
      writer.text(name);
      writeFeatureCounts(writer, counts);
    }
    writeFeatureCounts(writer, output);
    writeRowSample(writer, sample);
    writeSeen(writer, seen);
    if (parts !== null) writeParts(writer, parts);
  });
}

/** @throws RangeError for bytes that are no state of inputs. */
export function parseInputs(bytes: Uint8Array): InputState {
  const version = bytes[1] === withParts ? withParts : whole;
  return unsealed(bytes, tag, version, (reader) => {
    const rows = reader.count();
    const features = new Map(Array.from({ length: reader.size(reader.left) }, (): [string, FeatureCounts] => [reader.text(), readFeatureCounts(reader)]));
    return { rows, features, output: readFeatureCounts(reader), sample: readRowSample(reader), seen: readSeen(reader), parts: version === withParts ? readParts(reader) : null };
  });
}
