import type { BoardPlan, PanelPlan } from './board.js';
import { maxOf, minOf, orZero, p50AndP99, perSecond, sumOf } from './queries.js';

const sources: readonly PanelPlan[] = [
  {
    title: 'Records in', unit: 'cps',
    description: 'Records and labels that ingestion parsed, per second. When it falls to nothing while producers write: look at lag of ingestion below, then at its log.',
    queries: [perSecond('millrace_records_accepted_total', 'stream', 'kind')],
  },
  {
    title: 'Refused at the door', unit: 'cps', redFrom: 1,
    description: 'What producers sent that could not be parsed, by error code, per second. Red: read ingestion.record-refused.v1 for the bytes and the reason, and tell the producer.',
    queries: [orZero(perSecond('millrace_records_refused_total', 'stream', 'code'))],
  },
  {
    title: 'Admitted', unit: 'cps',
    description: 'Records and labels that passed their data contract, per second. Below “Records in” for long: data-validation lags or quarantines.',
    queries: [perSecond('millrace_records_judged_total{outcome="admitted"}', 'stream', 'kind')],
  },
  {
    title: 'Share quarantined', unit: 'percentunit', redFrom: 0.05,
    description: 'Part of what is judged that breaks its contract. Red: millrace quarantine list <stream> names rule and field; fix the producer, then replay. Runbook: quarantine-rate-high.',
    queries: [{ expr: '1 - sum by (stream) (rate(millrace_records_judged_total{outcome="admitted"}[$__rate_interval])) / sum by (stream) (rate(millrace_records_judged_total[$__rate_interval]))', legend: '{{stream}}' }],
  },
  {
    title: 'Waiting in quarantine', unit: 'short', redFrom: 1_000,
    description: 'Records and labels that nobody has replayed. Red: decide whether to replay them with a fix or to leave them; they take part in no training.',
    queries: [sumOf('millrace_quarantine_waiting', 'stream', 'kind')],
    whenEmpty: 'nothing is quarantined',
  },
  {
    title: 'Archived', unit: 'cps',
    description: 'Rows sealed into Parquet segments, per second. Nothing while records are admitted: data-validation cannot write to its storage.',
    queries: [perSecond('millrace_segment_rows_total', 'stream', 'kind')],
  },
];

const answers: readonly PanelPlan[] = [
  {
    title: 'Predictions', unit: 'cps',
    description: 'Answers per second; shadow answers reach nobody. A sudden fall: ask the applications, then look at errors.',
    queries: [perSecond('millrace_predictions_total{outcome="answered"}', 'model', 'role')],
  },
  {
    title: 'Latency', unit: 's', redFrom: 0.25,
    description: 'From request to answer inside the gateway. Red: look at event-loop lag and CPU of inference-gateway (board “One service”); a model may be too slow for its queue.',
    queries: p50AndP99('millrace_prediction_duration_seconds'),
  },
  {
    title: 'Prediction errors', unit: 'cps', redFrom: 1,
    description: 'Requests not answered: refused is the caller’s mistake, failed is ours; and work given up. Red: runbook prediction-errors.',
    queries: [
      orZero(perSecond('millrace_predictions_total{outcome!="answered"}', 'model', 'outcome')),
      { expr: 'sum by (reason) (rate(millrace_shadow_dropped_total[$__rate_interval])) or vector(0)', legend: 'shadow run dropped {{reason}}' },
      { expr: 'sum by (reason) (rate(millrace_prediction_log_dropped_total[$__rate_interval])) or vector(0)', legend: 'log record dropped {{reason}}' },
    ],
  },
  {
    title: 'Prediction log waiting', unit: 's', redFrom: 60,
    description: 'How long the oldest log record has waited for Kafka. Red: Kafka cannot be reached from the gateway; records are dropped once the spool is full.',
    queries: [maxOf('millrace_prediction_spool_age_seconds', 'instance')],
  },
  {
    title: 'Labels meet predictions', unit: 'cps',
    description: 'Settled predictions per second: joined with a label, expired without one, or too late. Many expired: labels are missing or later than the spec’s maximum delay.',
    queries: [perSecond('millrace_outcomes_total', 'model', 'outcome')],
  },
  {
    title: 'Verdicts', unit: 'short',
    description: 'Verdicts of drift-monitoring since it started. failed: open the board “One model”.',
    queries: [sumOf('millrace_verdicts_total', 'model', 'kind', 'outcome')],
    whenEmpty: 'no window closed yet',
  },
];

const machinery: readonly PanelPlan[] = [
  {
    title: 'Services up', unit: 'short', width: 24, shape: 'stat', redBelow: 1,
    description: '1: Prometheus can read the service. Red: runbook service-down.',
    queries: [minOf('up', 'job')],
  },
  {
    title: 'Lag per group', unit: 'short', redFrom: 10_000,
    description: 'Offsets between each consumer group and the end of its topics, as of its last batch. Red and growing: runbook consumer-lag-growing.',
    queries: [sumOf('kafka_consumergroup_lag', 'consumergroup')],
  },
  {
    title: 'Batch failures', unit: 'cps', redFrom: 0.1,
    description: 'Batches that failed and are tried again, per second. Red: the service’s log says why; nothing is lost, but nothing moves. Runbook batch-failures.',
    queries: [orZero(perSecond('millrace_batch_failures_total', 'consumergroup'))],
  },
  {
    title: 'Outbox age', unit: 's', redFrom: 60,
    description: 'How long the oldest decided but unpublished event has waited. Red: the service reaches PostgreSQL but not Kafka. Runbook outbox-stuck.',
    queries: [maxOf('millrace_outbox_oldest_age_seconds', 'job')],
  },
  {
    title: 'Events set aside', unit: 'cps', redFrom: 0.1,
    description: 'Events of the ring that a reader could not understand, per second. Anything above 0 is a defect: read messaging.event-refused.v1.',
    queries: [orZero(perSecond('millrace_events_refused_total', 'consumergroup'))],
  },
  {
    title: 'Producer topics missing', unit: 'short', redFrom: 1,
    description: 'Topics named in data contracts that do not exist. Red: the producer has not created its topic, or the contract misspells it.',
    queries: [{ expr: 'max(millrace_producer_topics_missing)', legend: 'missing' }],
  },
  {
    title: 'Contracts broken', unit: 'short', redFrom: 1,
    description: 'Days on which more of a stream was quarantined than its contract allows, since data-validation started. Red: runbook contract-broken.',
    queries: [orZero(sumOf('millrace_contracts_broken_total', 'stream'))],
  },
];

export const ringBoard: BoardPlan = {
  uid: 'millrace-ring',
  title: 'Millrace: overview of the ring',
  description: 'Does data flow, are predictions answered, is anything stuck?',
  variables: [],
  rows: [{ title: 'Machinery', panels: machinery }, { title: 'Records', panels: sources }, { title: 'Predictions', panels: answers }],
};
