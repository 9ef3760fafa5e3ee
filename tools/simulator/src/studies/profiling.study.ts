import { countFeature, distinctCount, emptyFeatureCounts, serialiseFeatureCounts, emptyFeatureState, emptyKll, hyperLogLogRelativeError, emptyHyperLogLog, kllRankError, kllRankErrorOfAll, kllSteps, mergeFeatureStates, observeDistinctNumber, observeFeature, observeKll, mergeKll, serialiseFeatureState, type FeatureState, type KllSketch } from '@millrace/core/statistics';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Figures, Study } from '../study.js';

type Value = number | string | null;
const numericShapes: Readonly<Record<string, (chance: Chance) => Value>> = {
  normal: (chance) => chance.normal(),
  lognormal: (chance) => Math.exp(2 * chance.normal()),
  integers: (chance) => chance.integer(1_000),
  'zero-inflated': (chance) => (chance.uniform() < 0.7 ? 0 : chance.exponential()),
  nulls: (chance) => (chance.uniform() < 0.2 ? null : chance.normal()),
};
const categoricalShapes: Readonly<Record<string, (chance: Chance) => Value>> = {
  '20-categories': (chance) => `category-${chance.integer(20)}`,
  'long-tail': (chance) => `category-${Math.floor(chance.uniform() ** -1.2)}`,
  ids: (chance) => `${chance.integer(2 ** 31).toString(16)}-${chance.integer(2 ** 31).toString(16)}`,
};
const shapes: Readonly<Record<string, (chance: Chance) => Value>> = { ...numericShapes, ...categoricalShapes };
const kindOf = (shape: string): 'number' | 'category' => (shape in numericShapes ? 'number' : 'category');
const makerOf = (shape: string): ((chance: Chance) => Value) => shapes[shape] ?? (() => null);

const valuesPerTrial = 1_000_000;

/** The time is the machine's, the figure with it; values are made before the clock starts. */
const speedCell = (shape: string): Cell => ({
  id: `speed/${shape}`, about: `${shape}: one core takes in ${valuesPerTrial.toLocaleString('en-US')} values with the full state; best of the trials, after one to warm up`, trials: 5,
  goals: [{ figure: 'valuesPerSecond', atLeast: 1_200_000 }],
  run(trials, seed): Figures {
    const chance = chanceOf(seed);
    const make = makerOf(shape);
    const values = Array.from({ length: valuesPerTrial }, () => make(chance));
    let best = Infinity;
    for (let trial = 0; trial <= trials; trial += 1) {
      const state = emptyFeatureState(kindOf(shape), trial);
      const started = process.hrtime.bigint();
      for (const value of values) observeFeature(state, value);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (trial > 0 || trials === 0) best = Math.min(best, seconds);
    }
    return { valuesPerSecond: valuesPerTrial / best };
  },
});

/** The state of windows, beside the full state of profiles. */
const countsCell = (shape: string): Cell => ({
  id: `window-counts/${shape}`, about: `${shape}: one core takes in ${valuesPerTrial.toLocaleString('en-US')} values with the state of drift windows, and its size; best of the trials, after one to warm up`, trials: 5,
  goals: [{ figure: 'valuesPerSecond', atLeast: 1_200_000 }, { figure: 'bytes', atMost: 8_192 }],
  run(trials, seed): Figures {
    const chance = chanceOf(seed);
    const make = makerOf(shape);
    const values = Array.from({ length: valuesPerTrial }, () => make(chance));
    let [best, bytes] = [Infinity, 0];
    for (let trial = 0; trial <= trials; trial += 1) {
      const counts = emptyFeatureCounts(kindOf(shape));
      const started = process.hrtime.bigint();
      for (const value of values) countFeature(counts, value);
      const seconds = Number(process.hrtime.bigint() - started) / 1e9;
      if (trial > 0 || trials === 0) best = Math.min(best, seconds);
      bytes = serialiseFeatureCounts(counts).length;
    }
    return { valuesPerSecond: valuesPerTrial / best, bytes };
  },
});

/** Beyond 10^6 values, panes are merged: that is how a day grows out of minutes. */
function stateOf(shape: string, size: number, chance: Chance): FeatureState {
  const make = makerOf(shape);
  const part = Math.min(size, 1_000_000);
  let whole: FeatureState | null = null;
  for (let done = 0; done < size; done += part) {
    const state = emptyFeatureState(kindOf(shape), chance.integer(2 ** 31));
    for (let row = 0; row < part; row += 1) observeFeature(state, make(chance));
    whole = whole === null ? state : mergeFeatureStates(whole, state);
  }
  return whole ?? emptyFeatureState(kindOf(shape));
}

const sizeCell = (shape: string, size: number): Cell => ({
  id: `bytes/${shape}/${size}`, about: `${shape}: a feature-pane of ${size.toLocaleString('en-US')} values as bytes, the largest of the trials`, trials: size >= 10_000_000 ? 1 : 3,
  goals: [{ figure: 'bytes', atMost: 8_192 }],
  run(trials, seed) {
    let bytes = 0;
    for (let trial = 0; trial < trials; trial += 1) bytes = Math.max(bytes, serialiseFeatureState(stateOf(shape, size, chanceOf(seed, trial))).length);
    return { bytes };
  },
});

/** 0 … n − 1, in an order of its own: the rank of x is (x + 1)/n. */
function shuffledRanks(n: number, chance: Chance): Float64Array {
  const values = Float64Array.from({ length: n }, (_, index) => index);
  for (let at = n - 1; at > 0; at -= 1) {
    const other = chance.integer(at + 1);
    const [a, b] = [values[at] ?? 0, values[other] ?? 0];
    values[at] = b;
    values[other] = a;
  }
  return values;
}

/** Error of the median's rank, and of the worst rank of all, as parts of n. */
function rankErrors(sketch: KllSketch, n: number): { one: number; all: number } {
  const { values, atMost } = kllSteps(sketch);
  let [one, all, before] = [0, 0, 0];
  const middle = (n - 1) / 2;
  values.forEach((value, step) => {
    const after = atMost[step] ?? 0;
    // Just below a step the estimate is still the one before it.
    all = Math.max(all, Math.abs(after - (value + 1)), Math.abs(before - value));
    if (value <= middle) one = Math.abs(after - Math.floor(middle + 1));
    before = after;
  });
  return { one: one / n, all: Math.max(all, Math.abs(n - before)) / n };
}

const rankCell = (k: number, n: number, parts: number, trials: number): Cell => ({
  id: `rank/${k}/${n}/${parts}`, about: `KLL, k = ${k}, ${n.toLocaleString('en-US')} values${parts > 1 ? ` merged from ${parts} parts` : ''}: share of sketches within the stated error`, trials,
  goals: [{ figure: 'oneRankWithin', atLeast: 0.99 }, { figure: 'allRanksWithin', atLeast: 0.99 }],
  run(count, seed) {
    let [one, all] = [0, 0];
    const errors: number[] = [];
    const chance = chanceOf(seed);
    const values = shuffledRanks(n, chance);
    for (let trial = 0; trial < count; trial += 1) {
      // The coins are what the error is about; another rotation of the order comes with each trial.
      const from = chance.integer(n);
      let merged: KllSketch | null = null;
      for (let part = 0; part < parts; part += 1) {
        const sketch = emptyKll({ k, float: 32, seed: chance.integer(2 ** 31) });
        for (let row = part; row < n; row += parts) observeKll(sketch, values[(from + row) % n] ?? 0);
        merged = merged === null ? sketch : mergeKll(merged, sketch);
      }
      if (merged === null) continue;
      const error = rankErrors(merged, n);
      if (error.one <= kllRankError(k)) one += 1;
      if (error.all <= kllRankErrorOfAll(k)) all += 1;
      errors.push(error.all);
    }
    errors.sort((a, b) => a - b);
    return { oneRankWithin: one / count, allRanksWithin: all / count, statedErrorOfAll: kllRankErrorOfAll(k), error99: errors[Math.ceil(0.99 * errors.length) - 1] ?? NaN, worstError: errors.at(-1) ?? NaN };
  },
});

const distinctCell = (n: number): Cell => ({
  id: `distinct/${n}`, about: `HyperLogLog of ${n.toLocaleString('en-US')} distinct values: share within the stated error of 4.2 %`, trials: 400,
  goals: [{ figure: 'within', atLeast: 0.97 }],
  run(trials, seed) {
    let [within, squares, sum] = [0, 0, 0];
    for (let trial = 0; trial < trials; trial += 1) {
      const chance = chanceOf(seed, trial);
      const sketch = emptyHyperLogLog();
      const start = chance.integer(2 ** 31) * 2 ** 20;
      for (let value = 0; value < n; value += 1) observeDistinctNumber(sketch, start + value);
      const error = distinctCount(sketch) / n - 1;
      if (Math.abs(error) <= hyperLogLogRelativeError) within += 1;
      squares += error * error;
      sum += error;
    }
    return { within: within / trials, relativeDeviation: Math.sqrt(squares / trials), relativeBias: sum / trials };
  },
});

const sizes = [10_000, 100_000, 1_000_000, 10_000_000];

export const profilingStudy: Study = {
  name: 'profiling',
  title: 'Profiles of features: speed, size and truth',
  method:
    'The full state of a feature (nulls, moments, minimum and maximum, KLL with k = 400 in float32, HyperLogLog of 4,096 registers, 128 frequent values) takes in a million values of each shape on one core; it is written as bytes after 10^4 to 10^7 values, beyond 10^6 by merging; ranks of sketches of shuffled whole numbers and distinct counts are compared with the truth, which is known exactly. Stated rank errors: 2.296/k^0.9723 for one rank and 2.446/k^0.9433 for all at once, 99 %.',
  cells: [
    ...Object.keys(shapes).map(speedCell), ...Object.keys(shapes).map(countsCell),
    ...['normal', 'integers', 'long-tail', 'ids'].flatMap((shape) => sizes.map((size) => sizeCell(shape, size))),
    rankCell(400, 10_000, 1, 10_000), rankCell(400, 100_000, 1, 10_000), rankCell(400, 100_000, 60, 2_000), rankCell(1_600, 100_000, 1, 2_000),
    ...[100, 5_000, 20_000, 200_000].map(distinctCell),
  ],
  rivals: [{ tool: 'whylogs', about: '34 million rows of 43 columns on 2 × 8 virtual cores in 2.6 minutes, per virtual core', figures: { valuesPerSecond: 590_000 }, source: 'whylabs/whylogs, python/README.md' }],
};

