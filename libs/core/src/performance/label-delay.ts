import { normalQuantileOf } from '../statistics/index.js';

/**
 * Early labels are not representative: where positives are reported later than negatives (fraud, churn), a window that is
 * judged early shows too few of them. Each label that has come is therefore weighted by how likely a label of its class
 * would have come by its prediction’s age (D. G. Horvitz and D. J. Thompson, JASA 47, 1952; the weights normalised as by
 * J. Hájek, 1971). The chances are the class’s own history: shares of its matured labels that had come within each age.
 */
export interface DelayHistory {
  readonly v: 1;
  /** By class: delays of labels whose predictions have matured, ms, ascending, at most `delaysMax` of them. */
  readonly delays: Readonly<Record<string, readonly number[]>>;
}

const delaysMax = 4_096;
/** A label rarer than this by its age would count more than this many times over: the correction says less than it hides. */
const chanceMin = 0.02;

/** Every k-th of the sorted delays where there are more than can be kept: the distribution stays. */
export function delayHistoryOf(matured: Readonly<Record<string, readonly number[]>>): DelayHistory {
  const kept = Object.entries(matured).map(([label, delays]): [string, number[]] => {
    const ascending = [...delays].sort((a, b) => a - b);
    const step = Math.max(1, ascending.length / delaysMax);
    return [label, Array.from({ length: Math.min(ascending.length, delaysMax) }, (_, index) => ascending[Math.floor((index + 0.5) * step)] ?? 0)];
  });
  return { v: 1, delays: Object.fromEntries(kept) };
}

/** Chance that a label of this class has come by this age, among those that ever come; 1 for a class without history. */
export function arrivalChance({ delays }: DelayHistory, label: string, ageMs: number): number {
  const known = Object.hasOwn(delays, label) ? delays[label] : undefined;
  if (known === undefined || known.length === 0) return 1;
  let [low, high] = [0, known.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((known[middle] ?? 0) <= ageMs) low = middle + 1;
    else high = middle;
  }
  return (low + 0.5) / (known.length + 1);
}

export interface LabelledOutcome {
  /** What is averaged: 1 or 0 for right and wrong, or a loss. */
  readonly value: number;
  /** The class that the label says. */
  readonly label: string;
  /** From prediction to now, on the stream clock. */
  readonly ageMs: number;
}

export interface CorrectedMean {
  readonly n: number;
  /** As the labels that have come say it. */
  readonly raw: number | null;
  readonly mean: number | null;
  readonly low: number | null;
  readonly high: number | null;
  /** Share of the labels that are expected by now; the lower, the more rests on the correction. */
  readonly maturity: number | null;
  /** Classes whose labels come too rarely by now to be weighted. */
  readonly tooEarlyFor: readonly string[];
}

/** The mean that will stand when all labels have come, with an interval by linearisation of the weighted ratio. */
export function correctedMean(outcomes: readonly LabelledOutcome[], history: DelayHistory, confidence = 0.95): CorrectedMean {
  const tooEarly = new Set<string>();
  let [weights, weighted, raw] = [0, 0, 0];
  const rows = outcomes.map(({ value, label, ageMs }) => {
    const chance = arrivalChance(history, label, ageMs);
    if (chance < chanceMin) tooEarly.add(label);
    const weight = 1 / Math.max(chance, chanceMin);
    weights += weight;
    weighted += weight * value;
    raw += value;
    return { value, weight };
  });
  const n = rows.length;
  if (n === 0) return { n, raw: null, mean: null, low: null, high: null, maturity: null, tooEarlyFor: [] };
  const mean = weighted / weights;
  let squares = 0;
  for (const { value, weight } of rows) squares += (weight * (value - mean)) ** 2;
  const error = (Math.sqrt(squares) / weights) * normalQuantileOf(1 - (1 - confidence) / 2);
  return { n, raw: raw / n, mean, low: mean - error, high: mean + error, maturity: n / weights, tooEarlyFor: [...tooEarly].sort() };
}
