import { canonicalJson, type AttributionCounts } from '@millrace/contracts';
import { recordHash } from '../window/record-hash.js';

/** A row’s shares are counted in steps of 1/500: a mean of them is off by at most half a step. */
export const attributionSteps = 500;

/**
 * How much of their explanations rested on which feature, over the explained rows of a pane. A row has the same weight whatever its
 * score: each feature has the share |φ| / Σ |φ| of it. Whole counts alone, so panes merge in any order to the same.
 */
export interface AttributionState {
  rows: number;
  /** By feature: share in steps → rows; rows whose share rounds to 0 are left out. */
  readonly shares: Map<string, Map<number, number>>;
  /** Ids of the predictions counted here, as hashes, while the pane is open: one that was explained twice counts once. null in what was merged. */
  readonly seen: Set<number> | null;
}

/** @param open whether to tell predictions apart that come twice. */
export const emptyAttributions = (open: boolean): AttributionState => ({ rows: 0, shares: new Map(), seen: open ? new Set() : null });

function add(shares: AttributionState['shares'], feature: string, step: number, rows: number): void {
  const steps = shares.get(feature) ?? new Map<number, number>();
  shares.set(feature, steps);
  steps.set(step, (steps.get(step) ?? 0) + rows);
}

/** Takes in an explained row, in place. A row that no feature moved has shares of 0. @returns false for a prediction that was counted before. */
export function observeAttributions(state: AttributionState, predictionId: string, contributions: Readonly<Record<string, number>>): boolean {
  if (state.seen !== null) {
    const before = state.seen.size;
    if (state.seen.add(recordHash(predictionId)).size === before) return false;
  }
  state.rows += 1;
  const sizes = Object.entries(contributions).map(([feature, contribution]): [string, number] => [feature, Math.abs(contribution)]);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (!(total > 0 && Number.isFinite(total))) return true;
  for (const [feature, size] of sizes) {
    const step = Math.round((attributionSteps * size) / total);
    if (step > 0) add(state.shares, feature, step, 1);
  }
  return true;
}

export function mergeAttributions(a: AttributionState, b: AttributionState): AttributionState {
  const merged: AttributionState = { rows: a.rows + b.rows, shares: new Map(), seen: null };
  for (const { shares } of [a, b]) for (const [feature, steps] of shares) for (const [step, rows] of steps) add(merged.shares, feature, step, rows);
  return merged;
}

/** As JSON, in the form of the contract. */
export function attributionCounts({ rows, shares }: AttributionState): AttributionCounts {
  return { rows, shares: Object.fromEntries([...shares].map(([feature, steps]) => [feature, Object.fromEntries(steps)])) };
}

export function attributionsOf({ rows, shares }: AttributionCounts): AttributionState {
  return { rows, shares: new Map(Object.entries(shares).map(([feature, steps]) => [feature, new Map(Object.entries(steps).map(([step, count]) => [Number(step), count]))])), seen: null };
}

/** Stable: the same state always gives the same text. */
export function serialiseAttributions(state: AttributionState): string {
  return canonicalJson({ v: 1, ...attributionCounts(state), seen: state.seen === null ? null : [...state.seen].sort((a, b) => a - b) });
}

/** The text of `serialiseAttributions`. */
export function parseAttributions(text: string): AttributionState {
  const { seen, ...counts } = JSON.parse(text) as AttributionCounts & { readonly seen: readonly number[] | null };
  return { ...attributionsOf(counts), seen: seen === null ? null : new Set(seen) };
}
