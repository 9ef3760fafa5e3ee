/**
 * Goal: a change of the features that a model rests on is found where no feature’s own distribution changes, a steady stream is
 * silent, and the state has no order.
 * Method: trees that look at a feature only where another one lets them, explained by TreeSHAP. In the window each feature is distributed as in
 * training, but that feature’s values come where the trees do not look; its part before and after follows by hand. Bounds against closed forms: the interval of a constant, of coins,
 * and NDCG of a ranking turned round, by hand.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seededUniforms } from '../../statistics/index.js';
import { TreeShap } from '../../explanation/tree-shap.js';
import { forestOf, type AnyTree } from '../../explanation/any-forest.fixture.js';
import { attributionCounts, attributionsOf, emptyAttributions, mergeAttributions, observeAttributions, parseAttributions, serialiseAttributions, type AttributionState } from './attribution-counts.js';
import { meanShare, rankingGain, shareInterval } from './attribution-profile.js';
import { judgeAttributions, type AttributionPolicy } from './judge-attributions.js';

const features = ['distance', 'gate', 'wind'];
/** The first tree looks at the distance (−1, 0 or 1) only where the gate is open, the second at the wind: ±0.25. */
const trees: AnyTree[] = [
  { column: 1, comparison: 0, threshold: 0.5, missingGoesTrue: false, whenTrue: { weight: 0 }, whenFalse: {
    column: 0, comparison: 0, threshold: -0.5, missingGoesTrue: false, whenTrue: { weight: -1 }, whenFalse: { column: 0, comparison: 0, threshold: 0.5, missingGoesTrue: false, whenTrue: { weight: 0 }, whenFalse: { weight: 1 } } } },
  { column: 2, comparison: 0, threshold: 0, missingGoesTrue: false, whenTrue: { weight: -0.25 }, whenFalse: { weight: 0.25 } },
];
/** Training rows at each node, where the gate is open exactly for distances that are not 0. */
const shap = new TreeShap({ ...forestOf(trees, 0), cover: Float64Array.of(400, 200, 200, 100, 100, 0, 100, 400, 200, 200) }, 0);

/** Rows of (distance, gate, wind) → explained. */
function explained(rows: readonly (readonly number[])[]): AttributionState {
  const state = emptyAttributions(true);
  rows.forEach((row, index) => {
    const { values } = shap.explain(Float64Array.from(row));
    observeAttributions(state, `p${index}`, Object.fromEntries(features.map((feature, at) => [feature, values[at] ?? 0])));
  });
  return state;
}

/** Half of the distances are 0, a quarter each −1 and 1; the gate is open for half of the rows; the wind is low or high. */
function rowsOf(count: number, seed: number, isOpen: (distance: number) => boolean): number[][] {
  const uniform = seededUniforms(seed);
  return Array.from({ length: count }, () => {
    const distance = uniform() < 0.5 ? 0 : uniform() < 0.5 ? -1 : 1;
    return [distance, isOpen(distance) ? 1 : 0, uniform() < 0.5 ? -1 : 1];
  });
}
const asTrained = (distance: number): boolean => distance !== 0;
const flipped = (distance: number): boolean => distance === 0;

const policy: AttributionPolicy = { alpha: 0.01, rowsMin: 200, attributionMin: 0.05 };
const surroundings = { features, spent: 0, allowed: 1, uniform: seededUniforms(5) };

describe('the state', () => {
  const row = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { maxKeys: 4 });
  const stateOf = (rows: readonly Record<string, number>[], from = 0): AttributionState => {
    const state = emptyAttributions(false);
    rows.forEach((contributions, index) => observeAttributions(state, `p${from + index}`, contributions));
    return state;
  };
  it('has no order: any split and order of the rows gives the same bytes', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 30 }), fc.nat(30), (rows, cut) => {
        const whole = serialiseAttributions(mergeAttributions(stateOf(rows), emptyAttributions(false)));
        const parts = mergeAttributions(stateOf(rows.slice(cut).reverse(), cut), stateOf(rows.slice(0, cut).reverse()));
        expect(serialiseAttributions(parts)).toBe(whole);
        expect(serialiseAttributions(parseAttributions(whole))).toBe(whole);
      }),
    );
  });
  it('survives its way through JSON', () => {
    const state = explained(rowsOf(300, 1, asTrained));
    expect(serialiseAttributions(parseAttributions(serialiseAttributions(state)))).toBe(serialiseAttributions(state));
    expect(attributionsOf(attributionCounts(state))).toEqual({ ...state, seen: null });
  });
  it('counts a prediction that was explained twice once, and a row that nothing moved as 0', () => {
    const state = emptyAttributions(true);
    expect([observeAttributions(state, 'p', { a: -3, b: 1 }), observeAttributions(state, 'p', { a: -3, b: 1 }), observeAttributions(state, 'q', { a: 0, b: 0 })]).toEqual([true, false, true]);
    expect([state.rows, meanShare(state, 'a'), meanShare(state, 'b'), meanShare(state, 'c')]).toEqual([2, 0.375, 0.125, 0]);
  });
});

describe('bounds', () => {
  const coins = (n: number, p: number, seed: number): AttributionState => {
    const [state, uniform] = [emptyAttributions(false), seededUniforms(seed)];
    for (let index = 0; index < n; index += 1) observeAttributions(state, `p${index}`, uniform() < p ? { a: 1 } : { b: 1 });
    return state;
  };
  it('hold the expected share of coins in at least 1 − 2α of 400 samples, and are at most half as wide again as the normal ones', () => {
    const [alpha, n, p] = [0.05, 400, 0.3];
    const intervals = Array.from({ length: 400 }, (_, seed) => shareInterval(coins(n, p, seed + 1), 'a', { alpha, centre: 0.3, uniform: seededUniforms(seed) }));
    const wrong = intervals.filter(({ low, high }) => low > p || high < p).length;
    // Nominal 40; three standard errors of a binomial above.
    expect(wrong).toBeLessThanOrEqual(40 + 3 * Math.sqrt(36));
    const width = intervals.reduce((sum, { low, high }) => sum + high - low, 0) / intervals.length;
    expect(width).toBeLessThanOrEqual(1.5 * 2 * Math.sqrt((2 * Math.log(1 / alpha) * p * (1 - p)) / n));
  });
  it('a bad guess of the centre costs width, not truth', () => {
    const state = coins(2_000, 0.3, 9);
    const { low, high } = shareInterval(state, 'a', { alpha: 0.001, centre: 0.9, uniform: seededUniforms(1) });
    expect(low).toBeLessThan(0.3);
    expect(high).toBeGreaterThan(0.3);
  });
  it('nothing known: no bound', () => expect(shareInterval(emptyAttributions(false), 'a', { alpha: 0.1, centre: 0.5, uniform: seededUniforms(1) })).toEqual({ low: 0, high: 1 }));
});

describe('NDCG', () => {
  it.each([
    ['the same ranking', { a: 0.6, b: 0.3, c: 0.1 }, 1],
    // Gains 0.1, 0.3, 0.6 at discounts 1, log2 3, 2; ideal 0.6, 0.3, 0.1.
    ['the ranking turned round', { a: 0.1, b: 0.3, c: 0.6 }, (0.1 + 0.3 / Math.log2(3) + 0.6 / 2) / (0.6 + 0.3 / Math.log2(3) + 0.1 / 2)],
  ])('%s', (_name, now: Record<string, number>, expected) => {
    const reference: Record<string, number> = { a: 0.6, b: 0.3, c: 0.1 };
    expect(rankingGain(['a', 'b', 'c'], (name) => reference[name] ?? 0, (name) => now[name] ?? 0)).toBeCloseTo(expected, 12);
  });
});

describe('verdicts', () => {
  const reference = explained(rowsOf(2_000, 1, asTrained));

  it('an interaction that is turned round shows, though no feature’s own distribution moved', () => {
    const moved = rowsOf(4_000, 2, flipped);
    const part = (column: number, value: number): number => moved.filter((row) => row[column] === value).length / moved.length;
    expect([part(0, 0), part(0, 1), part(1, 1), part(2, 1)].map((share, at) => Math.abs(share - ([1 / 2, 1 / 4, 1 / 2, 1 / 2][at] ?? NaN)) < 0.03)).toEqual([true, true, true, true]);
    const { outcome, findings, level } = judgeAttributions(explained(moved), reference, policy, surroundings);
    expect([outcome, level]).toEqual(['failed', 0.01]);
    const distance = findings.find(({ subject }) => subject === 'attribution:distance');
    // By hand: where the tree looks, |φ| is 0.75, 0.25 and 0.25; at an open gate without distance only the wind counts; at a closed one all have 0.25.
    expect(distance?.reference).toBeCloseTo(0.3, 1.5);
    expect(distance?.statistic).toBeCloseTo(0.3 - 1 / 6, 1.5);
    expect(distance).toMatchObject({ outcome: 'failed', referenceRows: 2_000, currentRows: 4_000, reasons: ['attribution'] });
    expect(distance?.lowerBound).toBeGreaterThan(0.05);
    expect(distance?.lowerBound).toBeLessThan(distance?.statistic ?? 0);
    expect(distance?.reason).toMatch(/^distance makes up 1\d % of the explanations, (?:29|30|31) % on the test rows of training \(moved by 1\d % of them, at least \d\.\d % with 99\.\d+ % confidence; more than 5\.0 % matters\); 4,000 explained answers against 2,000; false-alarm budget spent: 1\.0 %$/u);
  });

  it('a steady stream passes', () => {
    const { outcome, findings } = judgeAttributions(explained(rowsOf(2_000, 3, asTrained)), reference, policy, surroundings);
    expect(outcome).toBe('passed');
    expect(findings.find(({ detector }) => detector === 'ndcg')?.statistic).toBeGreaterThan(0.98);
  });

  it('few rows are not enough evidence, and cost nothing', () => {
    expect(judgeAttributions(explained(rowsOf(150, 4, flipped)), reference, policy, surroundings)).toMatchObject({ outcome: 'inconclusive', level: 0, findings: [{ subject: 'attribution', currentRows: 150, reason: '150 explained answers are fewer than the 200 needed' }] });
  });

  it('a change that matters but is not certain is inconclusive', () => {
    const [small, large] = [explained(rowsOf(200, 5, flipped)), explained(rowsOf(100, 6, asTrained))];
    const { findings } = judgeAttributions(small, large, { ...policy, alpha: 1e-6 }, surroundings);
    expect(findings.filter(({ detector, outcome }) => detector === 'attribution-share' && outcome === 'inconclusive').length).toBeGreaterThan(0);
    expect(findings.every(({ outcome }) => outcome !== 'failed')).toBe(true);
  });
});
