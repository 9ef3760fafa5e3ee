import { Inject, Injectable } from '@nestjs/common';
import type { SegmentSealed } from '@millrace/contracts';
import type { ObjectStore } from '@millrace/storage';
import { idOffsets } from './segment-lookup.js';
import { SEGMENT_OBJECTS } from './segment-objects.js';
import { SegmentStore } from './segment.store.js';

export interface RecordPlace {
  readonly kind: SegmentSealed['kind'];
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly segment: { readonly sha256: string; readonly objectKey: string; readonly fromOffset: number; readonly toOffset: number };
}

export interface RecordPlaces {
  readonly stream: string;
  readonly recordId: string;
  /** In the order of the log; more than one per kind when a producer sent the id more than once. */
  readonly places: readonly RecordPlace[];
}

/** Files read side by side. */
const lanes = 8;

/** Looks a record id up in the archive itself; each segment’s Bloom filter answers most of the noes without a scan. */
@Injectable()
export class FindRecordHandler {
  constructor(
    private readonly segments: SegmentStore,
    @Inject(SEGMENT_OBJECTS) private readonly objects: ObjectStore,
  ) {}

  async handle(stream: string, recordId: string): Promise<RecordPlaces> {
    const segments = await this.segments.list(stream);
    const places: RecordPlace[] = [];
    for (let start = 0; start < segments.length; start += lanes) {
      const found = await Promise.all(segments.slice(start, start + lanes).map((segment) => this.look(segment, recordId)));
      places.push(...found.flat());
    }
    return { stream, recordId, places };
  }

  private async look(segment: SegmentSealed, recordId: string): Promise<RecordPlace[]> {
    const { kind, topic, partition, sha256, objectKey, fromOffset, toOffset } = segment;
    const offsets = await idOffsets(await this.objects.getObject(objectKey), recordId);
    return offsets.map((offset) => ({ kind, topic, partition, offset, segment: { sha256, objectKey, fromOffset, toOffset } }));
  }
}
