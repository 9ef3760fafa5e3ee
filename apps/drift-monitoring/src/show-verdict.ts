import type { VerdictIssued } from '@millrace/contracts';
import type { MeasuredMetric } from '@millrace/core/statistics';
import { judgedIn } from '@millrace/core/verdicts';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import { showPerformance } from './show-performance.js';

/** Puts the last closed window of a version on the board. */
export function showVerdict(verdict: VerdictIssued, metrics: readonly MeasuredMetric[]): void {
  const { model, version, kind, rows, findings, budget } = verdict;
  driftMonitoringMetrics.windowRows.set({ model, version, kind: judgedIn(verdict) }, rows);
  showPerformance({ model, version, findings });
  for (const { name, value, low, high } of metrics) {
    driftMonitoringMetrics.performance.set({ model, version, metric: name, bound: 'value' }, value);
    if (low !== null) driftMonitoringMetrics.performance.set({ model, version, metric: name, bound: 'low' }, low);
    if (high !== null) driftMonitoringMetrics.performance.set({ model, version, metric: name, bound: 'high' }, high);
  }
  if (kind !== 'drift') return;
  if (budget !== undefined) driftMonitoringMetrics.falseAlarmBudget.set({ model, version }, budget.spent);
  for (const { subject, detector, statistic, threshold, lowerBound } of findings.filter((finding) => finding.detector !== 'estimated')) {
    forgetOther({ model, version, feature: subject }, detector);
    if (statistic !== null) driftMonitoringMetrics.driftStatistic.set({ model, version, feature: subject, detector }, statistic);
    if (lowerBound !== undefined) driftMonitoringMetrics.driftLowerBound.set({ model, version, feature: subject, detector }, lowerBound);
    if (threshold !== null) driftMonitoringMetrics.driftThreshold.set({ model, version, feature: subject, detector }, threshold);
  }
}

const shownDetectors = new Map<string, string>();

/** A feature is shown by the check that decided last, not by all that ever have. */
function forgetOther(labels: { readonly model: string; readonly version: string; readonly feature: string }, detector: string): void {
  const key = JSON.stringify(labels);
  const before = shownDetectors.get(key);
  shownDetectors.set(key, detector);
  if (before === undefined || before === detector) return;
  for (const gauge of [driftMonitoringMetrics.driftStatistic, driftMonitoringMetrics.driftThreshold, driftMonitoringMetrics.driftLowerBound]) gauge.remove({ ...labels, detector: before });
}
