import { judgePerformance, type PerformanceFinding, type PerformanceRule, type PerformanceVerdict, type ReferenceMetric } from '../drift/index.js';
import { normalQuantileOf } from '../statistics/index.js';
import { calibrationOf, type Calibration } from './calibration-bins.js';
import { earlyLabels, type DelayCounts, historyOfCounts } from './delay-counts.js';
import { judgeFairness, type FairnessRule } from './fairness.js';
import type { OutcomeState } from './outcome-state.js';
import { windowGap } from './performance-gap.js';

export interface OutcomePolicy {
  /** Chance of a false alarm in a window, over all checks together. */
  readonly alpha: number;
  readonly rowsMin: number;
  readonly rules: readonly PerformanceRule[];
  /** How much higher than promised the share of wrong answers may turn out, in points of the share. */
  readonly gapMax: number;
  readonly fairness: readonly { readonly by: string; readonly metrics: readonly FairnessRule['measure'][]; readonly differenceMax: number; readonly rowsMin: number }[];
}

export interface OutcomeReference {
  readonly metrics: readonly ReferenceMetric[];
  readonly calibration: Calibration | null;
}

/** How late labels come, as far as it is known. Times in milliseconds since the epoch. */
export interface LabelsKnown {
  /** Delays of matured labels, of all versions; empty while the model is younger than its labels may be late. */
  readonly matured: DelayCounts;
  readonly modelSinceMs: number;
  readonly versionSinceMs: number;
  readonly maximumDelayMs: number;
}

export interface OutcomeContext {
  readonly window: { readonly fromMs: number; readonly toMs: number };
  readonly labels: LabelsKnown;
  /** Seeded by the window’s name, so that judging it again gives the same bytes. */
  readonly uniform: () => number;
}

const noStatistics = { statistic: null, threshold: null, pValue: null, pAdjusted: null, reference: null, low: null, high: null, referenceRows: 0 };
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const points = (difference: number): string => `${(100 * difference).toFixed(1)} points`;
const dayMs = 86_400_000;
const days = (ms: number): string => (ms < dayMs ? `${(ms / 3_600_000).toFixed(1)} hours` : `${(ms / dayMs).toFixed(1)} days`);

function gapFinding(calibration: Calibration, { performance }: OutcomeState, { alpha, gapMax, rowsMin }: OutcomePolicy, uniform: () => number): PerformanceFinding[] {
  const realised = calibrationOf(performance);
  const gap = realised === null ? null : windowGap(calibration, realised, uniform);
  if (gap === null) return [];
  const slack = normalQuantileOf(1 - alpha) * gap.standardError;
  const outcome = gap.n < rowsMin ? 'inconclusive' : gap.gap - slack > gapMax ? 'failed' : gap.gap > gapMax ? 'inconclusive' : 'passed';
  const referenceRows = [...calibration.positives, ...calibration.negatives].reduce((sum, rows) => sum + rows, 0);
  const wide = normalQuantileOf(0.975) * gap.standardError;
  return [{
    ...noStatistics, subject: 'estimation-gap', detector: 'performance-gap', outcome, statistic: gap.gap, threshold: gapMax, reference: gap.expected, low: gap.gap - wide, high: gap.gap + wide, referenceRows, currentRows: gap.n,
    reason: `${percent(gap.realised)} of the answers were wrong where their probabilities promised ${percent(gap.expected)}: ${points(Math.abs(gap.gap))} ${gap.gap < 0 ? 'fewer' : `more, at least ${points(Math.max(0, gap.gap - slack))} for certain`} (tolerated ${points(gapMax)}, ${gap.n} outcomes)${outcome === 'failed' ? '; what the scores mean has changed' : ''}`,
  }];
}

function fairnessFindings({ groups }: OutcomeState, { alpha, fairness }: OutcomePolicy): PerformanceFinding[] {
  return fairness.flatMap(({ by, metrics, differenceMax, rowsMin }) => {
    const counts = groups[by] ?? {};
    const currentRows = Object.values(counts).reduce((sum, { n }) => sum + n, 0);
    return judgeFairness(counts, metrics.map((measure) => ({ measure, differenceMax })), { nMin: rowsMin, alpha }).map(({ measure, outcome, difference, reason }) => ({
      ...noStatistics, subject: `${measure} by ${by}`, detector: 'fairness', outcome, statistic: difference.value, threshold: differenceMax, low: difference.low, high: difference.high, currentRows, reason,
    }));
  });
}

/** null while too little is known of how late labels come. */
function labelFinding({ delays }: OutcomeState, { window, labels }: OutcomeContext): PerformanceFinding | null {
  const early = earlyLabels(delays, historyOfCounts(labels.matured), window, labels.versionSinceMs);
  if (early === null) return null;
  const arrived = Object.entries(early.arrived).sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, share]) => `${percent(share)} of “${label}”`).join(', ');
  const tale = `${percent(early.raw)} of the answers labelled so far are wrong; of the labels to expect, ${arrived} could have come in this window, which makes ${percent(early.corrected)} (95 % interval ${percent(early.low)} to ${percent(early.high)})`;
  return {
    ...noStatistics, subject: 'labels', detector: 'label-delay', outcome: early.misleading ? 'inconclusive' : 'passed', statistic: early.corrected, reference: early.raw, low: early.low, high: early.high,
    referenceRows: Object.values(labels.matured).reduce((sum, { n }) => sum + n, 0), currentRows: early.n,
    reason: early.misleading ? `the early labels mislead: ${tale}` : `the labels are representative: ${tale}`,
  };
}

/** Said of every metric while the model is younger than its labels may be late. */
function youthOf({ window, labels }: OutcomeContext): string {
  const age = window.toMs - labels.modelSinceMs;
  return age >= labels.maximumDelayMs ? '' : `; labels may come ${days(labels.maximumDelayMs)} late and this model has answered for ${days(Math.max(0, age))} only, so these are the quick ones`;
}

/**
 * Judges the outcomes of a window: the metrics against those of the version’s making, the promise of its probabilities, the
 * groups, and whether the labels that came represent those still to come. One α over all checks (Bonferroni). Early labels
 * that mislead make a passed window inconclusive.
 */
export function judgeOutcomes(reference: OutcomeReference, state: OutcomeState, policy: OutcomePolicy, context: OutcomeContext): PerformanceVerdict {
  const checks = policy.rules.length + (reference.calibration === null ? 0 : 1) + policy.fairness.reduce((sum, { metrics }) => sum + metrics.length, 0);
  const each: OutcomePolicy = { ...policy, alpha: policy.alpha / Math.max(1, checks) };
  const judged = judgePerformance(reference.metrics, state.performance, policy.rules, { rowsMin: policy.rowsMin, alpha: each.alpha * policy.rules.length });
  const labels = labelFinding(state, context);
  const youth = labels === null ? youthOf(context) : '';
  const findings = [
    ...judged.findings.map((finding) => ({ ...finding, reason: `${finding.reason}${youth}` })),
    ...(reference.calibration === null ? [] : gapFinding(reference.calibration, state, each, context.uniform)),
    ...fairnessFindings(state, each),
    ...(labels === null ? [] : [labels]),
  ];
  const has = (outcome: PerformanceFinding['outcome']): boolean => findings.some((finding) => finding.outcome === outcome);
  const outcome = findings.length === 0 ? 'inconclusive' : has('failed') ? 'failed' : has('errored') ? 'errored' : has('inconclusive') ? 'inconclusive' : 'passed';
  return { outcome, findings, metrics: judged.metrics };
}
