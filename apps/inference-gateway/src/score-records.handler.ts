import { Injectable } from '@nestjs/common';
import { MillraceError, predictionServed, recordAdmitted, type PredictionServed, type RecordAdmitted } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import { judgeBatch, Messaging, refuse, type Delivery, type OutgoingMessage, type Reader, type Received } from '@millrace/messaging';
import { Fallbacks, isFailure } from './data-plane/fallbacks.js';
import { ModelDirectory } from './data-plane/model-directory.js';
import type { LiveRoute } from './data-plane/route-book.js';
import { ServedAnswers, splitByRoute, type Group, type GroupAnswer } from './data-plane/served-answers.js';
import type { ServingVersion } from './data-plane/serving-version.js';
import type { Instance } from './data-plane/instance-judge.js';
import { gatewayMetrics } from './inference-gateway.metrics.js';
import { FailedTries, type Asked, type Place } from './failed-tries.js';

type Record = Received<RecordAdmitted>;
type Part = Group & { readonly asked: Asked };
type TimedAnswer = GroupAnswer & { readonly latencyMs: number };

export interface Scoring {
  readonly model: string;
  readonly stream: string;
  readonly group: string;
}

/** One request of the model: small, so that callers over HTTP do not wait long behind it, and no queue is too short for it. */
const rowsMax = 256;
/** A try that fails tells so many of its records at most: what fails together is one sign. */
const failuresToldMax = 64;

/**
 * Admitted records → predictions of one model. Records, predictions and progress are one Kafka transaction; the split is that
 * of HTTP, by record id; a prediction’s id follows from the record’s place in the log. While the model cannot answer, its
 * partition waits; a record that it fails on again and again, alone, is set aside with its story.
 */
@Injectable()
export class ScoreRecordsHandler {
  private readonly tries = new FailedTries();

  constructor(
    private readonly messaging: Messaging,
    private readonly models: ModelDirectory,
    private readonly answers: ServedAnswers,
    private readonly fallbacks: Fallbacks,
  ) {}

  /** @throws MillraceError when the model is not in service or fails: the batch is tried again. */
  async score({ model, stream, group }: Scoring, deliveries: readonly Delivery[]): Promise<OutgoingMessage[]> {
    const reader = { service: 'inference-gateway', group, now: () => this.messaging.now() };
    const { events, refused } = judgeBatch(recordAdmitted, deliveries, reader);
    const records = events.filter(({ data }) => data.stream === stream);
    if (records.length === 0) return refused;
    const live = this.models.liveRoute(model);
    const fitting = records.filter((record) => this.fits(live, record));
    const instances = fitting.map(({ data }): Instance => ({ id: data.recordId, eventTime: data.eventTime, features: featuresOf(live, data) }));
    const messages = [...refused];
    for (const part of this.parts(live, splitByRoute(live, instances), fitting)) {
      const answer = await this.ask(live, part, instances);
      if (answer === null) messages.push(this.setAside(deliveries, part.asked.first, reader));
      else messages.push(...this.predictions(live, part, fitting, answer));
    }
    return messages;
  }

  private *parts(live: LiveRoute, groups: readonly Group[], records: readonly Record[]): Generator<Part> {
    for (const group of groups) {
      for (let start = 0; start < group.indexes.length; ) {
        const first = records[group.indexes[start] ?? -1];
        if (first === undefined) throw new RangeError('the split names a record that is not there');
        const indexes = group.indexes.slice(start, start + Math.min(rowsMax, this.tries.rowsMax(live, first)));
        yield { ...group, indexes, asked: { first, last: records[indexes.at(-1) ?? -1] ?? first, rows: indexes.length } };
        start += indexes.length;
      }
    }
  }

  /** Null: this one record, alone, has failed so often that it is given up. */
  private async ask(live: LiveRoute, part: Part, instances: readonly Instance[]): Promise<TimedAnswer | null> {
    const startedMs = performance.now();
    if (this.tries.isGivenUp(live, part.asked)) return null;
    const rows = part.indexes.map((index) => instances[index]?.features ?? {});
    try {
      return { outputs: await part.version.predict(rows), latencyMs: performance.now() - startedMs };
    } catch (error) {
      const attempt = this.tries.failed(live, part.asked, isFailure(error) && part.version.model.state !== 'failed');
      await this.answers.failed(live, { ...part, indexes: part.indexes.slice(0, failuresToldMax) }, instances, error, { startedMs, traceparent: undefined }, attempt);
      const instead = await this.fallbacks.answer(live, part.version, rows, {}, error);
      if (instead !== null) return { outputs: instead.outputs, fallback: instead.by, latencyMs: performance.now() - startedMs };
      if (this.tries.isGivenUp(live, part.asked)) return null;
      throw error;
    }
  }

  private predictions(live: LiveRoute, part: Part, records: readonly Record[], { outputs, fallback, latencyMs }: TimedAnswer): OutgoingMessage[] {
    const { model } = live.route;
    const servedAt = this.messaging.now().toISOString();
    gatewayMetrics.predictions.inc({ model, version: part.version.version, role: 'primary', outcome: 'answered' }, part.indexes.length);
    return part.indexes.map((index, row) => {
      const [record, output] = [records[index], outputs[row]];
      if (record === undefined || output === undefined) throw new MillraceError('MODEL_RUN_FAILED', `version ${part.version.version} gave no answer for row ${row}`);
      const prediction = { ...predictionOf(live, part, record, output, servedAt, latencyMs), ...(fallback === undefined ? {} : { fallback }) };
      if (fallback === undefined) this.answers.offer(part.version, prediction, featuresOf(live, record.data));
      return this.messaging.encode(predictionServed, prediction, { key: prediction.recordId, id: prediction.predictionId });
    });
  }

  private setAside(deliveries: readonly Delivery[], { topic, partition, offset }: Place, reader: Reader): OutgoingMessage {
    const delivery = deliveries.find((each) => each.offset === offset);
    if (delivery === undefined) throw new RangeError(`${topic}/${partition}@${offset} is not in this batch`);
    return refuse(delivery, new MillraceError('MODEL_RUN_FAILED', `the model failed on this record, alone, ${this.tries.max} times; inference.prediction-failed.v1 tells how`), reader);
  }

  /** The contract has judged the record; what the model cannot take all the same is counted, not retried for ever. */
  private fits(live: LiveRoute, { data }: Record): boolean {
    const fits = triedAndChampion(live).every((version) => version.judge(featuresOf(live, data), () => true).length === 0);
    if (!fits) gatewayMetrics.predictions.inc({ model: live.route.model, version: live.champion.version, role: 'primary', outcome: 'refused' });
    return fits;
  }
}

const triedAndChampion = ({ champion, candidates }: LiveRoute): ServingVersion[] => [champion, ...candidates.map(({ version }) => version)];

/** A field that the record lacks is unknown, as it is in training. */
function featuresOf(live: LiveRoute, { value }: RecordAdmitted): Features {
  const features: { [name: string]: unknown } = {};
  for (const { layout } of triedAndChampion(live)) for (const { name } of layout?.features ?? []) features[name] = Object.hasOwn(value, name) ? value[name] : null;
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
