import { randomUUID } from 'node:crypto';
import { predictionExplained, predictionFailed, predictionServed, type PredictionExplained, type PredictionFailed, type PredictionServed } from '@millrace/contracts';
import { recordForm, type RecordBytes } from '@millrace/messaging';
import type { ServedJson } from '../data-plane/answer-log.js';

const source = '/millrace/inference-gateway';
const servedForm = recordForm(predictionServed, source);
const failedForm = recordForm(predictionFailed, source);
const explainedForm = recordForm(predictionExplained, source);
/** Of this run of the process; a restart counts anew under another. */
const run = randomUUID();
/** Every record that is made counts, whether it is kept or not: numbers that are missing in Kafka were dropped or lost. */
let made = 0;
const nextSequence = (): string => `${run}/${(made += 1)}`;

const utf8 = (data: object): Uint8Array => Buffer.from(JSON.stringify(data));

/** Adds one prediction as it waits in the spool: as Kafka will hold it, so that nothing is parsed on its way there. */
export function addServedJson(to: RecordBytes, { recordId, predictionId, servedAt, json }: ServedJson, traceparent: string | undefined): void {
  to.add(servedForm, { key: recordId, id: predictionId, time: servedAt, traceparent, sequence: nextSequence(), json });
}

export function addServed(to: RecordBytes, data: PredictionServed, traceparent: string | undefined): void {
  const { recordId, predictionId, servedAt } = data;
  addServedJson(to, { recordId, predictionId, servedAt, json: utf8(data) }, traceparent);
}

/** The same for a request without an answer. */
export function addFailed(to: RecordBytes, data: PredictionFailed, traceparent: string | undefined): void {
  to.add(failedForm, { key: data.recordId, id: `${data.requestId}.failed`, time: data.servedAt, traceparent, sequence: nextSequence(), json: utf8(data) });
}

/** The same for an answer that was explained. */
export function addExplained(to: RecordBytes, data: PredictionExplained, traceparent: string | undefined): void {
  to.add(explainedForm, { key: data.recordId, id: `${data.predictionId}.explained`, time: data.explainedAt, traceparent, sequence: nextSequence(), json: utf8(data) });
}
