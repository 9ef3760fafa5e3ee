import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { labelAdmitted, recordAdmitted, segmentSealed, sha256Hex, type RecordAdmitted, type SegmentSealed } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import type { ObjectStore } from '@millrace/storage';
import { ArchiveRun, PartitionBuffer } from './archive-run.js';
import { ContractsInForce, type RecordKind } from './contracts-in-force.js';
import { DataValidationSettings } from './data-validation.config.js';
import { dataValidationMetrics } from './data-validation.metrics.js';
import { observedFields, segmentBytes } from './segment-file.js';
import { SEGMENT_OBJECTS } from './segment-objects.js';
import { SegmentStore } from './segment.store.js';

const admittedOf = { record: recordAdmitted, label: labelAdmitted } as const;

/**
 * Archives what was admitted, each record in exactly one segment: the file is written first, under a name that follows
 * from its bytes; the row that makes it count, the event that tells of it and the next offset change together.
 */
@Injectable()
export class ArchiveRecordsHandler implements OnApplicationBootstrap {
  constructor(
    private readonly messaging: Messaging,
    private readonly contracts: ContractsInForce,
    private readonly segments: SegmentStore,
    @Inject(SEGMENT_OBJECTS) private readonly objects: ObjectStore,
    private readonly settings: DataValidationSettings,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.contracts.start();
    await Promise.all([this.follow('record'), this.follow('label')]);
  }

  private async follow(kind: RecordKind): Promise<void> {
    const buffers = new Map<number, PartitionBuffer>();
    const bufferOf = (partition: number): PartitionBuffer => {
      const buffer = buffers.get(partition) ?? new PartitionBuffer();
      buffers.set(partition, buffer);
      return buffer;
    };
    await this.messaging.checkpointFold(`archive-${kind}s`, {
      event: admittedOf[kind],
      everyRecords: this.settings.segmentRowsMax,
      everyMs: this.settings.segmentMsMax,
      restore: async (partition) => void buffers.delete(partition),
      observe: (partition, events: readonly Received<RecordAdmitted>[]) => {
        const buffer = bufferOf(partition);
        for (const { offset, data } of events) buffer.add(offset, data);
      },
      save: (partition, _toOffset, transaction) => this.seal(kind, partition, bufferOf(partition).list(), transaction),
      saved: (partition) => {
        for (const { stream, rows } of bufferOf(partition).list()) {
          dataValidationMetrics.segments.inc({ stream, kind });
          dataValidationMetrics.segmentRows.inc({ stream, kind }, rows.length);
        }
        bufferOf(partition).clear();
      },
    });
  }

  private async seal(kind: RecordKind, partition: number, runs: readonly ArchiveRun[], transaction: Transaction): Promise<OutgoingMessage[]> {
    if (runs.length === 0) return [];
    const sealed: SegmentSealed[] = [];
    for (const run of runs) sealed.push(await this.write(kind, partition, run));
    await this.segments.add(transaction, sealed);
    return sealed.map((segment) =>
      this.messaging.encode(segmentSealed, segment, { key: segment.stream, id: `sealed:${segment.stream}:${kind}:${partition}@${segment.fromOffset}-${segment.toOffset}` }),
    );
  }

  private async write(kind: RecordKind, partition: number, run: ArchiveRun): Promise<SegmentSealed> {
    const { stream, contractVersion, fromOffset, toOffset, rows, eventTimeMin, eventTimeMax } = run;
    const contract = await this.contracts.versionOrInForce(stream, contractVersion);
    const bytes = segmentBytes(rows, contractVersion, contract?.[kind].fields ?? observedFields(rows));
    // The bytes’ own hash ends the name: a leftover of a crash is overwritten identically or never met again.
    const name = `p${partition}-${fromOffset}-${toOffset}-${sha256Hex(bytes).slice(0, 16)}.parquet`;
    const objectKey = `segments/stream=${stream}/kind=${kind}/date=${(rows[0]?.eventTime ?? eventTimeMin).slice(0, 10)}/${name}`;
    await this.objects.putObject(objectKey, bytes);
    return {
      stream,
      kind,
      topic: admittedOf[kind].type,
      partition,
      fromOffset,
      toOffset,
      rows: rows.length,
      sha256: run.sha256(),
      objectKey,
      contractVersion,
      eventTimeMin,
      eventTimeMax,
      sealedAt: this.messaging.now().toISOString(),
    };
  }
}
