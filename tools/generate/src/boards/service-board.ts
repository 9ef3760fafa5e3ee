import type { BoardPlan, PanelPlan } from './board.js';
import { eachOf, orZero, perSecond, sumOf } from './queries.js';

const readsNothing = 'this service reads no topic in batches';

const process: readonly PanelPlan[] = [
  {
    title: 'Up', unit: 'short', width: 6, shape: 'stat', redBelow: 1,
    description: '1: Prometheus can read it. Red: runbook service-down.',
    queries: [eachOf('up{job="$job"}', 'instance')],
  },
  {
    title: 'Running since', unit: 'dateTimeAsIso', width: 12, shape: 'stat',
    description: 'When each process started.',
    queries: [{ expr: 'process_start_time_seconds{job="$job"} * 1000', legend: '{{instance}}' }],
  },
  {
    title: 'Restarts in the last hour', unit: 'short', width: 6, shape: 'stat', redFrom: 3,
    description: 'How often its start time changed. Red: it dies again and again; the end of its log says why. Runbook service-restarting.',
    queries: [{ expr: 'changes(process_start_time_seconds{job="$job"}[1h])', legend: '{{instance}}' }],
  },
  {
    title: 'Event-loop lag', unit: 's', redFrom: 0.25,
    description: 'How late the event loop comes to what is due. Red: something computes too long in one turn; take a CPU profile. Runbook event-loop-lag-high.',
    queries: [
      { expr: 'nodejs_eventloop_lag_p99_seconds{job="$job"}', legend: 'p99 {{instance}}' },
      { expr: 'nodejs_eventloop_lag_mean_seconds{job="$job"}', legend: 'mean {{instance}}' },
    ],
  },
  {
    title: 'Memory', unit: 'bytes',
    description: 'Resident memory and JavaScript heap. RSS grows while the heap does not: native buffers (Kafka, ONNX). The heap grows for hours: a leak; take a heap snapshot before restarting.',
    queries: [
      { expr: 'process_resident_memory_bytes{job="$job"}', legend: 'RSS {{instance}}' },
      { expr: 'nodejs_heap_size_used_bytes{job="$job"}', legend: 'heap used {{instance}}' },
      { expr: 'nodejs_heap_size_total_bytes{job="$job"}', legend: 'heap {{instance}}' },
    ],
  },
  {
    title: 'CPU', unit: 'percentunit', redFrom: 1.5,
    description: 'Cores used. Near 1 with lag: start another replica; partitions are shared among replicas.',
    queries: [{ expr: 'rate(process_cpu_seconds_total{job="$job"}[$__rate_interval])', legend: '{{instance}}' }],
  },
  {
    title: 'Garbage collection', unit: 'percentunit', redFrom: 0.2,
    description: 'Part of the time spent collecting garbage. Red: the heap is nearly full; raise its limit or look for a leak.',
    queries: [perSecond('nodejs_gc_duration_seconds_sum{job="$job"}', 'instance')],
  },
];

const kafka: readonly PanelPlan[] = [
  {
    title: 'Kafka batches', unit: 'cps',
    description: 'Batches handled per second, by group.',
    queries: [perSecond('millrace_batch_duration_seconds_count{job="$job"}', 'consumergroup')],
    whenEmpty: readsNothing,
  },
  {
    title: 'Batch duration, p99', unit: 's', redFrom: 5,
    description: 'From batch to the end of its handling. Red: PostgreSQL or Kafka is slow; a batch longer than the session timeout is read again by another instance.',
    queries: [{ expr: 'histogram_quantile(0.99, sum by (le, consumergroup) (rate(millrace_batch_duration_seconds_bucket{job="$job"}[$__rate_interval])))', legend: '{{consumergroup}}' }],
    whenEmpty: readsNothing,
  },
  {
    title: 'Batch failures', unit: 'cps', redFrom: 0.1,
    description: 'Batches that failed and are tried again, per second. Red: runbook batch-failures.',
    queries: [orZero(perSecond('millrace_batch_failures_total{job="$job"}', 'consumergroup', 'topic'))],
  },
  {
    title: 'Lag', unit: 'short', redFrom: 10_000,
    description: 'Offsets behind the end of each topic, as of the last batch. Red and growing: runbook consumer-lag-growing.',
    queries: [sumOf('kafka_consumergroup_lag{job="$job"}', 'consumergroup', 'topic')],
    whenEmpty: readsNothing,
  },
  {
    title: 'Records read', unit: 'cps',
    description: 'Events taken in per second, by group and topic.',
    queries: [perSecond('millrace_records_consumed_total{job="$job"}', 'consumergroup', 'topic')],
    whenEmpty: readsNothing,
  },
  {
    title: 'Outbox age', unit: 's', redFrom: 60,
    description: 'How long the oldest decided but unpublished event has waited; 0 for services without a database. Red: runbook outbox-stuck.',
    queries: [eachOf('millrace_outbox_oldest_age_seconds{job="$job"}', 'instance')],
  },
];

export const serviceBoard: BoardPlan = {
  uid: 'millrace-service',
  title: 'Millrace: one service',
  description: 'Is this process healthy?',
  variables: [{ name: 'job', label: 'Service', query: 'label_values(process_start_time_seconds, job)' }],
  rows: [{ title: 'Process', panels: process }, { title: 'Kafka and outbox', panels: kafka }],
};
