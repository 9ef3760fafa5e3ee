import { outcomeObserved, type OutcomeObserved } from '@millrace/contracts';
import type { Messaging, OutgoingMessage } from '@millrace/messaging';
import type { SettledPrediction } from './prediction.store.js';
import type { LabelSeen } from './record.store.js';

/** One record of one model whose label is known and readable. */
export interface LabelledRecord {
  readonly model: string;
  readonly recordId: string;
  readonly label: OutcomeObserved['label'];
  readonly labelEventTime: string;
  readonly labelPosition: LabelSeen['position'];
  readonly measures?: NonNullable<OutcomeObserved['measures']>;
}

/**
 * One outcome per model and record, carrying every prediction that was joined now. Each prediction stands in exactly one
 * outcome, so the id of the earliest one names the outcome for ever.
 */
export function observeOutcomes(settled: readonly SettledPrediction[], labelled: readonly LabelledRecord[], messaging: Pick<Messaging, 'encode'>): OutgoingMessage[] {
  const joined = new Map<string, SettledPrediction[]>();
  for (const prediction of settled) {
    if (prediction.state !== 'joined') continue;
    const key = JSON.stringify([prediction.model, prediction.recordId]);
    const group = joined.get(key);
    if (group === undefined) joined.set(key, [prediction]);
    else group.push(prediction);
  }
  return labelled.flatMap(({ model, recordId, label, labelEventTime, labelPosition, measures }) => {
    const predictions = (joined.get(JSON.stringify([model, recordId])) ?? []).map(({ served }) => served);
    predictions.sort((a, b) => a.position.partition - b.position.partition || a.position.offset - b.position.offset);
    const first = predictions[0];
    if (first === undefined) return [];
    return [messaging.encode(outcomeObserved, { model, recordId, label, labelEventTime, labelPosition, ...(measures === undefined ? {} : { measures }), predictions }, { key: recordId, id: `${model}:${recordId}:${first.predictionId}` })];
  });
}
