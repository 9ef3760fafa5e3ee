import { Injectable } from '@nestjs/common';
import { contractBroken, type BatchJudged } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { ContractsInForce } from './contracts-in-force.js';
import { DataValidationSettings } from './data-validation.config.js';
import { dataValidationMetrics } from './data-validation.metrics.js';
import { QualityStore, type QualityDay } from './quality.store.js';

const rulesMax = 5;

/** Keeps the quality history, and tells once per stream, contract version and event day that too much is quarantined. */
@Injectable()
export class RecordQualityHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly contracts: ContractsInForce,
    private readonly quality: QualityStore,
    private readonly settings: DataValidationSettings,
  ) {}

  async handle(events: readonly Received<BatchJudged>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const days = await this.quality.add(transaction, events.map(({ data }) => data));
    const messages: OutgoingMessage[] = [];
    for (const day of days) {
      const shareMax = await this.shareMax(day);
      if (shareMax === null || day.judged < this.settings.brokenJudgedMin || day.quarantined / day.judged <= shareMax) continue;
      if (await this.quality.markBroken(transaction, day, this.messaging.now().toISOString())) messages.push(await this.broken(day, shareMax, transaction));
    }
    return messages;
  }

  /** The limit of the version the records were judged by, not of the one in force by now. */
  private async shareMax({ stream, contractVersion }: QualityDay): Promise<number | null> {
    return (await this.contracts.version(stream, contractVersion))?.quarantineShareMax ?? null;
  }

  private async broken(day: QualityDay, shareQuarantinedMax: number, transaction: Transaction): Promise<OutgoingMessage> {
    const { stream, contractVersion, judged, quarantined } = day;
    const { rules, offsets } = await this.quality.evidence(transaction, day, rulesMax);
    dataValidationMetrics.contractsBroken.inc({ stream });
    return this.messaging.encode(
      contractBroken,
      {
        stream,
        contractVersion,
        judged,
        quarantined,
        shareQuarantined: quarantined / judged,
        shareQuarantinedMax,
        eventTimeFrom: day.eventTimeMin,
        eventTimeTo: day.eventTimeMax,
        rules,
        offsets,
      },
      { key: stream, id: `broken:${stream}:${contractVersion}:${day.day}` },
    );
  }
}
