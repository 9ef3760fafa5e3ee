import { count, percent, underestimate } from '../compare/finding.js';
import { outcomeOf, type GateOutcome } from '../finding.js';
import type { PerformanceFinding } from '../judge-performance.js';
import { budgetWords, confidence } from '../window/sentence.js';
import { attributionSteps, type AttributionState } from './attribution-counts.js';
import { meanShare, rankingGain, shareInterval } from './attribution-profile.js';

/** A feature’s attribution is judged under `attribution:<feature>`, the ranking of all under `attribution`. */
export const attributionSubject = (feature?: string): string => (feature === undefined ? 'attribution' : `attribution:${feature}`);

export interface AttributionPolicy {
  /** Chance of any false alarm in a window, over all features together. */
  readonly alpha: number;
  /** Windows with fewer explained rows are inconclusive, never stable. */
  readonly rowsMin: number;
  /** Changes of a share up to this do not matter, however certain. */
  readonly attributionMin: number;
}

export interface AttributionSurroundings {
  /** All features of the model, whether or not an explanation names them. */
  readonly features: readonly string[];
  /** Levels that earlier verdicts have spent, and false incidents granted; null when the user has set a level instead. */
  readonly spent: number;
  readonly allowed: number | null;
  /** Draws the order of rows: fixed before anything of the window is seen. */
  readonly uniform: () => number;
}

export interface AttributionVerdict {
  readonly outcome: GateOutcome;
  readonly findings: PerformanceFinding[];
  readonly level: number;
}

/** Room between the change that matters and the one that a stable feature must stay below. */
const stableRoom = 0.1;
/** Above and below, of the window and of the reference. */
const boundsOfFeature = 4;

const none = { threshold: null, pValue: null, pAdjusted: null, reference: null, low: null, high: null };

function judgeFeature(feature: string, reference: AttributionState, current: AttributionState, level: number, { attributionMin }: AttributionPolicy, uniform: () => number): PerformanceFinding {
  const [before, now] = [meanShare(reference, feature), meanShare(current, feature)];
  const alpha = level / boundsOfFeature;
  // Each sample is centred by the other one, which is independent of it.
  const was = shareInterval(reference, feature, { alpha, centre: now, uniform });
  const is = shareInterval(current, feature, { alpha, centre: before, uniform });
  const lowerBound = Math.max(0, is.low - was.high - 1 / attributionSteps, was.low - is.high - 1 / attributionSteps);
  const effect = Math.abs(now - before);
  const steady = effect + underestimate(reference.rows, current.rows) < attributionMin + stableRoom;
  const outcome = lowerBound > attributionMin ? 'failed' : steady ? 'passed' : 'inconclusive';
  const start = outcome === 'failed' ? '' : outcome === 'passed' ? 'as in training: ' : 'not enough evidence: ';
  const moved = outcome === 'passed' ? '' : ` (moved by ${percent(effect)} of them, at least ${percent(lowerBound)} with ${confidence(level)} confidence; more than ${percent(attributionMin)} matters)`;
  return {
    subject: attributionSubject(feature), detector: 'attribution-share', outcome, statistic: effect, threshold: attributionMin, pValue: null, pAdjusted: null,
    reference: before, low: is.low, high: is.high, referenceRows: reference.rows, currentRows: current.rows, lowerBound,
    ...(outcome === 'failed' ? { reasons: ['attribution'] } : {}),
    reason: `${start}${feature} makes up ${percent(now)} of the explanations, ${percent(before)} on the test rows of training${moved}; ${count(current.rows)} explained answers against ${count(reference.rows)}`,
  };
}

function ranking(features: readonly string[], reference: AttributionState, current: AttributionState): PerformanceFinding {
  const gain = rankingGain(features, (feature) => meanShare(reference, feature), (feature) => meanShare(current, feature));
  return {
    ...none, subject: attributionSubject(), detector: 'ndcg', outcome: 'passed', statistic: gain, referenceRows: reference.rows, currentRows: current.rows,
    reason: `the ranking of features has an NDCG of ${gain.toFixed(3)} against that of training (1: the same; others alarm below 0.90, here the features’ own bounds decide)`,
  };
}

/**
 * Does the version rest on other features than on the test rows of its training? A feature has drifted when the lower confidence
 * bound of the change of its mean share in the explanations exceeds the change that matters. All bounds hold at once but for a chance of `policy.alpha`,
 * in equal parts over the features (Bonferroni), for independent rows of any distribution. Pure, and of the set of rows alone.
 */
export function judgeAttributions(current: AttributionState, reference: AttributionState, policy: AttributionPolicy, { features, spent, allowed, uniform }: AttributionSurroundings): AttributionVerdict {
  const rows = { referenceRows: reference.rows, currentRows: current.rows };
  if (current.rows < policy.rowsMin) {
    const reason = `${count(current.rows)} explained answers are fewer than the ${count(policy.rowsMin)} needed`;
    return { outcome: 'inconclusive', level: 0, findings: [{ ...none, ...rows, subject: attributionSubject(), detector: 'none', outcome: 'inconclusive', statistic: null, reason }] };
  }
  const names = [...new Set([...features, ...reference.shares.keys(), ...current.shares.keys()])].sort();
  const judged = names.map((feature) => judgeFeature(feature, reference, current, policy.alpha / names.length, policy, uniform));
  const told = judged.map((finding) => (finding.outcome !== 'failed' || allowed === null ? finding : { ...finding, reason: `${finding.reason}; ${budgetWords((spent + policy.alpha) / allowed)}` }));
  const findings = [...told, ranking(names, reference, current)];
  return { outcome: outcomeOf(findings, 'errored'), findings, level: policy.alpha };
}
