import { Counter, Gauge } from 'prom-client';

export const outcomeJoiningMetrics = {
  predictions: new Counter({ name: 'millrace_predictions_logged_total', help: 'Predictions read from the log', labelNames: ['model', 'role'] }),
  labels: new Counter({ name: 'millrace_labels_total', help: 'Labels read; outcome is first, duplicate or unreadable', labelNames: ['stream', 'outcome'] }),
  outcomes: new Counter({ name: 'millrace_outcomes_total', help: 'Records with a primary prediction that were settled; outcome is joined, expired or late', labelNames: ['model', 'outcome'] }),
  streamTime: new Gauge({ name: 'millrace_stream_time_seconds', help: 'Event-time clock of a stream, seconds since 1970', labelNames: ['stream'] }),
};
