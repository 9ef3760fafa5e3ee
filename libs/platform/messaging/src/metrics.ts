import { Counter, Gauge, Histogram, register } from 'prom-client';

/** Made once per process; labels are bounded by the topic table. */
function once<T>(name: string, make: () => T): T {
  return (register.getSingleMetric(name) as T | undefined) ?? make();
}

export const messagingMetrics = {
  /** kafka_exporter’s name and labels, so that public dashboards fit. */
  lag: once('kafka_consumergroup_lag', () => new Gauge({ name: 'kafka_consumergroup_lag', help: 'Offsets between the group and the end of the partition', labelNames: ['consumergroup', 'topic', 'partition'] })),
  consumed: once('millrace_records_consumed_total', () => new Counter({ name: 'millrace_records_consumed_total', help: 'Records read from Kafka', labelNames: ['consumergroup', 'topic'] })),
  published: once('millrace_records_published_total', () => new Counter({ name: 'millrace_records_published_total', help: 'Records written to Kafka', labelNames: ['topic'] })),
  failures: once('millrace_batch_failures_total', () => new Counter({ name: 'millrace_batch_failures_total', help: 'Batches that failed and are tried again', labelNames: ['consumergroup', 'topic'] })),
  batchSeconds: once('millrace_batch_duration_seconds', () => new Histogram({ name: 'millrace_batch_duration_seconds', help: 'From batch to commit', labelNames: ['consumergroup'], buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] })),
  refused: once('millrace_events_refused_total', () => new Counter({ name: 'millrace_events_refused_total', help: 'Events of the ring that did not match their schema', labelNames: ['consumergroup'] })),
  relayWaitSeconds: once('millrace_outbox_oldest_age_seconds', () => new Gauge({ name: 'millrace_outbox_oldest_age_seconds', help: 'How long the oldest unpublished message has waited' })),
};
