import { Counter, Gauge, Histogram, register } from 'prom-client';

/** Made once per process, also when specs open several gateways in one. */
function once<T>(name: string, make: (name: string) => T): T {
  return (register.getSingleMetric(name) as T | undefined) ?? make(name);
}

const target = ['model', 'version', 'role'] as const;

export const gatewayMetrics = {
  predictions: once('millrace_predictions_total', (name) => new Counter({ name, help: 'Instances by what became of them', labelNames: [...target, 'outcome'] })),
  seconds: once('millrace_prediction_duration_seconds', (name) => new Histogram({ name, help: 'From request to answer', labelNames: ['model'], buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5] })),
  fallbacks: once('millrace_fallback_answers_total', (name) => new Counter({ name, help: 'Instances whose routed version failed, by who answered in its place (none: nobody could)', labelNames: ['model', 'version', 'to'] })),
  explanations: once('millrace_explanations_total', (name) => new Counter({ name, help: 'Instances whose explanation was asked for, by what became of them', labelNames: ['model', 'version', 'outcome'] })),
  explainedAnswers: once('millrace_answers_explained_total', (name) => new Counter({ name, help: 'Answers drawn to be explained afterwards, by what became of them', labelNames: ['model', 'version', 'outcome'] })),
  shadowDropped: once('millrace_shadow_dropped_total', (name) => new Counter({ name, help: 'Shadow runs given up, because their queue was full or the run failed', labelNames: ['model', 'reason'] })),
  logDropped: once('millrace_prediction_log_dropped_total', (name) => new Counter({ name, help: 'Log records of predictions that were answered but not logged', labelNames: ['reason'] })),
  publisherRestarts: once('millrace_prediction_log_publisher_restarts_total', (name) => new Counter({ name, help: 'Threads that publish prediction logs and ended by themselves; each was replaced' })),
  spoolBytes: once('millrace_prediction_spool_bytes', (name) => new Gauge({ name, help: 'Log records that wait for Kafka' })),
  spoolAge: once('millrace_prediction_spool_age_seconds', (name) => new Gauge({ name, help: 'How long the oldest log record has waited for Kafka' })),
  routeShare: once('millrace_route_share', (name) => new Gauge({ name, help: 'Part of the units that a version answers', labelNames: target })),
  routeRevision: once('millrace_route_revision', (name) => new Gauge({ name, help: 'Revision of the route in force', labelNames: ['model'] })),
  loadFailures: once('millrace_model_load_failures_total', (name) => new Counter({ name, help: 'Model files that could not be put into service', labelNames: ['model', 'version'] })),
};
