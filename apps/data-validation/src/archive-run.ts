import { createHash, type Hash } from 'node:crypto';
import { canonicalJson, type RecordAdmitted } from '@millrace/contracts';

export interface ArchivedRow {
  readonly offset: number;
  readonly recordId: string;
  readonly eventTime: string;
  readonly value: Record<string, unknown>;
}

/**
 * Records of one stream, kind and partition, of one contract version, in offset order: what becomes one segment. The
 * hash grows with each record, so that sealing need not go over all of them at once.
 */
export class ArchiveRun {
  readonly rows: ArchivedRow[] = [];
  eventTimeMin: string;
  eventTimeMax: string;
  private readonly hash: Hash = createHash('sha256');

  constructor(
    readonly stream: string,
    readonly contractVersion: string,
    readonly fromOffset: number,
    eventTime: string,
  ) {
    this.eventTimeMin = eventTime;
    this.eventTimeMax = eventTime;
  }

  add(offset: number, { recordId, eventTime, value }: RecordAdmitted): void {
    this.rows.push({ offset, recordId, eventTime, value });
    this.hash.update(`${canonicalJson({ recordId, eventTime, value })}\n`);
    if (eventTime < this.eventTimeMin) this.eventTimeMin = eventTime;
    if (eventTime > this.eventTimeMax) this.eventTimeMax = eventTime;
  }

  /** The first offset behind the run. */
  get toOffset(): number {
    return (this.rows[this.rows.length - 1]?.offset ?? this.fromOffset - 1) + 1;
  }

  /** SHA-256 over `canonicalJson({ recordId, eventTime, value })` and a line feed per record. May be asked again after more records. */
  sha256(): string {
    return this.hash.copy().digest('hex');
  }
}

/** What one partition holds that is not sealed yet. Runs of one stream never overlap in offsets. */
export class PartitionBuffer {
  private runs: ArchiveRun[] = [];
  private readonly open = new Map<string, ArchiveRun>();

  add(offset: number, record: RecordAdmitted): void {
    let run = this.open.get(record.stream);
    if (run === undefined || run.contractVersion !== record.contractVersion) {
      run = new ArchiveRun(record.stream, record.contractVersion, offset, record.eventTime);
      this.open.set(record.stream, run);
      this.runs.push(run);
    }
    run.add(offset, record);
  }

  list(): readonly ArchiveRun[] {
    return this.runs;
  }

  clear(): void {
    this.runs = [];
    this.open.clear();
  }
}
