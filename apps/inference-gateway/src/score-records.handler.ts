import { Injectable } from '@nestjs/common';
import { MillraceError, predictionServed, recordAdmitted, type PredictionServed, type RecordAdmitted } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import { judgeBatch, Messaging, type Delivery, type OutgoingMessage, type Received } from '@millrace/messaging';
import { ModelDirectory } from './data-plane/model-directory.js';
import type { LiveRoute } from './data-plane/route-book.js';
import { splitByRoute, type Group } from './data-plane/served-answers.js';
import type { Instance } from './data-plane/instance-judge.js';
import { gatewayMetrics } from './inference-gateway.metrics.js';

type Record = Received<RecordAdmitted>;

const purpose = 'score';

/**
 * Admitted records → predictions, for models whose spec says `serving.stream`. Records, predictions and progress are one
 * Kafka transaction; the split is that of HTTP, by record id; a prediction’s id follows from the record’s place in the log.
 * While a model cannot answer, its partition waits: nothing is skipped.
 */
@Injectable()
export class ScoreRecordsHandler {
  private started: Promise<unknown> | undefined;
  /** Models that score a stream, by stream. */
  private streams: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(
    private readonly messaging: Messaging,
    private readonly models: ModelDirectory,
  ) {}

  /** Starts with the first model that asks for it; a model that no longer does is passed over. */
  consider(streams: ReadonlyMap<string, readonly string[]>): void {
    this.streams = streams;
    if (streams.size > 0) this.started ??= this.messaging.pipe(purpose, { topics: [recordAdmitted.type], transform: (deliveries) => this.score(deliveries) });
  }

  async score(deliveries: readonly Delivery[]): Promise<OutgoingMessage[]> {
    const reader = { service: 'inference-gateway', group: this.messaging.group(purpose), now: () => this.messaging.now() };
    const { events, refused } = judgeBatch(recordAdmitted, deliveries, reader);
    const byModel = new Map<string, Record[]>();
    for (const event of events) for (const model of this.streams.get(event.data.stream) ?? []) byModel.set(model, [...(byModel.get(model) ?? []), event]);
    const scored = await Promise.all([...byModel].map(([model, records]) => this.scoreFor(model, records)));
    return [...refused, ...scored.flat()];
  }

  /** @throws MillraceError when the model is not in service or fails: the batch is tried again. */
  private async scoreFor(model: string, records: readonly Record[]): Promise<OutgoingMessage[]> {
    const startedMs = performance.now();
    const live = this.models.liveRoute(model);
    const fitting = records.filter((record) => this.fits(model, live, record));
    const instances = fitting.map(({ data }): Instance => ({ id: data.recordId, eventTime: data.eventTime, features: featuresOf(live, data) }));
    const groups = splitByRoute(live, instances);
    const messages: OutgoingMessage[] = [];
    for (const group of groups) {
      const outputs = await group.version.predict(group.indexes.map((index) => instances[index]?.features ?? {}));
      group.indexes.forEach((index, row) => {
        const [record, output] = [fitting[index], outputs[row]];
        if (record === undefined || output === undefined) throw new MillraceError('MODEL_RUN_FAILED', `version ${group.version.version} gave no answer for row ${row}`);
        messages.push(this.encode(predictionOf(live, group, record, output, this.messaging.now().toISOString(), performance.now() - startedMs)));
      });
      gatewayMetrics.predictions.inc({ model, version: group.version.version, role: 'primary', outcome: 'answered' }, group.indexes.length);
    }
    return messages;
  }

  /** The contract has judged the record; what the model cannot take all the same is counted, not retried for ever. */
  private fits(model: string, live: LiveRoute, { data }: Record): boolean {
    const fits = [live.champion, live.candidate].every((version) => version === null || version.judge(featuresOf(live, data), () => true).length === 0);
    if (!fits) gatewayMetrics.predictions.inc({ model, version: live.champion.version, role: 'primary', outcome: 'refused' });
    return fits;
  }

  private encode(prediction: PredictionServed): OutgoingMessage {
    return this.messaging.encode(predictionServed, prediction, { key: prediction.recordId, id: prediction.predictionId });
  }
}

/** A field that the record lacks is unknown, as it is in training. */
function featuresOf({ champion, candidate }: LiveRoute, { value }: RecordAdmitted): Features {
  const features: { [name: string]: unknown } = {};
  for (const version of [champion, candidate]) for (const { name } of version?.layout?.features ?? []) features[name] = Object.hasOwn(value, name) ? value[name] : null;
  return features;
}

function predictionOf(live: LiveRoute, { arm, version, probability }: Group, { data, topic, partition, offset }: Record, output: PredictionServed['output'], servedAt: string, latencyMs: number): PredictionServed {
  const predictionId = `${live.route.model}:${topic}/${partition}@${offset}`;
  return {
    model: live.route.model, recordId: data.recordId, predictionId, requestId: predictionId, version: version.version, role: 'primary', arm,
    unit: data.recordId, eventTime: data.eventTime, routeRevision: live.route.revision, output, armProbability: probability, servedAt,
    features: version.logged(featuresOf(live, data)), latencyMs,
  };
}
