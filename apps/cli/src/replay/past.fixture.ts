import { outcomeObserved, parseModelSpec, predictionServed, type DataOf, type EventDefinition, type OutcomeObserved, type PredictionServed, type ServedPrediction } from '@millrace/contracts';
import type { Received } from '@millrace/messaging';
import type { EventLog } from '../verification/open-log.js';

export const specOf = (model: string, rollout: object = {}) => ({
  model, revision: 3, sha256: '0'.repeat(64), changedAt: '2013-01-01T00:00:00Z', aliases: { champion: 'v1', challenger: 'v2' },
  spec: parseModelSpec({
    apiVersion: 'millrace/v1', kind: 'Model', metadata: { name: model },
    spec: {
      task: 'binary', stream: 'flights', features: [{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }],
      label: { field: 'late', positive: true }, trainer: { name: 'tabular', algorithm: 'lightgbm' }, rollout: { lossMargin: 0.02, ...rollout },
    },
  }),
});

/** A flight, what the champion said of it, and whether the candidate answered in its place. */
export interface Flight {
  readonly id: string;
  readonly at: string;
  readonly distance: number | null;
  readonly carrier: string;
  readonly late: boolean;
  readonly said: number;
  readonly answered?: { readonly version: string; readonly arm: 'champion' | 'candidate'; readonly propensity: number; readonly probability: number };
}

export function predictionOf(model: string, flight: Flight): PredictionServed {
  const { version, arm, propensity, probability } = flight.answered ?? { version: 'v1', arm: 'champion', propensity: 1, probability: flight.said };
  return {
    model, recordId: flight.id, predictionId: `p-${flight.id}`, requestId: `q-${flight.id}`, version, role: 'primary', arm, unit: flight.id, eventTime: flight.at, routeRevision: 1,
    output: { label: probability >= 0.5, probability }, armProbability: propensity, servedAt: flight.at, features: { distance: flight.distance, carrier: flight.carrier }, latencyMs: 1,
  };
}

export function outcomeOf(prediction: PredictionServed, late: boolean, partition: number, offset: number): OutcomeObserved {
  const { model, recordId, predictionId, requestId, version, role, arm, unit, eventTime, routeRevision, output } = prediction;
  const served: ServedPrediction = { predictionId, requestId, version, role, arm, unit, eventTime, routeRevision, output, position: { topic: predictionServed.type, partition, offset } };
  return { model, recordId, label: late, labelEventTime: new Date(Date.parse(eventTime) + 3_600_000).toISOString(), labelPosition: { topic: 'validation.label-admitted.v1', partition: 0, offset }, predictions: [served] };
}

/** A log of one partition per topic in memory; `from` is the first offset that retention has left. */
export class LogInMemory implements EventLog {
  readonly predictions: PredictionServed[] = [];
  readonly outcomes: OutcomeObserved[] = [];
  from = 0;

  tell(prediction: PredictionServed, late: boolean): void {
    this.outcomes.push(outcomeOf(prediction, late, 0, this.predictions.push(prediction) - 1));
  }

  private all(event: EventDefinition): readonly unknown[] {
    return event.type === outcomeObserved.type ? this.outcomes : event.type === predictionServed.type ? this.predictions : [];
  }

  read<D extends EventDefinition>(event: D, ranges: Parameters<EventLog['read']>[1], take: (event: Received<DataOf<D>>) => void): Promise<void> {
    for (const { fromOffset, toOffset } of ranges) {
      this.all(event).forEach((data, offset) => {
        if (offset >= fromOffset && offset < toOffset) take({ data: data as DataOf<D>, id: String(offset), time: '', key: '', traceparent: undefined, topic: event.type, partition: 0, offset });
      });
    }
    return Promise.resolve();
  }

  earliest(): Promise<Map<number, number>> {
    return Promise.resolve(new Map([[0, this.from]]));
  }

  held(event: EventDefinition) {
    return Promise.resolve([{ topic: event.type, partition: 0, fromOffset: this.from, toOffset: this.all(event).length }]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
