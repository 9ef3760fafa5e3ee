import { Injectable } from '@nestjs/common';
import { MillraceError, type LabelAdmitted } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { ModelSpecs } from './model-specs.js';
import { observeOutcomes, type LabelledRecord } from './observe-outcomes.js';
import { outcomeJoiningMetrics } from './outcome-joining.metrics.js';
import { PredictionStore } from './prediction.store.js';
import { readForModels } from './read-for-models.js';
import { RecordStore, type LabelSeen } from './record.store.js';
import { setAside } from './set-aside.js';
import { settlementOf } from './settlement.js';
import { StreamClockStore } from './stream-clock.store.js';
import { ofModel, ofStream, Tally } from './tally.js';
import { TallyStore } from './tally.store.js';

type Usable = LabelSeen & { readonly read: readonly LabelledRecord[] };

/** Takes in labels; the first one of a record settles the predictions that wait for it. */
@Injectable()
export class JoinLabelsHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly specs: ModelSpecs,
    private readonly records: RecordStore,
    private readonly predictions: PredictionStore,
    private readonly clock: StreamClockStore,
    private readonly tallies: TallyStore,
  ) {}

  async handle(events: readonly Received<LabelAdmitted>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const tally = new Tally();
    const { usable, refused } = this.judge(events, tally);
    const partition = events[0]?.partition ?? 0;
    const distinct = firstOfEach(usable);
    if (distinct.length === 0) return this.finish(refused, partition, tally, transaction);
    const kept = new Set(await this.records.keepFirst(distinct, transaction));
    const first = distinct.filter((label) => kept.has(label));
    this.count(usable, first, tally);
    const labelled = first.flatMap(({ read }) => read);
    const settled = await this.predictions.settle(labelled, transaction);
    for (const { model, name } of settlementOf(settled)) tally.add(ofModel(model), name);
    // Those that this label found too old are expired by now too: all of them have met their label too late.
    for (const [model, late] of await this.predictions.countExpired(labelled, transaction)) {
      tally.add(ofModel(model), 'late', late);
      outcomeJoiningMetrics.outcomes.inc({ model, outcome: 'late' }, late);
    }
    await this.clock.advance('labels', partition, usable, this.messaging.now(), transaction);
    return this.finish([...refused, ...observeOutcomes(settled, labelled, this.messaging)], partition, tally, transaction);
  }

  private async finish(messages: OutgoingMessage[], partition: number, tally: Tally, transaction: Transaction): Promise<OutgoingMessage[]> {
    await this.tallies.add(tally, `labels/${partition}`, transaction);
    return messages;
  }

  /** A label that no model of its stream can read is set aside; one that some can read is kept, and the others are counted. */
  private judge(events: readonly Received<LabelAdmitted>[], tally: Tally): { usable: Usable[]; refused: OutgoingMessage[] } {
    const usable: Usable[] = [];
    const refused: OutgoingMessage[] = [];
    for (const event of events) {
      const { stream, recordId, value, eventTime } = event.data;
      const label = { stream, recordId, value, eventTime, position: { topic: event.topic, partition: event.partition, offset: event.offset } };
      const { read, unreadable } = readForModels(label, this.specs.readersOf(stream));
      for (const { model } of unreadable) tally.add(ofModel(model), 'unreadable');
      const error = recordId.includes('\0') ? new MillraceError('EVENT_INVALID', 'the record id holds a NUL character') : read.length === 0 ? unreadable[0]?.error : undefined;
      if (error === undefined) {
        usable.push({ ...label, read });
        continue;
      }
      refused.push(setAside(event, error, 'labels', this.messaging));
      outcomeJoiningMetrics.labels.inc({ stream, outcome: 'unreadable' });
    }
    return { usable, refused };
  }

  private count(usable: readonly LabelSeen[], first: readonly LabelSeen[], tally: Tally): void {
    const duplicates = new Map<string, number>();
    for (const { stream } of usable) {
      tally.add(ofStream(stream), 'labels');
      duplicates.set(stream, (duplicates.get(stream) ?? 0) + 1);
    }
    for (const { stream } of first) {
      duplicates.set(stream, (duplicates.get(stream) ?? 0) - 1);
      outcomeJoiningMetrics.labels.inc({ stream, outcome: 'first' });
    }
    for (const [stream, count] of duplicates) {
      tally.add(ofStream(stream), 'duplicates', count);
      if (count > 0) outcomeJoiningMetrics.labels.inc({ stream, outcome: 'duplicate' }, count);
    }
  }
}

function firstOfEach(labels: readonly Usable[]): Usable[] {
  const distinct = new Map<string, Usable>();
  for (const label of labels) {
    const key = JSON.stringify([label.stream, label.recordId]);
    if (!distinct.has(key)) distinct.set(key, label);
  }
  return [...distinct.values()];
}
