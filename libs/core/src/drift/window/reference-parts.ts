import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../../statistics/binary-form.js';
import { readFeatureCounts, shortName, writeFeatureCounts, type CountsRoom, type FeatureCounts } from '../../statistics/index.js';
import { readPartNames, segmentOf, segmentsOf, valueOf, writePartNames, type PartRow, type SegmentAttribute } from './input-parts.js';
import { frequentIn, referenceCounts } from './reference-counts.js';
import { bucketOf, type Season } from './season.js';

/** Counts of some of the rows of training, and of what the version answered on some of the test rows. */
export interface PartCounts {
  readonly features: ReadonlyMap<string, FeatureCounts>;
  readonly output: FeatureCounts | null;
}

export interface SeasonedCounts extends PartCounts {
  /** By bucket of the season; empty without one. */
  readonly seasons: ReadonlyMap<number, PartCounts>;
}

/** The rows of training by season and by segment. */
export interface ReferenceParts {
  readonly season: Season | null;
  readonly room: CountsRoom;
  readonly attributes: readonly SegmentAttribute[];
  readonly seasons: ReadonlyMap<number, PartCounts>;
  readonly segments: ReadonlyMap<string, SeasonedCounts>;
}

/** Which parts a spec asks for. */
export interface PartsWanted {
  readonly segments?: readonly string[] | undefined;
  readonly segmentValuesMax?: number | undefined;
  readonly reference?: { readonly season: Season } | undefined;
}

type TrainingRow = Pick<PartRow, 'eventTimeMs' | 'features'>;

interface FeatureName {
  readonly name: string;
  readonly type: 'number' | 'category';
}

const valuesMaxDefault = 8;
/** Cells of all counts together: some 200 KB, for they come in one event, and segments are in every pane. */
const cellsInAll = 49_152;
const [cellsMin, cellsMax, bytesPerCell] = [32, 256, 5];
const buckets: Readonly<Record<Season, number>> = { 'hour-of-day': 24, 'day-of-week': 7, 'hour-of-week': 168 };

/** The more counts, the coarser each: a power of two, so that one spec’s cells are joins of another’s. */
function roomOf(counts: number): CountsRoom {
  const cells = Math.min(cellsMax, Math.max(cellsMin, 2 ** Math.floor(Math.log2(cellsInAll / counts))));
  return { cellsMax: cells, nameBytesMax: bytesPerCell * cells };
}

function grouped<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

/**
 * Counts the rows of training by season and segment, as the spec asks for. Segments are the values that most training rows have, and all
 * others together; a segment’s own attribute is not counted in it.
 * @param answered rows that the version had not seen, with what it said: the reference of the output.
 * @returns null when the spec asks for neither.
 */
export function referenceParts({ segments: named = [], segmentValuesMax = valuesMaxDefault, reference }: PartsWanted, features: readonly FeatureName[], outputKind: 'number' | 'category', training: readonly TrainingRow[], answered: readonly PartRow[]): ReferenceParts | null {
  const season = reference?.season ?? null;
  if (named.length === 0 && season === null) return null;
  const attributes = named.map((attribute): SegmentAttribute => ({ attribute, values: [...new Set(frequentIn(training.map((row) => valueOf(row.features, attribute)), segmentValuesMax).map(shortName))] }));
  const all = attributes.flatMap(segmentsOf).length;
  const room = roomOf((all + (1 + all) * (season === null ? 0 : buckets[season])) * (features.length + 1));
  const countsOf = (rows: readonly TrainingRow[], answers: readonly PartRow[], without: string | null): PartCounts => ({
    features: new Map(features.filter(({ name }) => name !== without).map(({ name, type }) => [name, referenceCounts(type, rows.map((row) => valueOf(row.features, name)), room)])),
    output: referenceCounts(outputKind, answers.map(({ output }) => output), room),
  });
  const bySeason = (rows: readonly TrainingRow[], answers: readonly PartRow[], without: string | null): Map<number, PartCounts> => {
    if (season === null) return new Map();
    const bucket = ({ eventTimeMs }: TrainingRow): number => bucketOf(season, eventTimeMs);
    const [trained, said] = [grouped(rows, bucket), grouped(answers, bucket)];
    return new Map([...new Set([...trained.keys(), ...said.keys()])].sort((a, b) => a - b).map((each) => [each, countsOf(trained.get(each) ?? [], said.get(each) ?? [], without)]));
  };
  const segments = attributes.flatMap((attribute) => {
    const segment = ({ features: values }: TrainingRow): string => segmentOf(attribute, valueOf(values, attribute.attribute));
    const [trained, said] = [grouped(training, segment), grouped(answered, segment)];
    return segmentsOf(attribute).map((name): [string, SeasonedCounts] => {
      const [rows, answers] = [trained.get(name) ?? [], said.get(name) ?? []];
      return [name, { ...countsOf(rows, answers, attribute.attribute), seasons: bySeason(rows, answers, attribute.attribute) }];
    });
  });
  return { season, room, attributes, seasons: bySeason(training, answered, null), segments: new Map(segments) };
}

function writePart(writer: BinaryWriter, { features, output }: PartCounts): void {
  writer.count(features.size);
  for (const [name, counts] of features) {
    writer.text(name);
    writeFeatureCounts(writer, counts);
  }
  writer.u8(output === null ? 0 : 1);
  if (output !== null) writeFeatureCounts(writer, output);
}

function readPart(reader: BinaryReader, room: CountsRoom): PartCounts {
  const features = new Map(Array.from({ length: reader.size(reader.left) }, (): [string, FeatureCounts] => [reader.text(), readFeatureCounts(reader, room)]));
  return { features, output: reader.u8() === 0 ? null : readFeatureCounts(reader, room) };
}

function writeSeasons(writer: BinaryWriter, seasons: ReadonlyMap<number, PartCounts>): void {
  writer.count(seasons.size);
  for (const [bucket, part] of seasons) {
    writer.count(bucket);
    writePart(writer, part);
  }
}

const readSeasons = (reader: BinaryReader, room: CountsRoom): Map<number, PartCounts> => new Map(Array.from({ length: reader.size(reader.left) }, (): [number, PartCounts] => [reader.count(), readPart(reader, room)]));

const [tag, version] = [14, 1];

export function serialiseReferenceParts(parts: ReferenceParts): Uint8Array {
  return sealed(tag, version, (writer) => {
    writePartNames(writer, parts);
    writeSeasons(writer, parts.seasons);
    writer.count(parts.segments.size);
    for (const [name, segment] of parts.segments) {
      writer.text(name);
      writePart(writer, segment);
      writeSeasons(writer, segment.seasons);
    }
  });
}

/** @throws RangeError for bytes that are no parts of a reference. */
export function parseReferenceParts(bytes: Uint8Array): ReferenceParts {
  return unsealed(bytes, tag, version, (reader) => {
    const names = readPartNames(reader);
    const seasons = readSeasons(reader, names.room);
    const segments = Array.from({ length: reader.size(reader.left) }, (): [string, SeasonedCounts] => [reader.text(), { ...readPart(reader, names.room), seasons: readSeasons(reader, names.room) }]);
    return { ...names, seasons, segments: new Map(segments) };
  });
}
