import { holm, type FeatureProfile } from '../statistics/index.js';
import { chiSquareDetector } from './chi-square.detector.js';
import type { DriftDetector, DriftPolicy, Measurement } from './detector.js';
import { ksDetector } from './ks.detector.js';
import { nullShareDetector } from './null-share.detector.js';

export const detectors: readonly DriftDetector[] = [ksDetector, chiSquareDetector, nullShareDetector];

export interface DriftFinding {
  readonly subject: string;
  readonly detector: string;
  readonly outcome: 'passed' | 'failed' | 'inconclusive' | 'errored';
  /** The effect: KS distance, total variation or difference of null shares; null when nothing could be measured. */
  readonly statistic: number | null;
  readonly threshold: number | null;
  readonly pValue: number | null;
  readonly pAdjusted: number | null;
  readonly referenceRows: number;
  readonly currentRows: number;
  readonly reason: string;
}

export interface DriftVerdict {
  readonly outcome: 'passed' | 'failed' | 'inconclusive' | 'errored';
  readonly findings: DriftFinding[];
}

const rowsOf = (profile: FeatureProfile): number => profile.n + profile.nulls;

interface Measured {
  readonly subject: string;
  readonly reference: FeatureProfile;
  readonly current: FeatureProfile;
  readonly measurement: Measurement;
}

function findingOf({ subject, reference, current, measurement }: Measured, pAdjusted: number, level: number, policy: DriftPolicy): DriftFinding {
  const { detector, effect, effectMin, pValue } = measurement;
  const enough = rowsOf(current) >= policy.rowsMin;
  const lowerBound = measurement.lowerBound(level);
  const outcome = !enough ? 'inconclusive' : lowerBound > effectMin ? 'failed' : effect > effectMin ? 'inconclusive' : 'passed';
  const size = `effect ${effect.toFixed(3)}, at least ${Math.max(0, lowerBound).toFixed(3)} for certain (more than ${effectMin} matters; α ${policy.alpha} over all, adjusted p ${pAdjusted.toExponential(1)})`;
  return {
    subject,
    detector,
    outcome,
    statistic: effect,
    threshold: effectMin,
    pValue,
    pAdjusted,
    referenceRows: rowsOf(reference),
    currentRows: rowsOf(current),
    reason: !enough ? `${rowsOf(current)} rows are fewer than the ${policy.rowsMin} needed` : outcome === 'inconclusive' ? `not enough evidence: ${size}` : size,
  };
}

/**
 * Judges one window against its reference: a subject has drifted when the lower confidence bound of a detector’s effect
 * exceeds its minimum. The bounds of all measurements hold at once but for a chance of α (Bonferroni). An effect above its
 * minimum that is not certain is inconclusive. Missing data never passes: a subject without reference or rows is errored,
 * too few rows are inconclusive.
 */
export function judgeDrift(reference: Readonly<Record<string, FeatureProfile>>, current: Readonly<Record<string, FeatureProfile>>, policy: DriftPolicy): DriftVerdict {
  const measured: Measured[] = [];
  const findings: DriftFinding[] = [];
  for (const [subject, expected] of Object.entries(reference)) {
    const seen = Object.hasOwn(current, subject) ? current[subject] : undefined;
    const measurements = seen === undefined ? [] : detectors.map((detector) => detector.measure(expected, seen, policy)).filter((measurement) => measurement !== null);
    if (seen === undefined || measurements.length === 0) {
      findings.push({ subject, detector: 'none', outcome: 'errored', statistic: null, threshold: null, pValue: null, pAdjusted: null, referenceRows: rowsOf(expected), currentRows: seen === undefined ? 0 : rowsOf(seen), reason: 'nothing to compare' });
    }
    if (seen !== undefined) measured.push(...measurements.map((measurement) => ({ subject, reference: expected, current: seen, measurement })));
  }
  const adjusted = holm(measured.map(({ measurement }) => measurement.pValue));
  findings.push(...measured.map((entry, index) => findingOf(entry, adjusted[index] ?? 1, policy.alpha / measured.length, policy)));
  const has = (outcome: DriftFinding['outcome']): boolean => findings.some((finding) => finding.outcome === outcome);
  const outcome = findings.length === 0 ? 'errored' : has('failed') ? 'failed' : has('errored') ? 'errored' : has('inconclusive') ? 'inconclusive' : 'passed';
  return { outcome, findings };
}
