import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../../statistics/binary-form.js';
import { countFeature, emptyFeatureCounts, mergeFeatureCounts, readFeatureCounts, writeFeatureCounts, type FeatureCounts } from '../../statistics/index.js';
import { recordHash } from './record-hash.js';
import { emptyRowSample, mergeRowSamples, readRowSample, sampleRow, writeRowSample, type RowSample } from './row-sample.js';

/** A feature as panes count it; `wanted`: categories that are counted whatever else comes, those of the reference. */
export interface WatchedFeature {
  readonly name: string;
  readonly kind: 'number' | 'category';
  readonly wanted: readonly string[];
}

export interface Watched {
  readonly features: readonly WatchedFeature[];
  readonly output: WatchedFeature;
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
}

/** The name under which the output is judged, and sampled. */
export const outputSubject = 'output';

const byName = <T extends { readonly name: string }>(features: readonly T[]): T[] => [...features].sort((a, b) => (a.name < b.name ? -1 : 1));

/** @param open whether to tell predictions apart that come twice, at 8 bytes a row. */
export function emptyInputs({ features, output }: Watched, open: boolean): InputState {
  const sorted = byName(features);
  return {
    rows: 0,
    features: new Map(sorted.map(({ name, kind, wanted }) => [name, emptyFeatureCounts(kind, wanted)])),
    output: emptyFeatureCounts(output.kind, output.wanted),
    sample: emptyRowSample([...sorted.map(({ name }) => name), outputSubject].sort()),
    seen: open ? new Set() : null,
  };
}

export interface ServedRow {
  readonly predictionId: string;
  readonly recordId: string;
  readonly partition: number;
  readonly offset: number;
  readonly features: Readonly<Record<string, unknown>>;
  /** The score where there is one, the value of a regression, otherwise the class. */
  readonly output: number | string | null;
}

/** Takes in a row, in place. @returns false for a prediction that was counted before. */
export function observeInputs(state: InputState, row: ServedRow): boolean {
  const { seen, sample } = state;
  if (seen !== null) {
    const before = seen.size;
    if (seen.add(recordHash(row.predictionId)).size === before) return false;
  }
  state.rows += 1;
  for (const [name, counts] of state.features) countFeature(counts, Object.hasOwn(row.features, name) ? row.features[name] : null);
  countFeature(state.output, row.output);
  sampleRow(sample, row, (field) => (field === outputSubject && !state.features.has(field) ? row.output : Object.hasOwn(row.features, field) ? row.features[field] : null));
  return true;
}

function mergedFeatures(a: InputState['features'], b: InputState['features']): Map<string, FeatureCounts> {
  const names = [...new Set([...a.keys(), ...b.keys()])].sort();
  return new Map(
    names.flatMap((name) => {
      const [mine, theirs] = [a.get(name), b.get(name)];
      const merged = mine === undefined ? theirs : theirs === undefined ? mine : mergeFeatureCounts(mine, theirs);
      return merged === undefined ? [] : [[name, merged] as const];
    }),
  );
}

/** @throws RangeError when a feature has changed its kind. */
export function mergeInputs(a: InputState, b: InputState): InputState {
  return { rows: a.rows + b.rows, features: mergedFeatures(a.features, b.features), output: mergeFeatureCounts(a.output, b.output), sample: mergeRowSamples(a.sample, b.sample), seen: null };
}

const [tag, version] = [12, 1];

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
export function serialiseInputs({ rows, features, output, sample, seen }: InputState): Uint8Array {
  return sealed(tag, version, (writer) => {
    writer.count(rows);
    writer.count(features.size);
    for (const [name, counts] of features) {
      writer.text(name);
      writeFeatureCounts(writer, counts);
    }
    writeFeatureCounts(writer, output);
    writeRowSample(writer, sample);
    writeSeen(writer, seen);
  });
}

/** @throws RangeError for bytes that are no state of inputs. */
export function parseInputs(bytes: Uint8Array): InputState {
  return unsealed(bytes, tag, version, (reader) => {
    const rows = reader.count();
    const features = new Map(Array.from({ length: reader.size(reader.left) }, (): [string, FeatureCounts] => [reader.text(), readFeatureCounts(reader)]));
    return { rows, features, output: readFeatureCounts(reader), sample: readRowSample(reader), seen: readSeen(reader) };
  });
}
