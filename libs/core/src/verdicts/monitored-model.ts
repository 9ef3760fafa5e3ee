import type { ModelSpec, SpecChanged } from '@millrace/contracts';
import { budgetOf, durationMs, paneLength, windowLevel, type AlarmBudget, type DriftPolicy, type PerformanceRule } from '../drift/index.js';
import type { OutcomePolicy } from '../performance/index.js';

/** What monitoring needs to know of a model. */
export interface MonitoredModel {
  readonly model: string;
  readonly spec: Pick<SpecChanged, 'revision' | 'sha256'>;
  readonly task: ModelSpec['spec']['task'];
  readonly windowMs: number;
  /** Length of the panes of input windows. */
  readonly paneMs: number;
  readonly latenessMs: number;
  /** So long after its window was judged, on the stream clock, a late row still amends the verdict. */
  readonly amendMs: number;
  /** Wall clock; null: silence is not judged. */
  readonly silenceMs: number | null;
  readonly features: ModelSpec['spec']['features'];
  /** null: the spec sets a level per window instead. */
  readonly budget: AlarmBudget | null;
  readonly policy: DriftPolicy;
  readonly rules: readonly PerformanceRule[];
  readonly conceptDrift: { readonly enabled: boolean; readonly paneMs: number; readonly unit: 'row' | 'pane'; readonly meanTimeBetweenFalseAlarms: number };
  readonly estimation: { readonly worseByMax: number | null; readonly gapMax: number };
  readonly fairness: OutcomePolicy['fairness'];
  /** The change of a feature’s part in the explanations that matters. */
  readonly attributionMin: number;
  /** A label that is later than this comes never. */
  readonly maximumDelayMs: number;
}

export function monitoredModel({ model, revision, sha256, spec: { spec } }: Pick<SpecChanged, 'model' | 'revision' | 'sha256' | 'spec'>): MonitoredModel {
  const { window, lateness, pane: inputPane, amendUntil, falseAlarms, alpha, silenceMax, rowsMin, drift: { attributionMin, ...drift }, performance, conceptDrift, estimation, fairness } = spec.monitoring;
  const [windowMs, latenessMs] = [durationMs(window), durationMs(lateness)];
  const explained = spec.serving.explanations.share > 0;
  const budget = alpha === undefined ? budgetOf(falseAlarms) : null;
  const { enabled, pane, unit, meanTimeBetweenFalseAlarms } = conceptDrift;
  return {
    model, spec: { revision, sha256 }, task: spec.task, features: spec.features, windowMs, latenessMs, rules: performance,
    paneMs: paneLength(windowMs, latenessMs, inputPane === undefined ? null : durationMs(inputPane)),
    amendMs: amendUntil === undefined ? windowMs : durationMs(amendUntil),
    silenceMs: silenceMax === undefined ? null : durationMs(silenceMax),
    budget, policy: { alpha: alpha ?? (budget === null ? 0 : windowLevel(budget, window, explained ? 3 : 2)), rowsMin, ...drift },
    conceptDrift: { enabled, paneMs: durationMs(pane), unit, meanTimeBetweenFalseAlarms },
    estimation: { worseByMax: estimation.worseByMax ?? null, gapMax: estimation.gapMax },
    attributionMin, fairness, maximumDelayMs: durationMs(spec.label.maximumDelay),
  };
}
