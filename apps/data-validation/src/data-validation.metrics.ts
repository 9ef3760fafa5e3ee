import { Counter, Gauge } from 'prom-client';

export const dataValidationMetrics = {
  judged: new Counter({ name: 'millrace_records_judged_total', help: 'Records and labels judged against their contract; outcome is admitted or quarantined', labelNames: ['stream', 'kind', 'outcome'] }),
  segments: new Counter({ name: 'millrace_segments_sealed_total', help: 'Archive segments sealed', labelNames: ['stream', 'kind'] }),
  segmentRows: new Counter({ name: 'millrace_segment_rows_total', help: 'Records and labels archived', labelNames: ['stream', 'kind'] }),
  waiting: new Gauge({ name: 'millrace_quarantine_waiting', help: 'Records and labels in quarantine that nobody has replayed', labelNames: ['stream', 'kind'] }),
  replayed: new Counter({ name: 'millrace_quarantine_replayed_total', help: 'Records and labels admitted by a replay', labelNames: ['stream', 'kind'] }),
  contractsBroken: new Counter({ name: 'millrace_contracts_broken_total', help: 'Days on which more of a stream was quarantined than its contract allows', labelNames: ['stream'] }),
};
