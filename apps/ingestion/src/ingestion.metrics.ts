import { Counter, Gauge } from 'prom-client';

/** `via` is kafka or http; `code` comes from the closed catalogue. */
export const ingestionMetrics = {
  accepted: new Counter({ name: 'millrace_records_accepted_total', help: 'Records and labels that were parsed and got their identity', labelNames: ['stream', 'kind', 'via'] }),
  refused: new Counter({ name: 'millrace_records_refused_total', help: 'Records and labels that could not be taken in', labelNames: ['stream', 'kind', 'via', 'code'] }),
  topicsMissing: new Gauge({ name: 'millrace_producer_topics_missing', help: 'Producer topics named in contracts that do not exist or cannot be read' }),
};
