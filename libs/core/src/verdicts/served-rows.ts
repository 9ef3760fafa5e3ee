import type { OutcomeObserved, PredictionExplained, PredictionServed, ServedPrediction } from '@millrace/contracts';
import { emptyAttributions, emptyInputs, watchedOf, windowStart, type AttributionState, type InputReference, type InputState, type ServedRow } from '../drift/index.js';
import { emptyOutcomes, observeOutcomeState, type OutcomeState } from '../performance/index.js';
import type { MonitoredModel } from './monitored-model.js';
import type { PaneKey } from './pane.js';

/**
 * The pane of a prediction. A row behind its partition’s clock and the lateness goes to its window at once: panes of that
 * time are merged, and told nothing apart any more.
 * @param clockMs largest event time of the model in the partition before this row.
 */
export function inputPaneOf({ model, version, role, eventTime }: Pick<PredictionServed, 'model' | 'version' | 'role' | 'eventTime'>, { windowMs, paneMs, latenessMs }: MonitoredModel, clockMs: number): PaneKey {
  const eventTimeMs = Date.parse(eventTime);
  const windowStartMs = windowStart(eventTimeMs, windowMs);
  const whole = { model, version, role, windowStartMs, windowEndMs: windowStartMs + windowMs };
  const paneStartMs = windowStart(eventTimeMs - windowStartMs, paneMs) + windowStartMs;
  if (paneMs >= windowMs || paneStartMs + paneMs <= clockMs - latenessMs) return whole;
  return { ...whole, paneStartMs, paneEndMs: paneStartMs + paneMs };
}

/** The pane of an explanation, by the event time of its prediction: only answers that somebody was given are explained. */
export const attributionPaneOf = (explained: PredictionExplained, model: MonitoredModel, clockMs: number): PaneKey => inputPaneOf({ ...explained, role: 'primary' }, model, clockMs);

export const emptyAttributionPane = ({ paneStartMs }: PaneKey): AttributionState => emptyAttributions(paneStartMs !== undefined);

/** A pane of predictions before its first row. */
export function emptyInputPane({ paneStartMs }: PaneKey, reference: InputReference | null, monitored: MonitoredModel): InputState {
  return emptyInputs(watchedOf(reference, monitored), paneStartMs !== undefined);
}

/** A fallback’s answer is another version’s, and no row. */
export const isRow = ({ fallback }: Pick<PredictionServed, 'fallback'>): boolean => fallback === undefined;

/** What a prediction tells: features, and the score where there is one, the value of a regression, otherwise the class. */
export function servedRow({ predictionId, recordId, eventTime, features, output }: PredictionServed, { partition, offset }: { readonly partition: number; readonly offset: number }, kind: 'number' | 'category'): ServedRow {
  const { label, probability, value } = output;
  const said = kind === 'number' ? (probability ?? value ?? null) : label === undefined ? null : String(label);
  return { predictionId, recordId, partition, offset, eventTimeMs: Date.parse(eventTime), features, output: said };
}

/** A record that was asked for twice is one record: its first answer of each version and role counts. A fallback’s answers are not the version’s. */
export function firstOfEachVersion(predictions: readonly ServedPrediction[]): ServedPrediction[] {
  const seen = new Set<string>();
  return predictions.filter(({ version, role, fallback }) => {
    if (fallback !== undefined) return false;
    const key = `${role} ${version}`;
    const fresh = !seen.has(key);
    seen.add(key);
    return fresh;
  });
}

/** The window of an outcome: by the event time at which the truth became known. */
export function outcomePaneOf({ model, labelEventTime }: OutcomeObserved, { version, role }: ServedPrediction, { windowMs }: MonitoredModel): PaneKey {
  const windowStartMs = windowStart(Date.parse(labelEventTime), windowMs);
  return { model, version, role, windowStartMs, windowEndMs: windowStartMs + windowMs };
}

export const emptyOutcomePane = ({ task }: MonitoredModel): OutcomeState => emptyOutcomes(task);

/** Counts one answer of an outcome, in place. */
export function observeAnswer(state: OutcomeState, { label, labelEventTime }: OutcomeObserved, { output, eventTime, groups = {} }: ServedPrediction, { windowMs }: MonitoredModel): void {
  const [labelledAtMs, predictedAtMs] = [Date.parse(labelEventTime), Date.parse(eventTime)];
  observeOutcomeState(state, { said: output, label, predictedAtMs, labelledAtMs, groups, cohortMs: windowStart(predictedAtMs, windowMs) });
}
