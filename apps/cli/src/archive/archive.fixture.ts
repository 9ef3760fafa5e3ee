import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SegmentSealed } from '@millrace/contracts';
import { segmentOf, writeSegment, type ArchivedRow } from '@millrace/testing';

/** An archive as data-validation lays it out, under a folder that STORAGE_URL can name. Row i of a segment has offset `from` + i. */
export class ArchiveOnDisk {
  readonly segments: SegmentSealed[] = [];

  constructor(private readonly folder: string) {}

  get storageUrl(): string {
    return pathToFileURL(this.folder).href;
  }

  async seal(stream: string, kind: SegmentSealed['kind'], partition: number, from: number, rows: readonly ArchivedRow[]): Promise<void> {
    const objectKey = `segments/stream=${stream}/kind=${kind}/date=${rows[0]?.at.slice(0, 10) ?? ''}/p${partition}-${from}.parquet`;
    await writeSegment(join(this.folder, 'objects', objectKey), from, rows);
    this.segments.push(segmentOf(stream, kind, partition, from, rows, objectKey));
  }
}
