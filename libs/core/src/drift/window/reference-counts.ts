import { countFeature, emptyFeatureCounts, frequentNames, type CountsRoom, type FeatureCounts } from '../../statistics/index.js';
import type { WatchedFeature } from './input-parts.js';

const [wantedMax, wantedShareMin] = [64, 0.01];
/** Of counts with little room: so many cells for each category that is always counted. */
const cellsPerWanted = 8;

const wantedIn = (room: CountsRoom | undefined): number => (room === undefined ? wantedMax : Math.floor(room.cellsMax / cellsPerWanted));

/** Rarer ones are not wanted: of those the reference has by chance too many would be. */
function wantedOf(names: readonly { readonly name: string; readonly count: number }[], n: number, limit: number): string[] {
  return names.filter(({ count }) => count >= wantedShareMin * n).slice(0, limit).map(({ name }) => name);
}

/** The most frequent categories of a column, those of a hundredth of its rows at least. */
export function frequentIn(values: readonly unknown[], limit: number): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null && value !== undefined && value !== '') counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const ordered = [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return wantedOf(ordered, values.length, limit);
}

/** The counts of a whole column. */
export function referenceCounts(kind: 'number' | 'category', values: readonly unknown[], room?: CountsRoom): FeatureCounts {
  const counts = emptyFeatureCounts(kind, kind === 'category' ? frequentIn(values, wantedIn(room)) : [], room);
  for (const value of values) countFeature(counts, value);
  return counts;
}

/** What a pane has to count of a feature to be compared with these counts. */
export const watchedLike = (name: string, counts: FeatureCounts, room?: CountsRoom): WatchedFeature => ({ name, kind: counts.kind, wanted: counts.kind === 'category' ? wantedOf(frequentNames(counts.values), counts.values.n, wantedIn(room)) : [] });
