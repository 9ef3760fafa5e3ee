import { randomUUID } from 'node:crypto';
import { predictionFailed, predictionServed, type PredictionFailed, type PredictionServed } from '@millrace/contracts';
import { binaryText, recordForm, recordText } from '@millrace/messaging';
import type { ServedText } from '../data-plane/answer-log.js';

const source = '/millrace/inference-gateway';
const servedForm = recordForm(predictionServed, source);
const failedForm = recordForm(predictionFailed, source);
/** Of this run of the process; a restart counts anew under another. */
const run = randomUUID();
/** Every record that is made counts, whether it is kept or not: numbers that are missing in Kafka were dropped or lost. */
let made = 0;
const nextSequence = (): string => `${run}/${(made += 1)}`;

/** One prediction as it waits in the spool: as Kafka will hold it, one character per byte, so that nothing is parsed on its way there. */
export function servedTextRecord({ recordId, predictionId, servedAt, json }: ServedText, traceparent: string | undefined): string {
  return recordText(servedForm, { key: recordId, id: predictionId, time: servedAt, traceparent, sequence: nextSequence(), json: binaryText(json) });
}

export function servedRecord(data: PredictionServed, traceparent: string | undefined): string {
  const { recordId, predictionId, servedAt } = data;
  return servedTextRecord({ recordId, predictionId, servedAt, json: JSON.stringify(data) }, traceparent);
}

/** The same for a request without an answer. */
export function failedRecord(data: PredictionFailed, traceparent: string | undefined): string {
  return recordText(failedForm, { key: data.recordId, id: `${data.requestId}.failed`, time: data.servedAt, traceparent, sequence: nextSequence(), json: binaryText(JSON.stringify(data)) });
}
