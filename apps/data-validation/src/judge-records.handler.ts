import { Injectable } from '@nestjs/common';
import { batchJudged, labelAdmitted, MillraceError, recordAdmitted, recordQuarantined, type RecordAccepted } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import { ContractsInForce, type StreamContract, type Violation } from './contracts-in-force.js';
import { dataValidationMetrics } from './data-validation.metrics.js';
import { BatchTally } from './batch-tally.js';

const none: Violation[] = [];
/** A quarantined event holds the whole value already; what its violations repeat of it must not make it too large to carry. */
const violationsMax = 50;
const clippedChars = 200;

function clipped({ rule, field, value, message }: Violation): Violation {
  const shown = typeof value === 'number' || typeof value === 'boolean' || value === null ? value : clip(value);
  return { rule, field: field.slice(0, clippedChars), value: shown, message: message.length > 2 * clippedChars ? `${message.slice(0, 2 * clippedChars)}…` : message };
}

function clip(value: unknown): unknown {
  const text = JSON.stringify(value) ?? 'null';
  if (text.length <= clippedChars) return value;
  return `${text.slice(0, clippedChars)}…`;
}

/** Judges a batch of one partition: each record is admitted or quarantined, and one summary per stream and kind tells how many. */
@Injectable()
export class JudgeRecordsHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly contracts: ContractsInForce,
  ) {}

  /** @throws MillraceError DEPENDENCY_UNAVAILABLE (retryable) while a stream’s contract is not known here yet. */
  handle(events: readonly Received<RecordAccepted>[]): OutgoingMessage[] {
    const quarantinedAt = this.messaging.now().toISOString();
    const messages: OutgoingMessage[] = [];
    const tallies = new Map<string, BatchTally>();
    for (const event of events) {
      const { stream, kind, eventTime, value } = event.data;
      const contract = this.contractOf(stream);
      const judgement = contract[kind].judge(value);
      const violations = judgement.admitted ? none : judgement.violations.slice(0, violationsMax).map(clipped);
      const tally = tallies.get(`${stream} ${kind}`) ?? new BatchTally(stream, kind, contract.version);
      if (tally.judged === 0) tallies.set(`${stream} ${kind}`, tally);
      tally.add(event.offset, eventTime, violations);
      messages.push(violations.length === 0 ? this.admitted(event, contract) : this.quarantined(event, contract, violations, quarantinedAt));
    }
    for (const tally of tallies.values()) messages.push(this.summary(tally, events));
    return messages;
  }

  private contractOf(stream: string): StreamContract {
    const contract = this.contracts.get(stream);
    if (contract === undefined) throw new MillraceError('DEPENDENCY_UNAVAILABLE', `The contract of ${stream} is not known here (yet); its records wait.`);
    return contract;
  }

  private admitted({ data, key, topic, partition, offset, traceparent }: Received<RecordAccepted>, contract: StreamContract): OutgoingMessage {
    const { stream, kind, recordId, eventTime, value, origin } = data;
    return this.messaging.encode(
      kind === 'record' ? recordAdmitted : labelAdmitted,
      { stream, kind, recordId, eventTime, contractVersion: contract.version, value, origin, replay: null },
      { key, id: `judged:${topic}/${partition}@${offset}`, traceparent },
    );
  }

  private quarantined(event: Received<RecordAccepted>, contract: StreamContract, violations: Violation[], quarantinedAt: string): OutgoingMessage {
    const { data, key, topic, partition, offset, traceparent } = event;
    const { stream, kind, recordId, eventTime, value, origin } = data;
    return this.messaging.encode(
      recordQuarantined,
      { stream, kind, recordId, eventTime, contractVersion: contract.version, violations, value, origin, accepted: { topic, partition, offset }, quarantinedAt },
      { key, id: `judged:${topic}/${partition}@${offset}`, traceparent },
    );
  }

  private summary(tally: BatchTally, events: readonly Received<RecordAccepted>[]): OutgoingMessage {
    const { stream, kind } = tally;
    dataValidationMetrics.judged.inc({ stream, kind, outcome: 'admitted' }, tally.judged - tally.quarantined);
    if (tally.quarantined > 0) dataValidationMetrics.judged.inc({ stream, kind, outcome: 'quarantined' }, tally.quarantined);
    const { topic, partition } = events[0] ?? { topic: '', partition: 0 };
    const data = tally.toBatchJudged(topic, partition);
    const { fromOffset, toOffset } = data.offsets;
    return this.messaging.encode(batchJudged, data, { key: stream, id: `judged:${topic}/${partition}@${fromOffset}-${toOffset}:${stream}:${kind}` });
  }
}
