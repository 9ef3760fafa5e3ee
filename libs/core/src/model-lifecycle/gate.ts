import { normalQuantileOf } from '../statistics/index.js';

export type GateOutcome = 'passed' | 'failed' | 'inconclusive' | 'errored';

export interface GateCheck {
  readonly rule: string;
  readonly slice: string;
  readonly outcome: GateOutcome;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly n: number;
  readonly reason: string;
}

export interface GateVerdict {
  readonly outcome: GateOutcome;
  readonly checks: GateCheck[];
}

export interface JudgedMetric {
  readonly name: string;
  /** `overall` or `field=value`. */
  readonly slice: string;
  readonly value: number;
  readonly n: number;
}

export interface MetricThreshold {
  readonly metric: string;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

export interface SliceThreshold extends MetricThreshold {
  readonly by: string;
  /** Smaller slices are not judged. */
  readonly rowsMin: number;
}

/** Losses of candidate and champion on the same rows, summed: Σd and Σd² of d = candidate − champion. */
export interface PairedLosses {
  readonly n: number;
  readonly sum: number;
  readonly squares: number;
}

export interface GateEvidence {
  readonly metrics: readonly JudgedMetric[];
  readonly paired: PairedLosses | null;
}

export interface GatePolicy {
  readonly metrics: readonly MetricThreshold[];
  readonly slices: readonly SliceThreshold[];
  /** How much worse than the champion the mean loss may be. */
  readonly championLossMargin: number;
}

function judgeThreshold(threshold: MetricThreshold, metric: JudgedMetric | undefined, slice: string): GateCheck[] {
  const checks: GateCheck[] = [];
  for (const side of ['minimum', 'maximum'] as const) {
    const bound = threshold[side];
    if (bound === undefined) continue;
    const rule = `${threshold.metric}.${side}`;
    if (metric === undefined || !Number.isFinite(metric.value)) {
      checks.push({ rule, slice, outcome: 'errored', value: null, threshold: bound, n: metric?.n ?? 0, reason: `${threshold.metric} was not measured on ${slice}` });
      continue;
    }
    const holds = side === 'minimum' ? metric.value >= bound : metric.value <= bound;
    const word = side === 'minimum' ? (holds ? 'at least' : 'below') : holds ? 'at most' : 'above';
    checks.push({ rule, slice, outcome: holds ? 'passed' : 'failed', value: metric.value, threshold: bound, n: metric.n, reason: `${metric.value.toFixed(4)} is ${word} ${bound}` });
  }
  return checks;
}

function judgeSlices(threshold: SliceThreshold, metrics: readonly JudgedMetric[]): GateCheck[] {
  const slices = metrics.filter(({ name, slice }) => name === threshold.metric && slice.startsWith(`${threshold.by}=`));
  const large = slices.filter(({ n }) => n >= threshold.rowsMin);
  if (large.length === 0) {
    const reason = `no slice of ${threshold.by} has ${threshold.rowsMin} rows`;
    return [{ rule: `${threshold.metric}.by-${threshold.by}`, slice: threshold.by, outcome: 'errored', value: null, threshold: threshold.minimum ?? threshold.maximum ?? null, n: 0, reason }];
  }
  return large.flatMap((metric) => judgeThreshold(threshold, metric, metric.slice));
}

/** One-sided 95 % bounds on the mean paired difference: surely worse fails, surely not worse passes, else inconclusive. */
function judgePaired({ n, sum, squares }: PairedLosses, margin: number): GateCheck {
  const rule = 'champion.loss';
  if (n < 2) return { rule, slice: 'overall', outcome: 'errored', value: null, threshold: margin, n, reason: 'fewer than two rows were scored by both' };
  const mean = sum / n;
  if (!Number.isFinite(mean) || !Number.isFinite(squares)) return { rule, slice: 'overall', outcome: 'errored', value: null, threshold: margin, n, reason: 'a loss is not a finite number' };
  const half = normalQuantileOf(0.95) * Math.sqrt(Math.max(0, squares - n * mean * mean) / (n - 1) / n);
  const outcome: GateOutcome = mean + half <= margin ? 'passed' : mean - half > margin ? 'failed' : 'inconclusive';
  const bounds = `[${(mean - half).toFixed(5)}, ${(mean + half).toFixed(5)}]`;
  const tale = { passed: 'is not worse than the champion by more than', failed: 'is worse than the champion by more than', inconclusive: 'may or may not be worse by more than', errored: '' }[outcome];
  return { rule, slice: 'overall', outcome, value: mean, threshold: margin, n, reason: `mean loss difference ${mean.toFixed(5)} ${bounds} on the same ${n} rows ${tale} ${margin}` };
}

/**
 * The promotion gate: absolute thresholds overall and per slice, and the champion on the same rows where there is one.
 * Missing data never passes, and neither does a candidate that nothing was asked of: without thresholds and without a
 * champion the gate fails. The verdict is the worst check: errored, failed, inconclusive, passed.
 */
export function judgeGate(evidence: GateEvidence, policy: GatePolicy): GateVerdict {
  const checks: GateCheck[] = [];
  for (const threshold of policy.metrics) {
    checks.push(...judgeThreshold(threshold, evidence.metrics.find(({ name, slice }) => name === threshold.metric && slice === 'overall'), 'overall'));
  }
  for (const threshold of policy.slices) checks.push(...judgeSlices(threshold, evidence.metrics));
  if (evidence.paired !== null) checks.push(judgePaired(evidence.paired, policy.championLossMargin));
  if (checks.length === 0) {
    checks.push({ rule: 'thresholds', slice: 'overall', outcome: 'failed', value: null, threshold: null, n: 0, reason: 'there is nothing to judge by: no thresholds in the spec and no champion; a candidate is never waved through' });
  }
  return { outcome: worstOf(checks.map(({ outcome }) => outcome)), checks };
}

/** The verdict over several checks. */
export function worstOf(outcomes: readonly GateOutcome[]): GateOutcome {
  for (const outcome of ['errored', 'failed', 'inconclusive'] as const) if (outcomes.includes(outcome)) return outcome;
  return outcomes.length === 0 ? 'errored' : 'passed';
}
