import type { PanelPlan } from './board.js';
import { maxOf, sumOf } from './queries.js';

const when = 'no labelled window closed yet';

/** What is known of a model’s answers before and after their labels. */
export const performancePanels: readonly PanelPlan[] = [
  {
    title: 'Evidence of concept drift', unit: 'percentunit', width: 12, redFrom: 1,
    description: 'Evidence that the errors of a version have risen, as a part of what an alarm needs; it grows and shrinks with every minute of labels. At 100 % a verdict fails, says from when on, and the watch begins anew: runbook concept-drift-found.',
    queries: [maxOf('millrace_concept_drift_evidence_ratio{model="$model"}', 'version')],
    whenEmpty: 'no label yet, or the spec watches no errors',
  },
  {
    title: 'Estimated without labels: accuracy', unit: 'percentunit', width: 12,
    description: 'What the accuracy of the last window will turn out to be, as its scores tell, with its 95 % interval; beside it, once labels are in, what it was. Far apart: the scores no longer mean what they meant, see the gap.',
    queries: [
      { expr: 'max by (version, bound) (millrace_performance_estimated{model="$model",metric="accuracy"})', legend: '{{version}} estimated {{bound}}' },
      { expr: 'max by (version) (millrace_performance{model="$model",metric="accuracy",bound="value"})', legend: '{{version}} realised' },
    ],
    whenEmpty: 'no window closed yet, or no binary model',
  },
  {
    title: 'Wrong beyond what the scores promised', unit: 'percentunit', width: 8,
    description: 'Share of wrong answers minus the share that the calibrated scores promised, last labelled window. Above the limit for certain: a verdict fails; inputs may look as ever and yet mean something else.',
    queries: [maxOf('millrace_estimation_gap{model="$model"}', 'version', 'bound')],
    whenEmpty: when,
  },
  {
    title: 'Differences between groups', unit: 'percentunit', width: 8,
    description: 'The largest difference of each rate between two groups that the spec names, with its interval and the limit. The interval wholly above the limit: a verdict fails, runbook fairness-limit-exceeded.',
    queries: [maxOf('millrace_fairness_difference{model="$model"}', 'version', 'rate', 'bound')],
    whenEmpty: 'the spec names no groups, or no labelled window closed yet',
  },
  {
    title: 'Predictions that wait for a label', unit: 'short', width: 8,
    description: 'Predictions of judged windows whose label may still come. Many beside few outcomes: labels are late or lost; verdicts say whether those that came are representative.',
    queries: [sumOf('millrace_labels_waiting{model="$model"}', 'version')],
    whenEmpty: when,
  },
];
