import type { RolloutPolicy } from './rollout-policy.js';
import { isLive, stepOf, type RolloutState } from './rollout-state.js';
import { rowsOf } from './step-evidence.js';

/** Where a candidate’s units lie: a stretch of [0, 1) from here on, as wide as its largest share. */
export interface Place {
  readonly policy: RolloutPolicy;
  readonly from: number;
}

const topShareOf = ({ steps }: RolloutPolicy): number => Math.max(0, ...steps.map(({ share, ramp }) => ramp?.to ?? share));

/** Of rounding in sums of shares. */
const tolerance = 1e-9;

/**
 * Where on [0, 1) a candidate finds units that belong to none of those under way, as many as it will ever need: so no unit
 * moves from one candidate to another, whoever comes, grows or goes. The champion keeps as much as the largest of them.
 * Null: there is no room, by their specs’ `candidatesMax` or by their shares; it waits.
 */
export function freePlace(policy: RolloutPolicy, taken: readonly Place[]): number | null {
  const policies = [policy, ...taken.map((place) => place.policy)];
  if (taken.length > 0 && taken.length >= Math.min(...policies.map(({ candidates = 1 }) => candidates))) return null;
  const width = topShareOf(policy);
  let from = 0;
  for (const place of [...taken].sort((a, b) => a.from - b.from)) {
    if (place.from - from >= width - tolerance) break;
    from = Math.max(from, place.from + topShareOf(place.policy));
  }
  const end = Math.max(from + width, ...taken.map((place) => place.from + topShareOf(place.policy)));
  return taken.length > 0 && end + Math.max(...policies.map(topShareOf)) > 1 + tolerance ? null : from;
}

/** One of the candidates that are tried at the same time. */
export interface Contender {
  readonly version: string;
  readonly state: RolloutState;
  readonly policy: RolloutPolicy;
}

interface Standing extends Contender {
  /** Mean difference of losses to the champion, which is the same for all; null without an outcome. */
  readonly mean: number | null;
}

const meanOf = ({ state: { evidence } }: Contender): number | null => (evidence === null || evidence.difference.n === 0 ? null : evidence.difference.sum / evidence.difference.n);

/**
 * Whether one that has passed waits for this one, which still gathers evidence: in the last step until it has the outcomes
 * that the step needs at least, and from then on, in any step, as long as it leads. Who comes later has its first steps before it, and is not waited for.
 */
function mayStillWin(other: Standing, best: Standing): boolean {
  const { state, policy } = other;
  const step = stepOf(state, policy);
  if (state.held !== null || state.paused || state.evidence === null || step === undefined) return false;
  if (rowsOf(state.evidence) < step.rowsMin) return state.evidence.step === policy.steps.length - 1;
  return isBefore(other, best) < 0;
}

const isBefore = (a: Standing, b: Standing): number => (a.mean ?? Infinity) - (b.mean ?? Infinity);

const told = ({ version, mean, state }: Standing): string => `version ${version} ${mean === null ? '–' : mean.toFixed(4)} (${state.phase})`;

/**
 * Which candidate is promoted now: of those that have passed their last step the one with the smallest mean loss against the
 * champion, unless one that still gathers evidence may win; then it waits, at most until that one’s time is over. Passing is
 * what errors are counted for; to choose among those that have passed adds none. Null: nobody yet.
 */
export function chooseCandidate<C extends Contender>(contenders: readonly C[]): { readonly chosen: C; readonly reason: string } | null {
  const standings = contenders.filter(({ state }) => isLive(state.phase)).map((contender) => ({ contender, ...contender, mean: meanOf(contender) }));
  const [best] = standings.filter(({ state }) => state.held === 'chosen-next').sort(isBefore);
  if (best === undefined || standings.some((other) => mayStillWin(other, best))) return null;
  const others = standings.filter((other) => other !== best).sort(isBefore);
  const beside = others.length === 0 ? 'no other candidate is tried' : `it leads: mean difference ${(best.mean ?? 0).toFixed(4)}, beside it ${others.map(told).join(', ')}`;
  return { chosen: best.contender, reason: `chosen: ${beside}` };
}
