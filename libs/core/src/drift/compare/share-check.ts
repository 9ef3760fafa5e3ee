import { shareRise, type Proportion } from '../../statistics/index.js';
import { count, parts, percent, underestimate, type CheckFinding, type ComparePolicy, type DriftReason } from './finding.js';
import { rowsOf, strayRowsOf, valuesOf, type ColumnSample } from './column-sample.js';

/** A change of nulls by less than this part of the share they had is no news. */
const relativeMinimum = 0.1;

const flipped = ({ hits, n }: Proportion): Proportion => ({ hits: n - hits, n });

interface ShareQuestion {
  readonly reason: DriftReason;
  readonly what: string;
  readonly reference: Proportion;
  readonly current: Proportion;
  readonly level: number;
  readonly minimumEffect: number;
}

function judgeShare({ reason, what, reference, current, level, minimumEffect }: ShareQuestion): CheckFinding {
  const rise = shareRise(reference, current, level / 2);
  const fall = shareRise(flipped(reference), flipped(current), level / 2);
  const { effect, lowerBound } = rise.effect >= fall.effect ? rise : fall;
  const [before, now] = [percent(reference.hits / reference.n), percent(current.hits / current.n)];
  const tale = `${what} went from ${before} (${count(reference.hits)} of ${count(reference.n)} rows) to ${now} (${count(current.hits)} of ${count(current.n)})`;
  return { reason, effect, lowerBound, upperBound: Math.min(1, effect + underestimate(reference.n, current.n)), minimumEffect, statistic: effect, threshold: effect - lowerBound + minimumEffect, level, drifted: lowerBound > minimumEffect, tale };
}

/**
 * Has the share of nulls changed? By the exact conditional interval of the odds ratio, both sides. Nulls where there were
 * none matter from the first proven one on; where there were some, a tenth of their share, at most the policy’s minimum.
 * Nothing when neither sample has nulls, or has anything else.
 */
export function nullCheck(reference: ColumnSample, current: ColumnSample, policy: ComparePolicy): CheckFinding | null {
  const [n, m] = [rowsOf(reference), rowsOf(current)];
  const nulls = reference.nulls + current.nulls;
  if (n === 0 || m === 0 || nulls === 0 || nulls === n + m) return null;
  const share = Math.min(reference.nulls / n, 1 - reference.nulls / n);
  return judgeShare({
    reason: 'nulls',
    what: 'missing values',
    reference: { hits: reference.nulls, n },
    current: { hits: current.nulls, n: m },
    level: parts.nulls * policy.falseAlarms,
    minimumEffect: policy.minimums?.nulls ?? Math.min(policy.minimumEffect, relativeMinimum * share),
  });
}

/** Has the share of texts changed in a column of numbers? Like nulls. */
export function typeCheck(reference: ColumnSample, current: ColumnSample, policy: ComparePolicy): CheckFinding | null {
  const [n, m] = [valuesOf(reference), valuesOf(current)];
  const [before, now] = [strayRowsOf(reference), strayRowsOf(current)];
  if (n === 0 || m === 0 || before + now === 0 || before + now === n + m) return null;
  const share = Math.min(before / n, 1 - before / n);
  const level = parts.type * policy.falseAlarms;
  return judgeShare({ reason: 'type', what: 'values that are no numbers', reference: { hits: before, n }, current: { hits: now, n: m }, level, minimumEffect: policy.minimums?.nulls ?? Math.min(policy.minimumEffect, relativeMinimum * share) });
}
