import { sealed, unsealed } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';
import { countKnownItem, emptyFrequentNames, emptyFrequentNumbers, frequentItems, mergeFrequentItems, observeItem, observeNewItem, readFrequentNames, readFrequentNumbers, writeFrequentNames, writeFrequentNumbers, type FrequentItems } from './frequent-items.js';
import { distinctCount, emptyHyperLogLog, hyperLogLogRelativeError, mergeHyperLogLogs, observeDistinctName, observeDistinctNumber, readHyperLogLog, writeHyperLogLog, type HyperLogLog } from './hyper-log-log.js';
import { emptyKll, kllQuantiles, kllRankErrorOfAll, kllRanks, mergeKll, observeKll, readKll, writeKll, type KllSketch } from './kll.js';
import { emptyMoments, mergeMoments, momentsMean, momentsVariance, observeMoments, readMoments, writeMoments, type Moments } from './moments.js';

/**
 * All that is kept of one feature in one pane: nulls, moments with minimum and maximum, quantiles (KLL, k = 400, float32), distinct
 * values (HyperLogLog of 4,096 registers) and the 128 most frequent values. At most 8 KB as bytes however many values came, for
 * categories as long as their names take 40 bytes on average.
 *
 * null, undefined and NaN count as nulls; ±∞ and values of the other kind count as `odd` and enter nothing else.
 */
export interface NumericState {
  readonly kind: 'number';
  nulls: number;
  odd: number;
  moments: Moments;
  quantiles: KllSketch;
  distinct: HyperLogLog;
  frequent: FrequentItems<number>;
}

export interface CategoricalState {
  readonly kind: 'category';
  nulls: number;
  odd: number;
  distinct: HyperLogLog;
  /** Names of more than 40 UTF-8 bytes stand here as `shortName` has them; their own bytes count as distinct. */
  frequent: FrequentItems<string>;
}

export type FeatureState = NumericState | CategoricalState;

/**
 * @param seed for the coins of the quantile sketch: take another for each pane and partition.
 * @param float how quantiles are stored: 32 bits keep a pane within 8 KB, 64 keep times in milliseconds exact (13 KB at most).
 */
export function emptyFeatureState(kind: 'number' | 'category', seed = 0, float: 32 | 64 = 32): FeatureState {
  const start = { nulls: 0, odd: 0, distinct: emptyHyperLogLog() };
  return kind === 'number'
    ? { kind, ...start, moments: emptyMoments(), quantiles: emptyKll({ k: 400, float, seed }), frequent: emptyFrequentNumbers(128) }
    : { kind, ...start, frequent: emptyFrequentNames(128) };
}

const [nameBytesMax, nameBytesKept] = [40, 28];
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();
const scratch = new Uint8Array(nameBytesKept);
const halfPair = /[\uD800-\uDFFF]/gu;

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) > 127) return false;
  return true;
}

/** A name of at most 40 UTF-8 bytes, or its beginning, `…`, and a number made of the whole (FNV-1a, 32 bits, over its code units). */
export function shortName(name: string): string {
  if (name.length <= nameBytesMax && isAscii(name)) return name;
  const known = name.replaceAll(halfPair, '\uFFFD');
  if (known.length * 3 <= nameBytesMax || utf8.encode(known).length <= nameBytesMax) return known;
  let hash = 0x811c9dc5;
  for (let at = 0; at < known.length; at += 1) hash = Math.imul(hash ^ known.charCodeAt(at), 0x01000193);
  const { written } = utf8.encodeInto(known, scratch);
  return `${fromUtf8.decode(scratch.subarray(0, written))}…${(hash >>> 0).toString(16).padStart(8, '0')}`;
}

function observeNumber(state: NumericState, x: number): void {
  if (!(x - x === 0)) {
    if (Number.isNaN(x)) state.nulls += 1;
    else state.odd += 1;
    return;
  }
  observeMoments(state.moments, x);
  observeKll(state.quantiles, x);
  // A value with a counter has been counted as distinct before.
  if (countKnownItem(state.frequent, x)) return;
  observeNewItem(state.frequent, x);
  observeDistinctNumber(state.distinct, x);
}

function observeName(state: CategoricalState, name: string): void {
  if (countKnownItem(state.frequent, name)) return;
  const short = shortName(name);
  if (short === name) observeNewItem(state.frequent, name);
  else observeItem(state.frequent, short);
  observeDistinctName(state.distinct, name);
}

/** Takes in one value, in place. true and false are the categories `true` and `false`; a number among categories is its text. */
export function observeFeature(state: FeatureState, value: number | string | boolean | null | undefined): void {
  if (value === null || value === undefined) state.nulls += 1;
  else if (state.kind === 'number') {
    if (typeof value === 'number') observeNumber(state, value);
    else state.odd += 1;
  } else if (typeof value === 'string') observeName(state, value);
  else if (typeof value === 'boolean') observeName(state, value ? 'true' : 'false');
  else if (Number.isFinite(value)) observeName(state, String(value));
  else if (Number.isNaN(value)) state.nulls += 1;
  else state.odd += 1;
}

/** Values that are neither null nor odd. */
export const featureCount = (state: FeatureState): number => state.frequent.n;

/** @throws RangeError when the kinds differ. */
export function mergeFeatureStates(a: FeatureState, b: FeatureState): FeatureState {
  const both = { nulls: a.nulls + b.nulls, odd: a.odd + b.odd, distinct: mergeHyperLogLogs(a.distinct, b.distinct) };
  if (a.kind === 'number' && b.kind === 'number') {
    return { kind: 'number', ...both, moments: mergeMoments(a.moments, b.moments), quantiles: mergeKll(a.quantiles, b.quantiles), frequent: mergeFrequentItems(a.frequent, b.frequent) };
  }
  if (a.kind === 'category' && b.kind === 'category') return { kind: 'category', ...both, frequent: mergeFrequentItems(a.frequent, b.frequent) };
  throw new RangeError('a numeric and a categorical feature cannot be merged');
}

const [tag, version] = [8, 1];

export function serialiseFeatureState(state: FeatureState): Uint8Array {
  return sealed(tag, version, (writer) => {
    writer.u8(state.kind === 'number' ? 0 : 1);
    writer.count(state.nulls);
    writer.count(state.odd);
    writeHyperLogLog(writer, state.distinct);
    if (state.kind === 'category') {
      writeFrequentNames(writer, state.frequent);
      return;
    }
    writeFrequentNumbers(writer, state.frequent);
    writeMoments(writer, state.moments);
    writeKll(writer, state.quantiles);
  });
}

/** @throws RangeError for bytes that are no feature state. */
export function parseFeatureState(bytes: Uint8Array): FeatureState {
  return unsealed(bytes, tag, version, (reader) => {
    const kind = reader.u8();
    if (kind > 1) throw new RangeError(`there is no kind ${kind} of feature`);
    const start = { nulls: reader.count(), odd: reader.count(), distinct: readHyperLogLog(reader) };
    if (kind === 1) return { kind: 'category', ...start, frequent: readFrequentNames(reader) };
    const frequent = readFrequentNumbers(reader);
    return { kind: 'number', ...start, frequent, moments: readMoments(reader), quantiles: readKll(reader) };
  });
}

const common = { role: 'sketch', merge: mergeFeatureStates, serialise: serialiseFeatureState, parse: parseFeatureState, orderIndependent: false } as const;

function answersOf(state: FeatureState) {
  const distinct = distinctCount(state.distinct);
  const most = state.kind === 'number' ? frequentItems(state.frequent, 1) : frequentItems(state.frequent, 1);
  return [
    { about: 'count', value: featureCount(state), error: 0, moves: 'not' as const },
    { about: 'distinct', value: distinct, error: distinct * hyperLogLogRelativeError },
    { about: 'count of the most frequent', value: most[0]?.atLeast ?? 0, error: state.frequent.shed, moves: 'not' as const },
  ];
}

export const numericStateKind: SketchKind<FeatureState, 'number'> = {
  ...common,
  name: 'feature-state',
  takes: 'number',
  empty: (seed) => emptyFeatureState('number', seed),
  observe: observeFeature,
  answers(state, probes) {
    if (state.kind !== 'number') return [];
    const error = state.quantiles.n <= state.quantiles.k ? 0 : kllRankErrorOfAll(state.quantiles.k);
    const size = state.moments.n === 0 ? 0 : Math.max(Math.abs(state.moments.min), Math.abs(state.moments.max));
    return [
      ...answersOf(state),
      { about: 'mean', value: momentsMean(state.moments), error: 1e-12 * size, moves: 'as-place' },
      { about: 'variance', value: momentsVariance(state.moments), error: 1e-12 * size * size, moves: 'as-square' },
      ...kllRanks(state.quantiles, probes).map((value, index) => ({ about: `rank of probe ${index}`, value, error, moves: 'not' as const })),
      ...kllQuantiles(state.quantiles, [0.25, 0.5, 0.75]).map((value, index) => ({ about: `quartile ${index + 1}`, value, error: Infinity })),
    ];
  },
};

export const categoricalStateKind: SketchKind<FeatureState, 'name'> = {
  ...common,
  name: 'feature-state/category',
  takes: 'name',
  empty: (seed) => emptyFeatureState('category', seed),
  observe: observeFeature,
  answers: answersOf,
};
