import type { VerdictIssued } from '@millrace/contracts';
import type { MeasuredMetric } from '@millrace/core/statistics';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';

/** Puts the last closed window of a version on the board. */
export function showVerdict({ model, version, kind, rows, findings }: VerdictIssued, metrics: readonly MeasuredMetric[]): void {
  driftMonitoringMetrics.windowRows.set({ model, version, kind }, rows);
  for (const { name, value, low, high } of metrics) {
    driftMonitoringMetrics.performance.set({ model, version, metric: name, bound: 'value' }, value);
    if (low !== null) driftMonitoringMetrics.performance.set({ model, version, metric: name, bound: 'low' }, low);
    if (high !== null) driftMonitoringMetrics.performance.set({ model, version, metric: name, bound: 'high' }, high);
  }
  if (kind !== 'drift') return;
  for (const { subject, detector, statistic, threshold } of findings) {
    if (statistic !== null) driftMonitoringMetrics.driftStatistic.set({ model, version, feature: subject, detector }, statistic);
    if (threshold !== null) driftMonitoringMetrics.driftThreshold.set({ model, version, feature: subject, detector }, threshold);
  }
}
