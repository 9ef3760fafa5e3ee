import { MillraceError, type SegmentSealed } from '@millrace/contracts';
import { call, storageUrl } from '../services.js';
import { writtenRange, type ArchiveRange } from './archive-range.js';

/** Parquet files of one partition, on this machine. */
export interface PartitionFiles {
  readonly partition: number;
  readonly files: readonly string[];
}

/** What is asked of the archive. */
export interface Archive {
  /** All sealed segments of a stream, in the order of the log. @throws MillraceError STREAM_UNKNOWN, DEPENDENCY_UNAVAILABLE */
  segments(stream: string, kind: SegmentSealed['kind']): Promise<readonly SegmentSealed[]>;
  /** A file of this machine with an object's bytes. @throws MillraceError OBJECT_MISSING, STORAGE_UNAVAILABLE */
  localFile(objectKey: string): Promise<string>;
  close(): Promise<void>;
}

/** The ring's: its table of contents is data-validation's, its files lie in the storage that the stack announces or STORAGE_URL names. */
export async function openArchive(): Promise<Archive> {
  const { openStorage } = await import('@millrace/storage');
  const storage = await openStorage(storageUrl());
  return {
    segments: async (stream, kind) => (await call<{ segments: SegmentSealed[] }>('data-validation', 'GET', `/v1/streams/${encodeURIComponent(stream)}/segments?kind=${kind}`)).segments,
    localFile: (objectKey) => storage.objects.localFile(objectKey),
    close: () => storage.close(),
  };
}

/** How many objects are fetched at a time, where the storage is not on this machine. */
const fetchedAtOnce = 8;

function overlaps({ eventTimeMin, eventTimeMax }: SegmentSealed, { fromMs, toMs }: ArchiveRange): boolean {
  return (toMs === null || Date.parse(eventTimeMin) < toMs) && (fromMs === null || Date.parse(eventTimeMax) >= fromMs);
}

async function partitionFiles(archive: Archive, segments: readonly SegmentSealed[]): Promise<PartitionFiles[]> {
  const files: string[] = [];
  for (let start = 0; start < segments.length; start += fetchedAtOnce) {
    files.push(...(await Promise.all(segments.slice(start, start + fetchedAtOnce).map(({ objectKey }) => archive.localFile(objectKey)))));
  }
  const partitions = new Map<number, string[]>();
  segments.forEach(({ partition }, index) => {
    const file = files[index];
    if (file !== undefined) partitions.set(partition, [...(partitions.get(partition) ?? []), file]);
  });
  return [...partitions].map(([partition, names]) => ({ partition, files: names }));
}

/**
 * The files that may hold records of a range: those whose event times overlap it.
 * @throws MillraceError DATASET_EMPTY when there is none, saying what the archive holds instead.
 */
export async function recordFiles(archive: Archive, range: ArchiveRange): Promise<PartitionFiles[]> {
  const segments = await archive.segments(range.stream, 'record');
  const wanted = segments.filter((segment) => overlaps(segment, range));
  if (wanted.length > 0) return partitionFiles(archive, wanted);
  const times = segments.flatMap(({ eventTimeMin, eventTimeMax }) => [eventTimeMin, eventTimeMax]).sort();
  const held = times.length === 0 ? 'it holds no records of this stream yet' : `its records of this stream lie from ${times[0] ?? ''} to ${times.at(-1) ?? ''}`;
  throw new MillraceError('DATASET_EMPTY', `the archive has no segment for ${writtenRange(range)}: ${held}`);
}

/** Every label of a stream: labels come later than their records, nobody knows by how much. */
export async function labelFiles(archive: Archive, stream: string): Promise<PartitionFiles[]> {
  return partitionFiles(archive, await archive.segments(stream, 'label'));
}
