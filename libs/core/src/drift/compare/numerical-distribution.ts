import { ksCriticalDistance, ksDistance, normalQuantileOf, type NumberSample } from '../../statistics/index.js';
import { count, percent, underestimate, type CheckFinding, type ComparePolicy } from './finding.js';
import { tiedCriticalDistance } from './tied-critical-distance.js';

const shown = (value: number): string => String(Number(value.toPrecision(4)));

/** The value below which half of the rows lie; NaN of nothing. */
export function medianOf(sample: NumberSample): number {
  let below = 0;
  for (let index = 0; index < sample.values.length; index += 1) {
    below += sample.counts[index] ?? 0;
    if (2 * below >= sample.n) return sample.values[index] ?? NaN;
  }
  return NaN;
}

/** Levels are rounded down to steps of 2 %, so that columns of one table share their critical distances. */
const stepped = (level: number): number => Math.exp(Math.floor(Math.log(level) / 0.02) * 0.02);

/** No critical distance is below that of the median alone. */
const leastCriticalDistance = (n: number, m: number, level: number): number => (0.95 * normalQuantileOf(1 - level / 2) * Math.sqrt(1 / n + 1 / m)) / 2;

/** P(D > d) ≤ e·exp(−2 d² nm/(n + m)) (F. Wei, R. M. Dudley, Statist. Probab. Lett. 82, 2012). */
const roughCriticalDistance = (n: number, m: number, level: number): number => Math.sqrt((Math.log(Math.E / level) / 2) * (1 / n + 1 / m));

/**
 * Kolmogorov–Smirnov with a bound: D minus what chance exceeds with probability `level`, minus the sketches’ rank errors,
 * is a lower bound of the true distance. With ties the continuous critical distance is too cautious; where that could
 * change the answer, the one for these very ties is computed.
 */
export function numericalDistribution(reference: NumberSample, current: NumberSample, rankErrors: number, level: number, policy: ComparePolicy): CheckFinding {
  const statistic = ksDistance(reference, current);
  const needed = statistic - rankErrors - policy.minimumEffect;
  const far = policy.roughBounds === true && needed < leastCriticalDistance(reference.n, current.n, level);
  const continuous = far ? roughCriticalDistance(reference.n, current.n, level) : ksCriticalDistance(reference.n, current.n, stepped(level));
  const noise = far || needed > continuous || rankErrors > 0 ? continuous : Math.min(continuous, tiedCriticalDistance(reference, current, level, needed));
  const lowerBound = statistic - noise - rankErrors;
  const tale = `the distribution moved by ${percent(statistic)} of the rows, where chance explains ${percent(noise + rankErrors)} (median ${shown(medianOf(reference))} → ${shown(medianOf(current))}, ${count(current.n)} rows against ${count(reference.n)})`;
  return { reason: 'distribution', effect: statistic, lowerBound, upperBound: Math.min(1, statistic + rankErrors + underestimate(reference.n, current.n)), minimumEffect: policy.minimumEffect, statistic, threshold: noise + rankErrors + policy.minimumEffect, level, drifted: lowerBound > policy.minimumEffect, tale };
}
