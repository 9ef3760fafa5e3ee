import { assignArm } from './sticky-split.js';

/** What is needed of a route event (`rollout.route-changed.v1`). */
export interface Route<T> {
  readonly salt: string;
  readonly champion: T;
  /** `share`: part of the units it answers; `mirror`: it also sees, unheard, what the champion answers; with a share of 1, the champion sees what it answers. */
  readonly candidate: (T & { readonly share: number; readonly mirror: boolean }) | null;
}

/** Who answers a unit, with which probability it came to that, and who only watches. */
export interface RoutePlan<T> {
  readonly arm: 'champion' | 'candidate';
  readonly primary: T;
  readonly probability: number;
  readonly shadow: T | null;
}

/**
 * The route's decision for one unit: a function of salt, share and unit alone.
 * @throws MillraceError REQUEST_INVALID when the share is outside [0, 1].
 */
export function planRoute<T>({ salt, champion, candidate }: Route<T>, unit: string): RoutePlan<T> {
  if (candidate === null) return { arm: 'champion', primary: champion, probability: 1, shadow: null };
  const { arm, probability } = assignArm(salt, unit, [
    { name: 'candidate', share: candidate.share },
    { name: 'champion', share: 1 - candidate.share },
  ]);
  if (arm === 'candidate') return { arm, primary: candidate, probability, shadow: candidate.mirror && candidate.share === 1 ? champion : null };
  return { arm, primary: champion, probability, shadow: candidate.mirror ? candidate : null };
}
