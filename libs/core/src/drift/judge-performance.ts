import { metricsOf, normalQuantileOf, type MeasuredMetric, type PerformanceSums } from '../statistics/index.js';
import type { DriftFinding } from './finding.js';

export interface ReferenceMetric {
  readonly name: string;
  readonly value: number;
  readonly n: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface PerformanceRule {
  readonly metric: string;
  /** How much worse than the reference is tolerated, in units of the metric. */
  readonly worseByMax: number;
}

export interface PerformanceFinding extends DriftFinding {
  readonly reference: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export interface PerformanceVerdict {
  readonly outcome: DriftFinding['outcome'];
  readonly findings: PerformanceFinding[];
  readonly metrics: MeasuredMetric[];
}

/** Standard error behind a two-sided 95 % interval, from its longer side: the other may have been cut off at 0 or 1. 0 when there is none. */
const errorOf = ({ value, low, high }: { value: number; low: number | null; high: number | null }): number =>
  low === null || high === null ? 0 : Math.max(high - value, value - low) / normalQuantileOf(0.975);

function judgeRule(rule: PerformanceRule, reference: ReferenceMetric | undefined, current: MeasuredMetric | undefined, alpha: number, rowsMin: number): PerformanceFinding {
  const base = { subject: rule.metric, detector: 'performance', pValue: null, pAdjusted: null, referenceRows: reference?.n ?? 0, currentRows: current?.n ?? 0, reference: reference?.value ?? null };
  const none = { statistic: null, threshold: null, low: null, high: null };
  if (reference === undefined) return { ...base, ...none, outcome: 'errored', reason: `the version has no reference for ${rule.metric}` };
  if (current === undefined) return { ...base, ...none, outcome: 'inconclusive', reason: `${rule.metric} cannot be measured on this window` };
  const { value, low, high, better, n } = current;
  const sign = better === 'lower' ? 1 : -1;
  const worseBy = sign * (value - reference.value);
  const slack = normalQuantileOf(1 - alpha) * Math.hypot(errorOf(current), errorOf(reference));
  const threshold = reference.value + sign * rule.worseByMax;
  const measured = { ...base, statistic: value, threshold, low, high };
  if (n < rowsMin) return { ...measured, outcome: 'inconclusive', reason: `${n} outcomes are fewer than the ${rowsMin} needed` };
  const tale = `${rule.metric} ${value.toFixed(4)} is ${Math.abs(worseBy).toFixed(4)} ${worseBy > 0 ? 'worse' : 'better'} than ${reference.value.toFixed(4)} at training (tolerated ${rule.worseByMax}, noise ${slack.toFixed(4)})`;
  if (worseBy - slack > 0 && worseBy > rule.worseByMax) return { ...measured, outcome: 'failed', reason: tale };
  return { ...measured, outcome: worseBy > rule.worseByMax ? 'inconclusive' : 'passed', reason: tale };
}

/**
 * Judges a window’s outcomes against the metrics measured when the version was made. A metric fails when it is worse
 * than its reference by more than `worseByMax` and the one-sided z-interval of the difference, at α over the number of
 * rules (Bonferroni), excludes “no worse”. Worse than tolerated without that certainty is inconclusive.
 */
export function judgePerformance(reference: readonly ReferenceMetric[], sums: PerformanceSums, rules: readonly PerformanceRule[], policy: { readonly alpha: number; readonly rowsMin: number }): PerformanceVerdict {
  const metrics = metricsOf(sums);
  const findings = rules.map((rule) =>
    judgeRule(rule, reference.find(({ name }) => name === rule.metric), metrics.find(({ name }) => name === rule.metric), policy.alpha / rules.length, policy.rowsMin),
  );
  const has = (outcome: DriftFinding['outcome']): boolean => findings.some((finding) => finding.outcome === outcome);
  const outcome = findings.length === 0 ? 'inconclusive' : has('failed') ? 'failed' : has('errored') ? 'errored' : has('inconclusive') ? 'inconclusive' : 'passed';
  return { outcome, findings, metrics };
}
