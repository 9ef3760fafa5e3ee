import { assignArm, type Arm } from './sticky-split.js';

/** `share`: part of the units it answers, from the place `from` on (absent: 0); `mirror`: it also sees, unheard, what the champion answers; with a share of 1, the champion sees what it answers. */
export type RoutedCandidate<T> = T & { readonly share: number; readonly mirror: boolean; readonly from?: number };

/** What is needed of a route event (`rollout.route-changed.v1`). */
export interface Route<T> {
  readonly salt: string;
  readonly champion: T;
  readonly candidate: RoutedCandidate<T> | null;
  /** Further candidates, tried at the same time. */
  readonly beside?: readonly RoutedCandidate<T>[];
}

/** Who answers a unit, with which probability it came to that, and who only watches. */
export interface RoutePlan<T> {
  readonly arm: 'champion' | 'candidate';
  readonly primary: T;
  readonly probability: number;
  readonly shadows: readonly T[];
}

/** Everybody who is tried. */
export function candidatesOf<T>({ candidate, beside = [] }: Pick<Route<T>, 'candidate' | 'beside'>): readonly RoutedCandidate<T>[] {
  return candidate === null ? beside : [candidate, ...beside];
}

/** A route is asked for every request, and says the same each time. */
const armsOfRoute = new WeakMap<object, readonly Arm[]>();

/** The candidates where they stand on [0, 1), and the champion wherever none does. */
function armsOf(route: object, candidates: readonly RoutedCandidate<unknown>[]): readonly Arm[] {
  const known = armsOfRoute.get(route);
  if (known !== undefined) return known;
  const arms: Arm[] = [];
  let end = 0;
  for (const [index, { from = 0, share }] of [...candidates.entries()].sort(([, a], [, b]) => (a.from ?? 0) - (b.from ?? 0))) {
    if (from > end) arms.push({ name: 'champion', share: from - end });
    arms.push({ name: String(index), share });
    end = Math.max(end, from) + share;
  }
  arms.push({ name: 'champion', share: 1 - end });
  armsOfRoute.set(route, arms);
  return arms;
}

/**
 * The route’s decision for one unit: a function of salt, places, shares and unit alone. A candidate keeps its units whoever
 * comes beside it: each answers a stretch of its own, and what they take is the champion’s.
 * @throws MillraceError REQUEST_INVALID when a share is outside [0, 1], or all of them exceed 1.
 */
export function planRoute<T>(route: Route<T>, unit: string): RoutePlan<T> {
  const { salt, champion } = route;
  const candidates = candidatesOf(route);
  if (candidates.length === 0) return { arm: 'champion', primary: champion, probability: 1, shadows: [] };
  const candidate = candidates[Number(assignArm(salt, unit, armsOf(route, candidates)).arm)];
  if (candidate !== undefined) return { arm: 'candidate', primary: candidate, probability: candidate.share, shadows: candidate.mirror && candidate.share === 1 ? [champion] : [] };
  const probability = 1 - candidates.reduce((sum, { share }) => sum + share, 0);
  return { arm: 'champion', primary: champion, probability, shadows: candidates.filter(({ mirror }) => mirror) };
}
