import type { BoardPlan, PanelPlan } from './board.js';

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
    queries: [{ expr: 'max by (version, role) (millrace_route_share{model="$model"})', legend: '{{version}} {{role}}' }],
  },
  {
    title: 'Route revision', unit: 'short', width: 6, shape: 'stat',
    description: 'Every gateway should show the same revision; one that stays behind cannot read rollout.route-changed.v1 and needs a restart.',
    queries: [{ expr: 'millrace_route_revision{model="$model"}', legend: '{{instance}}' }],
  },
  {
    title: 'Shares over time', unit: 'percentunit',
    description: 'How traffic moved between versions.',
    queries: [{ expr: 'max by (version, role) (millrace_route_share{model="$model"})', legend: '{{version}} {{role}}' }],
  },
  {
    title: 'Answers', unit: 'cps',
    description: 'Answers per second by version and role.',
    queries: [{ expr: 'sum by (version, role) (rate(millrace_predictions_total{model="$model",outcome="answered"}[$__rate_interval]))', legend: '{{version}} {{role}}' }],
  },
  {
    title: 'Latency', unit: 's', redFrom: 0.25,
    description: 'From request to answer inside the gateway. Red only for this model: its file is slow; for all: the gateway is short of CPU.',
    queries: [
      { expr: 'histogram_quantile(0.5, sum by (le) (rate(millrace_prediction_duration_seconds_bucket{model="$model"}[$__rate_interval])))', legend: 'p50' },
      { expr: 'histogram_quantile(0.99, sum by (le) (rate(millrace_prediction_duration_seconds_bucket{model="$model"}[$__rate_interval])))', legend: 'p99' },
    ],
  },
];

const evidence: readonly PanelPlan[] = [
  {
    title: 'Roll-out evidence', unit: 'none', width: 12,
    description: 'Mean loss of the candidate minus that of the champion, with its always-valid interval. Interval below 0: better. Above 0: worse, it is rolled back. Below the margin: not worse.',
    queries: [{ expr: 'max by (bound) (millrace_rollout_evidence{model="$model"})', legend: '{{bound}}' }],
    whenEmpty: 'no roll-out under way',
  },
  {
    title: 'Roll-out steps', unit: 'short', width: 12,
    description: 'Decided steps by verdict since rollout-controller started. Many not-enough-evidence: too little traffic or too few labels for the margin.',
    queries: [{ expr: 'sum by (verdict) (millrace_rollout_steps_total{model="$model"})', legend: '{{verdict}}' }],
    whenEmpty: 'no step decided',
  },
];

const quality: readonly PanelPlan[] = [
  {
    title: 'Performance: $metric', unit: 'none', width: 12,
    description: 'The metric in the last closed window of each version, with its 95 % interval (low, high). When the interval leaves what the spec allows, a verdict fails: runbook performance-verdict-failed.',
    queries: [{ expr: 'millrace_performance{model="$model",metric="$metric"}', legend: '{{version}} {{bound}}' }],
    whenEmpty: 'no labelled window closed yet',
  },
  {
    title: 'Drift, in multiples of its threshold', unit: 'none', width: 12, redFrom: 1,
    description: 'The ten features that moved most: effect size over the size from which it matters. Red: that feature has drifted; look at its producer, then at the next retraining evaluation.',
    queries: [{ expr: 'topk(10, millrace_drift_statistic{model="$model"} / millrace_drift_threshold{model="$model"})', legend: '{{version}} {{feature}} {{detector}}' }],
    whenEmpty: 'no window closed yet',
  },
  {
    title: 'Drift of $feature', unit: 'none', width: 12,
    description: 'Effect size of one feature beside its threshold.',
    queries: [
      { expr: 'millrace_drift_statistic{model="$model",feature="$feature"}', legend: '{{version}} {{detector}}' },
      { expr: 'millrace_drift_threshold{model="$model",feature="$feature"}', legend: '{{version}} {{detector}} threshold' },
    ],
    whenEmpty: 'no window closed yet',
  },
  {
    title: 'Verdicts', unit: 'short', width: 12,
    description: 'Verdicts since drift-monitoring started. Mostly inconclusive: windows hold too few rows; widen them in the spec.',
    queries: [{ expr: 'sum by (kind, outcome) (millrace_verdicts_total{model="$model"})', legend: '{{kind}} {{outcome}}' }],
    whenEmpty: 'no window closed yet',
  },
  {
    title: 'Rows of the last window', unit: 'short',
    description: 'How much a verdict rests on.',
    queries: [{ expr: 'millrace_window_rows{model="$model"}', legend: '{{version}} {{kind}}' }],
    whenEmpty: 'no window closed yet',
  },
  {
    title: 'Outcomes', unit: 'cps',
    description: 'Predictions settled per second. Only expired: labels do not arrive, so performance cannot be known.',
    queries: [{ expr: 'sum by (outcome) (rate(millrace_outcomes_total{model="$model"}[$__rate_interval]))', legend: '{{outcome}}' }],
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
    queries: [{ expr: 'sum by (decision) (millrace_training_evaluations_total{model="$model"})', legend: '{{decision}}' }],
    whenEmpty: 'not considered since the service started',
  },
  {
    title: 'Training runs', unit: 'short',
    description: 'Runs that ended since training-orchestrator started: rejected ones failed a gate, failed ones broke. failed: millrace runs <model> shows step and reason.',
    queries: [{ expr: 'sum by (outcome) (millrace_training_runs_total{model="$model"})', legend: '{{outcome}}' }],
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
    { title: 'Training', panels: training },
  ],
};
