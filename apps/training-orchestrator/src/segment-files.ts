import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MillraceError } from '@millrace/contracts';
import type { ManifestSegment } from '@millrace/core/dataset';
import { query } from '@millrace/persistence';
import type { ObjectStore } from '@millrace/storage';

export const SEGMENT_OBJECTS = Symbol('segment objects');

/** Where the archive keeps what a manifest names by topic, partition and offsets. */
@Injectable()
export class SegmentFiles {
  constructor(
    private readonly database: DataSource,
    @Inject(SEGMENT_OBJECTS) private readonly objects: ObjectStore,
  ) {}

  /** @throws MillraceError OBJECT_MISSING when no segment has this place and hash, or its file is gone. */
  async localFile({ topic, partition, fromOffset, toOffset, sha256 }: ManifestSegment): Promise<string> {
    const [row] = await query<{ object_key: string }>(
      this.database,
      'SELECT object_key FROM segment WHERE topic = $1 AND partition = $2 AND from_offset = $3 AND to_offset = $4 AND sha256 = $5',
      [topic, partition, fromOffset, toOffset, sha256],
    );
    if (row === undefined) throw new MillraceError('OBJECT_MISSING', `no segment ${topic}/${partition} [${fromOffset}, ${toOffset}) with hash ${sha256} is known`);
    return this.objects.localFile(row.object_key);
  }
}
