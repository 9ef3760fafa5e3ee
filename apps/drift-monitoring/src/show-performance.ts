import type { Finding, VerdictIssued } from '@millrace/contracts';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';

interface BoundedGauge {
  set(labels: Record<string, string>, value: number): void;
}

function showBounds(gauge: BoundedGauge, labels: Record<string, string>, bounds: Readonly<Record<string, number | null>>): void {
  for (const [bound, value] of Object.entries(bounds)) if (value !== null) gauge.set({ ...labels, bound }, value);
}

function showFinding(model: string, version: string, { subject, detector, statistic, low, high, threshold }: Finding): void {
  const interval = { value: statistic, low, high };
  if (detector === 'estimated') showBounds(driftMonitoringMetrics.estimated, { model, version, metric: subject }, interval);
  if (detector === 'fairness') showBounds(driftMonitoringMetrics.fairnessDifference, { model, version, rate: subject }, { ...interval, limit: threshold });
  if (detector === 'performance-gap') showBounds(driftMonitoringMetrics.estimationGap, { model, version }, { ...interval, limit: threshold });
}

/** Puts estimates, their gap to what labels showed, and groups on the board. */
export function showPerformance({ model, version, findings }: Pick<VerdictIssued, 'model' | 'version' | 'findings'>): void {
  for (const finding of findings) showFinding(model, version, finding);
}
