import type { BinaryReader, BinaryWriter } from '../../statistics/binary-form.js';
import { countFeature, emptyFeatureCounts, mergeFeatureCounts, readFeatureCounts, shortName, writeFeatureCounts, type CountsRoom, type FeatureCounts } from '../../statistics/index.js';
import { bucketOf, type Season } from './season.js';

/** A feature as panes count it; `wanted`: categories that are counted whatever else comes, those of the reference. */
export interface WatchedFeature {
  readonly name: string;
  readonly kind: 'number' | 'category';
  readonly wanted: readonly string[];
}

/** A category feature whose values are judged by themselves: those named here, and all others together. */
export interface SegmentAttribute {
  readonly attribute: string;
  readonly values: readonly string[];
}

export interface WatchedSegment {
  readonly features: readonly WatchedFeature[];
  readonly output: WatchedFeature;
}

/** What parts of a window are counted by themselves. */
export interface WatchedParts {
  readonly season: Season | null;
  readonly room: CountsRoom;
  readonly attributes: readonly SegmentAttribute[];
  /** By name, `field=value`; without its own attribute. */
  readonly segments: ReadonlyMap<string, WatchedSegment>;
}

export interface SegmentState {
  rows: number;
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly output: FeatureCounts;
  /** Rows by bucket of the season. */
  readonly seasons: ReadonlyMap<number, number>;
}

/** Parts of what a pane has seen: rows by bucket of the season, and counts of each segment. Sums, so they merge in any order to the same bytes. */
export interface InputParts {
  readonly season: Season | null;
  readonly room: CountsRoom;
  readonly attributes: readonly SegmentAttribute[];
  readonly seasons: Map<number, number>;
  readonly segments: Map<string, SegmentState & { readonly seasons: Map<number, number> }>;
}

const otherValues = '(all others)';

/** Every segment of an attribute. */
export const segmentsOf = ({ attribute, values }: SegmentAttribute): string[] => [...values, otherValues].map((value) => `${attribute}=${value}`);

/** The segment that a row belongs to; a missing value is one of the others. */
export function segmentOf({ attribute, values }: SegmentAttribute, value: unknown): string {
  const name = typeof value === 'string' && value !== '' ? shortName(value) : typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value)) ? String(value) : null;
  return `${attribute}=${name !== null && values.includes(name) ? name : otherValues}`;
}

const inOrder = <K extends string | number, V>(map: ReadonlyMap<K, V>): [K, V][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

export function emptyParts({ season, room, attributes, segments }: WatchedParts): InputParts {
  const counts = ({ kind, wanted }: WatchedFeature): FeatureCounts => emptyFeatureCounts(kind, wanted, room);
  const empty = ({ features, output }: WatchedSegment) => ({ rows: 0, features: new Map(features.map((feature) => [feature.name, counts(feature)])), output: counts(output), seasons: new Map<number, number>() });
  return { season, room, attributes, seasons: new Map(), segments: new Map(inOrder(segments).map(([name, watched]) => [name, empty(watched)])) };
}

export interface PartRow {
  readonly eventTimeMs: number;
  readonly features: Readonly<Record<string, unknown>>;
  readonly output: number | string | null;
}

/** A field of a row; null where the row has none of its own. */
export const valueOf = (features: PartRow['features'], name: string): unknown => (Object.hasOwn(features, name) ? features[name] : null);

/** Takes in a row, in place. */
export function observeParts({ season, attributes, seasons, segments }: InputParts, { eventTimeMs, features, output }: PartRow): void {
  const bucket = season === null ? null : bucketOf(season, eventTimeMs);
  if (bucket !== null) seasons.set(bucket, (seasons.get(bucket) ?? 0) + 1);
  for (const attribute of attributes) {
    const segment = segments.get(segmentOf(attribute, valueOf(features, attribute.attribute)));
    if (segment === undefined) continue;
    segment.rows += 1;
    for (const [name, counts] of segment.features) countFeature(counts, valueOf(features, name));
    countFeature(segment.output, output);
    if (bucket !== null) segment.seasons.set(bucket, (segment.seasons.get(bucket) ?? 0) + 1);
  }
}

/** Of two maps the keys of both, ascending; what both have is joined. */
export function joined<K extends string | number, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>, join: (x: V, y: V) => V): Map<K, V> {
  const all = new Map(a);
  for (const [key, value] of b) {
    const mine = all.get(key);
    all.set(key, mine === undefined ? value : join(mine, value));
  }
  return new Map(inOrder(all));
}

const sum = (a: number, b: number): number => a + b;

/**
 * A pane that was counted without parts has none: its rows are missing from those of the other. @throws RangeError when the
 * seasons differ, or a feature has changed its kind.
 */
export function mergeParts(a: InputParts | null, b: InputParts | null): InputParts | null {
  if (a === null || b === null) return a ?? b;
  if (a.season !== b.season) throw new RangeError('counts by different seasons cannot be merged');
  const segments = joined(a.segments, b.segments, (x, y) => ({ rows: x.rows + y.rows, features: joined(x.features, y.features, mergeFeatureCounts), output: mergeFeatureCounts(x.output, y.output), seasons: joined(x.seasons, y.seasons, sum) }));
  return { season: a.season, room: a.room, attributes: a.attributes, seasons: joined(a.seasons, b.seasons, sum), segments };
}

const seasonsInOrder = [null, 'hour-of-day', 'day-of-week', 'hour-of-week'] as const;

/** What parts are told apart by: the same for states and references. */
export function writePartNames(writer: BinaryWriter, { season, room, attributes }: Pick<InputParts, 'season' | 'room' | 'attributes'>): void {
  writer.u8(seasonsInOrder.indexOf(season));
  for (const size of [room.cellsMax, room.nameBytesMax, attributes.length]) writer.count(size);
  for (const { attribute, values } of attributes) {
    writer.text(attribute);
    writer.count(values.length);
    for (const value of values) writer.text(value);
  }
}

/** @throws RangeError for impossible names. */
export function readPartNames(reader: BinaryReader): Pick<InputParts, 'season' | 'room' | 'attributes'> {
  const season = seasonsInOrder[reader.u8()];
  if (season === undefined) throw new RangeError('there is no such season');
  const room = { cellsMax: reader.count(), nameBytesMax: reader.count() };
  const attributes = Array.from({ length: reader.size(reader.left) }, () => ({ attribute: reader.text(), values: Array.from({ length: reader.size(reader.left) }, () => reader.text()) }));
  return { season, room, attributes };
}

function writeSeasonRows(writer: BinaryWriter, seasons: ReadonlyMap<number, number>): void {
  writer.count(seasons.size);
  for (const [bucket, rows] of inOrder(seasons)) {
    writer.count(bucket);
    writer.count(rows);
  }
}

const readSeasonRows = (reader: BinaryReader): Map<number, number> => new Map(Array.from({ length: reader.size(reader.left) }, (): [number, number] => [reader.count(), reader.count()]));

export function writeParts(writer: BinaryWriter, parts: InputParts): void {
  writePartNames(writer, parts);
  writeSeasonRows(writer, parts.seasons);
  writer.count(parts.segments.size);
  for (const [name, { rows, features, output, seasons }] of inOrder(parts.segments)) {
    writer.text(name);
    writer.count(rows);
    writer.count(features.size);
    for (const [feature, counts] of features) {
      writer.text(feature);
      writeFeatureCounts(writer, counts);
    }
    writeFeatureCounts(writer, output);
    writeSeasonRows(writer, seasons);
  }
}

/** @throws RangeError for impossible parts. */
export function readParts(reader: BinaryReader): InputParts {
  const names = readPartNames(reader);
  const counts = (): FeatureCounts => readFeatureCounts(reader, names.room);
  const seasons = readSeasonRows(reader);
  const segments = Array.from({ length: reader.size(reader.left) }, () => {
    const [name, rows] = [reader.text(), reader.count()];
    const features = new Map(Array.from({ length: reader.size(reader.left) }, (): [string, FeatureCounts] => [reader.text(), counts()]));
    return [name, { rows, features, output: counts(), seasons: readSeasonRows(reader) }] as const;
  });
  return { ...names, seasons, segments: new Map(segments) };
}
