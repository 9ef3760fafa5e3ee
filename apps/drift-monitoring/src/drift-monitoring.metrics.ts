import { Counter, Gauge } from 'prom-client';

export const driftMonitoringMetrics = {
  performance: new Gauge({ name: 'millrace_performance', help: 'Performance of a version in its last closed window; bound is value, low or high (95 %)', labelNames: ['model', 'version', 'metric', 'bound'] }),
  driftStatistic: new Gauge({ name: 'millrace_drift_statistic', help: 'Effect size of drift in the last closed window', labelNames: ['model', 'version', 'feature', 'detector'] }),
  driftThreshold: new Gauge({ name: 'millrace_drift_threshold', help: 'Effect size from which drift matters', labelNames: ['model', 'version', 'feature', 'detector'] }),
  windowRows: new Gauge({ name: 'millrace_window_rows', help: 'Rows of the last closed window', labelNames: ['model', 'version', 'kind'] }),
  verdicts: new Counter({ name: 'millrace_verdicts_total', help: 'Verdicts issued', labelNames: ['model', 'kind', 'outcome'] }),
  late: new Counter({ name: 'millrace_records_late_total', help: 'Records that came after their window had been judged', labelNames: ['model', 'source'] }),
  unmonitored: new Counter({ name: 'millrace_records_unmonitored_total', help: 'Records of models without a spec', labelNames: ['source'] }),
  watermark: new Gauge({ name: 'millrace_watermark_seconds', help: 'Event time up to which windows are closed, seconds since 1970', labelNames: ['model', 'source'] }),
};
