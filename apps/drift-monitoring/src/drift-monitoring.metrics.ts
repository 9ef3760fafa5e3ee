import { Counter, Gauge } from 'prom-client';

export const driftMonitoringMetrics = {
  performance: new Gauge({ name: 'millrace_performance', help: 'Performance of a version in its last closed window; bound is value, low or high (95 %)', labelNames: ['model', 'version', 'metric', 'bound'] }),
  driftStatistic: new Gauge({ name: 'millrace_drift_statistic', help: 'Effect size of drift in the last closed window', labelNames: ['model', 'version', 'feature', 'detector'] }),
  driftThreshold: new Gauge({ name: 'millrace_drift_threshold', help: 'Effect size from which drift matters', labelNames: ['model', 'version', 'feature', 'detector'] }),
  estimated: new Gauge({ name: 'millrace_performance_estimated', help: 'Performance of a version in its last closed window as estimated without labels; bound is value, low or high (95 %)', labelNames: ['model', 'version', 'metric', 'bound'] }),
  conceptDriftEvidence: new Gauge({ name: 'millrace_concept_drift_evidence_ratio', help: 'Evidence that the errors of a version have risen, as a part of what an alarm needs', labelNames: ['model', 'version'] }),
  conceptDrifts: new Counter({ name: 'millrace_concept_drifts_total', help: 'Rises of the error rate that were found', labelNames: ['model', 'version'] }),
  fairnessDifference: new Gauge({ name: 'millrace_fairness_difference', help: 'Largest difference of a rate between two groups in the last closed window; bound is value, low, high (95 %) or limit', labelNames: ['model', 'version', 'rate', 'bound'] }),
  estimationGap: new Gauge({ name: 'millrace_estimation_gap', help: 'Share of wrong answers beyond what the probabilities promised, last closed window; bound is value, low, high (95 %) or limit', labelNames: ['model', 'version', 'bound'] }),
  labelsWaiting: new Gauge({ name: 'millrace_labels_waiting', help: 'Predictions of judged windows whose label may still come', labelNames: ['model', 'version'] }),
  driftLowerBound: new Gauge({ name: 'millrace_drift_lower_bound', help: 'What the effect of drift is at least, for certain, in the last closed window; above the threshold it fails', labelNames: ['model', 'version', 'feature', 'detector'] }),
  falseAlarmBudget: new Gauge({ name: 'millrace_false_alarm_budget_spent_ratio', help: 'Part of the false incidents allowed that drift verdicts have used in the period up to the last closed window', labelNames: ['model', 'version'] }),
  amending: new Counter({ name: 'millrace_records_amending_total', help: 'Rows that came after their window had been judged and amend its verdict', labelNames: ['model'] }),
  repeated: new Counter({ name: 'millrace_predictions_repeated_total', help: 'Predictions that were logged twice and counted once', labelNames: ['model'] }),
  windowRows: new Gauge({ name: 'millrace_window_rows', help: 'Rows of the last closed window', labelNames: ['model', 'version', 'kind'] }),
  verdicts: new Counter({ name: 'millrace_verdicts_total', help: 'Verdicts issued', labelNames: ['model', 'kind', 'outcome'] }),
  late: new Counter({ name: 'millrace_records_late_total', help: 'Records that came after their window had been judged', labelNames: ['model', 'source'] }),
  unmonitored: new Counter({ name: 'millrace_records_unmonitored_total', help: 'Records of models without a spec', labelNames: ['source'] }),
  watermark: new Gauge({ name: 'millrace_watermark_seconds', help: 'Event time up to which windows are closed, seconds since 1970', labelNames: ['model', 'source'] }),
};
