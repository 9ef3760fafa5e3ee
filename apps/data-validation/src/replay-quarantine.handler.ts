import { Injectable } from '@nestjs/common';
import { canonicalJson, labelAdmitted, recordAdmitted, sha256Hex, type RecordAdmitted } from '@millrace/contracts';
import { applyFix, parseFix, type Fix } from '@millrace/core/data-quality';
import { Messaging, type OutgoingMessage } from '@millrace/messaging';
import { ContractsInForce, type StreamContract, type Violation } from './contracts-in-force.js';
import { dataValidationMetrics } from './data-validation.metrics.js';
import { QuarantineStore, type QuarantineItem, type QuarantineSelection } from './quarantine.store.js';

export interface ReplayCommand {
  readonly stream: string;
  /** As it came; judged here. */
  readonly fix?: unknown;
  readonly where?: Omit<QuarantineSelection, 'stream' | 'status'>;
  readonly dryRun: boolean;
}

export interface StillBroken {
  readonly id: string;
  readonly recordId: string;
  readonly kind: string;
  readonly violations: readonly Violation[];
}

export interface ReplayResult {
  readonly matched: number;
  readonly admitted: number;
  readonly stillBrokenCount: number;
  /** The first `stillBrokenMax` of them. */
  readonly stillBroken: readonly StillBroken[];
  readonly dryRun: boolean;
}

const chunkRows = 1_000;
const stillBrokenMax = 100;

interface Judged {
  readonly item: QuarantineItem;
  readonly value: Record<string, unknown>;
  readonly violations: readonly Violation[];
}

/**
 * Judges quarantined items again, after an optional fix, under the contract in force, and admits what now abides by it.
 * Marking an item and publishing its admission is one transaction per chunk, and a chunk’s items are locked, so that
 * replays that run at the same time never admit one twice.
 */
@Injectable()
export class ReplayQuarantineHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly contracts: ContractsInForce,
    private readonly quarantine: QuarantineStore,
  ) {}

  /** @throws MillraceError CONTRACT_UNKNOWN or FIX_INVALID */
  async handle(command: ReplayCommand): Promise<ReplayResult> {
    const contract = this.contracts.require(command.stream);
    const fix = command.fix === undefined || command.fix === null ? null : parseFix(command.fix);
    const selection: QuarantineSelection = { ...command.where, stream: command.stream };
    const result = { matched: 0, admitted: 0, stillBrokenCount: 0, stillBroken: [] as StillBroken[], dryRun: command.dryRun };
    for (let afterSeq = 0; ; ) {
      const { judged, lastSeq } = command.dryRun ? await this.look(selection, afterSeq, contract, fix) : await this.replay(selection, afterSeq, contract, fix);
      const broken = judged.filter(({ violations }) => violations.length > 0);
      result.matched += judged.length;
      result.admitted += judged.length - broken.length;
      result.stillBrokenCount += broken.length;
      for (const { item, violations } of broken.slice(0, stillBrokenMax - result.stillBroken.length)) {
        result.stillBroken.push({ id: item.id, recordId: item.recordId, kind: item.kind, violations });
      }
      if (judged.length < chunkRows) return result;
      afterSeq = lastSeq;
    }
  }

  private async look(selection: QuarantineSelection, afterSeq: number, contract: StreamContract, fix: Fix | null): Promise<{ judged: Judged[]; lastSeq: number }> {
    const { items, lastSeq } = await this.quarantine.waiting(selection, afterSeq, chunkRows);
    return { judged: judge(items, contract, fix), lastSeq };
  }

  private async replay(selection: QuarantineSelection, afterSeq: number, contract: StreamContract, fix: Fix | null): Promise<{ judged: Judged[]; lastSeq: number }> {
    const fixSha256 = fix === null ? null : sha256Hex(canonicalJson(fix));
    const chunk = await this.quarantine.transact(async (transaction) => {
      const { items, lastSeq } = await this.quarantine.claim(transaction, selection, afterSeq, chunkRows);
      const judged = judge(items, contract, fix);
      const sound = judged.filter(({ violations }) => violations.length === 0);
      if (sound.length > 0) {
        await this.quarantine.markReplayed(transaction, sound.map(({ item }) => item.id), fixSha256, this.messaging.now().toISOString());
        await this.messaging.enqueue(transaction, sound.map((one) => this.admitted(one, contract, fixSha256)));
      }
      return { judged, lastSeq, sound };
    });
    this.messaging.wakeOutbox();
    for (const { item } of chunk.sound) dataValidationMetrics.replayed.inc({ stream: item.stream, kind: item.kind });
    return chunk;
  }

  private admitted({ item, value }: Judged, contract: StreamContract, fixSha256: string | null): OutgoingMessage {
    const { id, stream, kind, recordId, eventTime, origin } = item;
    const data: RecordAdmitted = { stream, kind, recordId, eventTime, contractVersion: contract.version, value, origin, replay: { quarantineId: id, fixSha256 } };
    return this.messaging.encode(kind === 'record' ? recordAdmitted : labelAdmitted, data, { key: recordId, id: `replay:${id}` });
  }
}

function judge(items: readonly QuarantineItem[], contract: StreamContract, fix: Fix | null): Judged[] {
  return items.map((item) => {
    const value = fix === null ? item.value : applyFix(fix, item.value);
    const judgement = contract[item.kind].judge(value);
    return { item, value, violations: judgement.admitted ? [] : judgement.violations };
  });
}
