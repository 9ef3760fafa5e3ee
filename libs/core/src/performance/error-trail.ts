import type { ErrorPane, ErrorWatch } from './watch-errors.js';

/** The way to an error watch: the last panes in a row, and the watch before them (null: as it begins, from the errors of its validation). */
export interface ErrorTrail {
  readonly basis: ErrorWatch | null;
  readonly panes: readonly ErrorPane[];
}

/** What a watch keeps of its way: stretches of panes, and the watch at the beginning of each. Plain JSON. */
export type TrailStretches = readonly ErrorTrail[];

/** So many panes make a stretch, and two stretches are kept: the last 1,000 to 2,000 panes, of some 60 bytes per partition each. */
export const panesPerStretch = 1_000;

/** @param basis null for a watch that begins. */
export const startTrail = (basis: ErrorWatch | null): TrailStretches => [{ basis: basis === null ? null : structuredClone(basis), panes: [] }];

/** The trail with one more pane. @param before the watch before the pane. */
export function noted(trail: TrailStretches, pane: ErrorPane, before: ErrorWatch): TrailStretches {
  const last = trail.at(-1) ?? { basis: null, panes: [] };
  if (last.panes.length < panesPerStretch) return [...trail.slice(0, -1), { ...last, panes: [...last.panes, pane] }];
  return [last, { basis: structuredClone(before), panes: [pane] }];
}

export function wholeTrail(trail: TrailStretches): ErrorTrail {
  return { basis: trail[0]?.basis ?? null, panes: trail.flatMap(({ panes }) => panes) };
}
