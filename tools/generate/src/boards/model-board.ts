import type { BoardPlan, PanelPlan } from './board.js';
import { performancePanels } from './performance-panels.js';
import { eachOf, maxOf, p50AndP99, perSecond, sumOf } from './queries.js';

const noRollout = 'no roll-out under way';
const noWindow = 'no window closed yet';

const serving: readonly PanelPlan[] = [
  {
    title: 'Roll-out phase', unit: 'short', width: 6, shape: 'name',
    description: 'Where the latest roll-out of this model stands. rolled-back: read millrace rollouts <model> for the evidence before the next attempt.',
    queries: [{ expr: 'max by (phase) (millrace_rollout_phase{model="$model"}) == 1', legend: '{{phase}}' }],
    whenEmpty: 'no roll-out yet',
  },
  {
    title: 'Versions live', unit: 'percentunit', width: 12, shape: 'stat',
    description: 'The part of the units that each version answers (primary), or answers unseen (shadow). No primary version: runbook no-champion.',
    queries: [maxOf('millrace_route_share{model="$model"}', 'version', 'role')],
  },
  {
    title: 'Route revision', unit: 'short', width: 6, shape: 'stat',
    description: 'Every gateway should show the same revision; one that stays behind cannot read rollout.route-changed.v1 and needs a restart.',
    queries: [eachOf('millrace_route_revision{model="$model"}', 'instance')],
  },
  {
    title: 'Shares over time', unit: 'percentunit',
    description: 'How traffic moved between versions.',
    queries: [maxOf('millrace_route_share{model="$model"}', 'version', 'role')],
  },
  {
    title: 'Answers', unit: 'cps',
    description: 'Answers per second by version and role.',
    queries: [perSecond('millrace_predictions_total{model="$model",outcome="answered"}', 'version', 'role')],
  },
  {
    title: 'Fallback answers', unit: 'cps', redFrom: 0.000_001,
    description: 'Answers per second that another gave because the routed version failed, by who; none: nobody could. Any: runbook fallback-answers.',
    queries: [{ expr: 'sum by (version, to) (rate(millrace_fallback_answers_total{model="$model"}[$__rate_interval]))', legend: '{{version}} → {{to}}' }],
    whenEmpty: 'no version has failed',
  },
  {
    title: 'Latency', unit: 's', redFrom: 0.25,
    description: 'From request to answer inside the gateway. Red only for this model: its file is slow; for all: the gateway is short of CPU.',
    queries: p50AndP99('millrace_prediction_duration_seconds', '{model="$model"}'),
  },
];

const evidence: readonly PanelPlan[] = [
  {
    title: 'Roll-out evidence', unit: 'none', width: 12,
    description: 'Mean loss of the candidate minus that of the champion, with its always-valid interval. Interval below 0: better. Above 0: worse, it is rolled back. Below the margin: not worse.',
    queries: [maxOf('millrace_rollout_evidence{model="$model"}', 'bound')],
    whenEmpty: noRollout,
  },
  {
    title: 'Candidates at once: minus the champion', unit: 'none', width: 24,
    description: 'Mean loss of each candidate that is tried at the same time, minus that of the champion, with its interval (A/B/n: candidatesMax in the spec). The lowest one leads; of those that have passed their last step it is promoted. The other panels show the oldest of them.',
    queries: [maxOf('millrace_rollout_candidate_difference{model="$model"}', 'version', 'bound')],
    whenEmpty: 'one candidate at a time',
  },
  {
    title: 'Roll-out steps', unit: 'short', width: 12,
    description: 'Decided steps by verdict since rollout-controller started. Many not-enough-evidence: too little traffic or too few labels for the margin.',
    queries: [sumOf('millrace_rollout_steps_total{model="$model"}', 'verdict')],
    whenEmpty: 'no step decided',
  },
  {
    title: 'Roll-out: outcomes of the step', unit: 'short', width: 8,
    description: 'Outcomes of the candidate in the step under way (seen), and how many it must have before the step may pass (needed). millrace rollouts <model> says what else it waits for.',
    queries: [maxOf('millrace_rollout_outcomes{model="$model"}', 'bound')],
    whenEmpty: noRollout,
  },
  {
    title: 'Roll-out: exposure', unit: 's', width: 8,
    description: 'Share of the units × stream time that the candidate of the roll-out under way has answered, as time of the whole traffic. The plan may bound it (exposureMax).',
    queries: [{ expr: 'max(millrace_rollout_exposure_seconds{model="$model"})', legend: 'used' }],
    whenEmpty: noRollout,
  },
  {
    title: 'Roll-out: waits for a person, revised verdicts', unit: 'short', width: 8,
    description: 'waits: 1 while the plan holds the roll-out until somebody orders advance, promote, resume or rollback. The others: verdicts of decided steps that late labels have changed; worse: labels come late for what goes wrong, wait longer before judging.',
    queries: [
      { expr: 'max(millrace_rollout_held{model="$model"})', legend: 'waits' },
      { expr: 'sum by (verdict) (millrace_rollout_revisions_total{model="$model"})', legend: 'revised to {{verdict}}' },
    ],
    whenEmpty: noRollout,
  },
  {
    title: 'Guards: evidence against the candidate', unit: 'percentunit', width: 12, redFrom: 1,
    description: 'How much of the evidence that takes a candidate back each guard has gathered. Red: it was taken back; the last step of the roll-out says by which figures. Below 0: the candidate keeps within the limit.',
    queries: [maxOf('millrace_rollout_guard_evidence{model="$model"}', 'guard')],
    whenEmpty: noRollout,
  },
  {
    title: 'Guards: candidate minus champion', unit: 'percentunit', width: 12,
    description: 'Share of failed requests, share of answers beyond the latency limit, and mean prediction: the difference of the arms beside what is tolerated (limit).',
    queries: [maxOf('millrace_rollout_guard_difference{model="$model"}', 'guard', 'bound')],
    whenEmpty: noRollout,
  },
];

const quality: readonly PanelPlan[] = [
  {
    title: 'Performance: $metric', unit: 'none', width: 12,
    description: 'The metric in the last closed window of each version, with its 95 % interval (low, high). When the interval leaves what the spec allows, a verdict fails: runbook performance-verdict-failed.',
    queries: [eachOf('millrace_performance{model="$model",metric="$metric"}', 'version', 'bound')],
    whenEmpty: 'no labelled window closed yet',
  },
  {
    title: 'Drift for certain, in multiples of what matters', unit: 'none', width: 12, redFrom: 1,
    description: 'The ten features and segments that moved most: the lower confidence bound of the effect over the minimum effect, in the last closed window. Red: that feature has drifted; the verdict says in a sentence how, and in which segment. Look at its producer, then at the next retraining evaluation.',
    queries: [{ expr: 'topk(10, millrace_drift_lower_bound{model="$model"} / (millrace_drift_threshold{model="$model"} > 0))', legend: '{{version}} {{feature}} {{detector}}' }],
    whenEmpty: noWindow,
  },
  {
    title: 'Drift of $feature', unit: 'none', width: 12,
    description: 'Effect of one feature, what it is at least for certain, and the minimum that matters. The bound above the minimum: a verdict failed. The effect above it and the bound below: not enough evidence.',
    queries: [
      { expr: 'millrace_drift_statistic{model="$model",feature="$feature"}', legend: '{{version}} {{detector}} effect' },
      { expr: 'millrace_drift_lower_bound{model="$model",feature="$feature"}', legend: '{{version}} {{detector}} at least' },
      { expr: 'millrace_drift_threshold{model="$model",feature="$feature"}', legend: '{{version}} {{detector}} minimum' },
    ],
    whenEmpty: noWindow,
  },
  {
    title: 'False-alarm budget spent', unit: 'percentunit', width: 12, redFrom: 1,
    description: 'Part of the false incidents that the spec allows per period which drift verdicts have used up to the last window. It stays below 1 by construction; near it: many late rows or many versions are judged anew.',
    queries: [maxOf('millrace_false_alarm_budget_spent_ratio{model="$model"}', 'version')],
    whenEmpty: 'no window judged by a budget yet',
  },
  {
    title: 'Verdicts', unit: 'short', width: 12,
    description: 'Verdicts since drift-monitoring started. Mostly inconclusive: windows hold too few rows; widen them in the spec.',
    queries: [sumOf('millrace_verdicts_total{model="$model"}', 'kind', 'outcome')],
    whenEmpty: noWindow,
  },
  {
    title: 'Rows of the last window', unit: 'short',
    description: 'How much a verdict rests on.',
    queries: [eachOf('millrace_window_rows{model="$model"}', 'version', 'kind')],
    whenEmpty: noWindow,
  },
  {
    title: 'Outcomes', unit: 'cps',
    description: 'Predictions settled per second. Only expired: labels do not arrive, so performance cannot be known.',
    queries: [perSecond('millrace_outcomes_total{model="$model"}', 'outcome')],
    whenEmpty: 'nothing settled yet',
  },
  {
    title: 'Watermark', unit: 'dateTimeAsIso',
    description: 'Event time up to which windows are judged. Standing still while records flow: a partition without data holds it back, or clocks of producers are wrong.',
    queries: [{ expr: 'min by (source) (millrace_watermark_seconds{model="$model"}) * 1000', legend: '{{source}}' }],
    whenEmpty: 'no event yet',
  },
];

const training: readonly PanelPlan[] = [
  {
    title: 'Retraining considered', unit: 'short',
    description: 'Evaluations since training-orchestrator started, by decision. Every “no” has its reason: millrace runs <model>.',
    queries: [sumOf('millrace_training_evaluations_total{model="$model"}', 'decision')],
    whenEmpty: 'not considered since the service started',
  },
  {
    title: 'Training runs', unit: 'short',
    description: 'Runs that ended since training-orchestrator started: rejected ones failed a gate, failed ones broke. failed: millrace runs <model> shows step and reason.',
    queries: [sumOf('millrace_training_runs_total{model="$model"}', 'outcome')],
    whenEmpty: 'no run ended since the service started',
  },
  {
    title: 'Step duration, all models', unit: 's',
    description: 'Mean duration of a pipeline step since training-orchestrator started.',
    queries: [{ expr: 'sum by (step) (millrace_training_step_seconds_sum) / sum by (step) (millrace_training_step_seconds_count)', legend: '{{step}}' }],
    whenEmpty: 'no step since the service started',
  },
];

export const modelBoard: BoardPlan = {
  uid: 'millrace-model',
  title: 'Millrace: one model',
  description: 'Which versions answer, how well, on what evidence, and what happens next.',
  variables: [
    { name: 'model', label: 'Model', query: 'label_values(millrace_route_revision, model)' },
    { name: 'metric', label: 'Metric', query: 'label_values(millrace_performance{model="$model"}, metric)' },
    { name: 'feature', label: 'Feature', query: 'label_values(millrace_drift_statistic{model="$model"}, feature)' },
  ],
  rows: [
    { title: 'Serving', panels: serving },
    { title: 'Roll-out', panels: evidence },
    { title: 'Quality', panels: quality },
    { title: 'Labels', panels: performancePanels },
    { title: 'Training', panels: training },
  ],
};
