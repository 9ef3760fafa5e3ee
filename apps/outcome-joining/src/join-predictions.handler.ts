import { Injectable } from '@nestjs/common';
import { MillraceError, type PredictionServed, type ServedPrediction } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { ModelSpecs, type JoinedModel } from './model-specs.js';
import { observeOutcomes } from './observe-outcomes.js';
import { OutcomeJoiningSettings } from './outcome-joining.config.js';
import { outcomeJoiningMetrics } from './outcome-joining.metrics.js';
import { PredictionStore, type LoggedPrediction } from './prediction.store.js';
import { readForModels } from './read-for-models.js';
import { RecordStore, type LabelSeen } from './record.store.js';
import { setAside } from './set-aside.js';
import { settlementOf } from './settlement.js';
import { StreamClockStore } from './stream-clock.store.js';
import { ofModel, Tally } from './tally.js';
import { TallyStore } from './tally.store.js';

interface Judged {
  readonly logged: LoggedPrediction[];
  readonly refused: OutgoingMessage[];
}

/** Takes in predictions; those whose label was there first are joined at once, the others wait. */
@Injectable()
export class JoinPredictionsHandler {
  private readonly firstMissed = new Map<string, number>();

  constructor(
    private readonly messaging: Messaging,
    private readonly specs: ModelSpecs,
    private readonly records: RecordStore,
    private readonly predictions: PredictionStore,
    private readonly clock: StreamClockStore,
    private readonly tallies: TallyStore,
    private readonly settings: OutcomeJoiningSettings,
  ) {}

  async handle(events: readonly Received<PredictionServed>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const { logged, refused } = this.judge(events);
    const partition = events[0]?.partition ?? 0;
    if (logged.length === 0) return refused;
    const labels = await this.records.lock(distinctRecords(logged), transaction);
    const tally = new Tally();
    this.count(logged, await this.predictions.insert(logged, transaction), tally);
    const messages = labels.length === 0 ? [] : await this.joinAtOnce(logged, labels, tally, transaction);
    await this.clock.advance('predictions', partition, logged.map(({ stream, served }) => ({ stream, eventTime: served.eventTime })), this.messaging.now(), transaction);
    await this.tallies.add(tally, `predictions/${partition}`, transaction);
    return [...refused, ...messages];
  }

  private judge(events: readonly Received<PredictionServed>[]): Judged {
    const judged: Judged = { logged: [], refused: [] };
    for (const event of events) {
      const spec = this.specs.get(event.data.model);
      const error = spec === undefined ? this.unknownModel(event.data.model) : unstorable(event.data);
      if (spec !== undefined && error === undefined) judged.logged.push(loggedOf(event, spec));
      if (error !== undefined) judged.refused.push(setAside(event, error, 'predictions', this.messaging));
    }
    return judged;
  }

  /** The gateway may have learnt of a model before we have: wait a little before calling it unknown. @throws MillraceError DEPENDENCY_UNAVAILABLE */
  private unknownModel(model: string): MillraceError {
    const now = this.messaging.now().getTime();
    const since = this.firstMissed.get(model) ?? now;
    this.firstMissed.set(model, since);
    if (now - since < this.settings.specPatienceSeconds * 1_000) throw new MillraceError('DEPENDENCY_UNAVAILABLE', `The spec of model ${model} has not arrived here yet.`);
    return new MillraceError('MODEL_UNKNOWN', `No spec names the model ${JSON.stringify(model)}.`);
  }

  private count(logged: readonly LoggedPrediction[], inserted: readonly { predictionId: string; counted: boolean }[], tally: Tally): void {
    const fresh = new Map(inserted.map(({ predictionId, counted }) => [predictionId, counted]));
    for (const { model, served } of logged) {
      const counted = fresh.get(served.predictionId);
      fresh.delete(served.predictionId);
      tally.add(ofModel(model), counted === undefined ? 'repeated' : served.role);
      if (counted === undefined) continue;
      outcomeJoiningMetrics.predictions.inc({ model, role: served.role });
      if (counted) tally.add(ofModel(model), 'records');
    }
  }

  private async joinAtOnce(logged: readonly LoggedPrediction[], labels: readonly LabelSeen[], tally: Tally, transaction: Transaction): Promise<OutgoingMessage[]> {
    const wanted = new Set(logged.map(({ model, recordId }) => JSON.stringify([model, recordId])));
    const readings = labels.flatMap((label) => readForModels(label, this.specs.readersOf(label.stream)).read);
    const labelled = readings.filter(({ model, recordId }) => wanted.has(JSON.stringify([model, recordId])));
    const settled = await this.predictions.settle(labelled, transaction);
    for (const { model, name } of settlementOf(settled)) {
      tally.add(ofModel(model), name);
      if (name === 'expired') tally.add(ofModel(model), 'late');
    }
    return observeOutcomes(settled, labelled, this.messaging);
  }
}

/** PostgreSQL text holds no NUL; an id with one can never be stored. */
function unstorable({ recordId, predictionId }: PredictionServed): MillraceError | undefined {
  return `${recordId}${predictionId}`.includes('\0') ? new MillraceError('EVENT_INVALID', 'an id holds a NUL character') : undefined;
}

function loggedOf({ data, topic, partition, offset }: Received<PredictionServed>, spec: JoinedModel): LoggedPrediction {
  const { predictionId, requestId, version, role, arm, unit, eventTime, routeRevision, output, fallback } = data;
  const served: ServedPrediction = { predictionId, requestId, version, role, arm, unit, eventTime, routeRevision, output, ...(fallback === undefined ? {} : { fallback }), position: { topic, partition, offset }, ...groupsOf(data, spec) };
  return { model: data.model, stream: spec.stream, recordId: data.recordId, expiresAt: new Date(Date.parse(eventTime) + spec.maximumDelayMs), served };
}

/** What the prediction saw of the features that fairness is judged by; a missing value is a group, too. */
function groupsOf({ features }: PredictionServed, { groupFields }: JoinedModel): Pick<ServedPrediction, 'groups'> {
  if (groupFields.length === 0) return {};
  return { groups: Object.fromEntries(groupFields.map((field) => [field, String((Object.hasOwn(features, field) ? features[field] : null) ?? '(none)')])) };
}

function distinctRecords(logged: readonly LoggedPrediction[]): { stream: string; recordId: string; eventTime: string }[] {
  const distinct = new Map<string, { stream: string; recordId: string; eventTime: string }>();
  for (const { stream, recordId, served } of logged) distinct.set(JSON.stringify([stream, recordId]), { stream, recordId, eventTime: served.eventTime });
  return [...distinct.values()];
}
