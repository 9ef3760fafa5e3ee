/**
 * Goal: sampled Shapley values add up exactly, miss the exact ones by no more than they say, and are the same for the same seed.
 * Method: random trees against the definition (all subsets); an additive function, whose values are known; the share of 95 %
 * intervals that hold the exact value, over 400 explanations with fixed seeds.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyForest, bruteForceShapley } from './any-forest.fixture.js';
import { permutationShap } from './permutation-shap.js';
import { ensembleScores } from './tree-ensemble.js';

const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0);

/** f(x) = x0 x1 + x2 x3 x4 − x5 + x2 x6 x7, x in {0, 1, 2, 3}. */
const products = (rows: readonly (readonly number[])[]): number[] => rows.map(([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0]) => a * b + c * d * e - f + c * g * h);
const rowOf = (seed: number): number[] => Array.from({ length: 8 }, (_, index) => (Math.imul(seed + 1, 2_654_435_761) >>> (index * 4 + 2)) & 3);

function exact(row: readonly number[], background: readonly (readonly number[])[]): number[] {
  const worth = (known: ReadonlySet<number>): number => total(products(background.map((other) => other.map((value, index) => (known.has(index) ? (row[index] ?? 0) : value))))) / background.length;
  return bruteForceShapley(row.length, worth).values;
}

describe('permutation SHAP', () => {
  it('adds up for any trees, any background and any budget', async () => {
    await fc.assert(
      fc.asyncProperty(anyForest, fc.nat({ max: 500 }), fc.nat(), async ({ ensemble, row, background }, evaluationsMax, seed) => {
        const score = (values: readonly number[]): number => ensembleScores(ensemble, values)[0] ?? NaN;
        const { base, output, values } = await permutationShap((rows) => rows.map(score), row, background, { evaluationsMax, seed });
        expect(base).toBeCloseTo(total(background.map(score)) / background.length, 9);
        expect(output).toBe(score(row));
        expect(base + total(values)).toBeCloseTo(output, 9);
      }),
      { numRuns: 100 },
    );
  });

  it('is exact, and knows it, where features do not interact', async () => {
    const sum = (rows: readonly (readonly number[])[]): number[] => rows.map((row) => row.reduce((all, value, index) => all + (index + 1) * value, 7));
    const { base, values, standardErrors } = await permutationShap(sum, [1, 2, 3], [[0, 0, 0], [2, 4, 6]]);
    expect([...values]).toEqual([0, 0, 0]);
    expect([...standardErrors]).toEqual([0, 0, 0]);
    expect(base).toBe(7 + 1 + 4 + 9);
  });

  it('runs every coalition where they fit in the budget: exact, whatever the interactions', async () => {
    const [row, background] = [rowOf(1), [rowOf(2), rowOf(3), rowOf(4)]];
    const { base, output, values, standardErrors, evaluations } = await permutationShap(products, row, background, { evaluationsMax: 3 * 256 });
    exact(row, background).forEach((value, player) => expect(values[player]).toBeCloseTo(value, 12));
    expect(base + total(values)).toBeCloseTo(output, 12);
    expect([...standardErrors]).toEqual(new Array(8).fill(0));
    expect(evaluations).toBe(768);
    expect((await permutationShap(products, row, background, { evaluationsMax: 767 })).evaluations).not.toBe(768);
  });

  it('a value that is unknown is a value', async () => {
    const known = (rows: readonly (readonly (number | null)[])[]): number[] => rows.map((row) => row.filter((value) => value !== null).length);
    for (const evaluationsMax of [1, 100]) expect([...(await permutationShap(known, [null, 1, null], [[1, null, 2]], { evaluationsMax })).values]).toEqual([-1, 1, -1]);
  });

  it('one feature takes it all', async () => {
    const { base, values, standardErrors } = await permutationShap((rows) => rows.map(([x]) => (x ?? 0) ** 2), [3], [[1], [2]]);
    expect({ base, values: [...values], standardErrors: [...standardErrors] }).toEqual({ base: 2.5, values: [6.5], standardErrors: [0] });
  });

  it('states its error: 95 % intervals hold the exact value about so often', async () => {
    let [held, all] = [0, 0];
    for (let seed = 0; seed < 400; seed += 1) {
      const [row, background] = [rowOf(seed), [rowOf(seed + 1_000), rowOf(seed + 2_000)]];
      const { values, standardErrors } = await permutationShap(products, row, background, { evaluationsMax: 500, seed });
      exact(row, background).forEach((value, player) => {
        const miss = Math.abs((values[player] ?? NaN) - value);
        const error = standardErrors[player] ?? 0;
        if (miss < 1e-9 && error < 1e-9) return; // no interaction of three here: an order and its reverse are exact together
        all += 1;
        held += miss <= 1.96 * error ? 1 : 0;
      });
    }
    // 17 pairs for each of 2 background rows: Student's quantile is a little wider than 1.96.
    expect(all).toBeGreaterThan(1_000);
    expect(held / all).toBeGreaterThan(0.92);
    expect(held / all).toBeLessThan(0.98);
  });

  it('the same seed gives the same values, another one others', async () => {
    const explain = (seed: number) => permutationShap(products, [3, 2, 1, 3, 2, 1, 2, 3], [[0, 1, 0, 1, 0, 1, 0, 1]], { seed, evaluationsMax: 40 });
    expect(await explain(5)).toEqual(await explain(5));
    expect((await explain(5)).values).not.toEqual((await explain(6)).values);
  });

  it('says what is missing', async () => {
    await expect(permutationShap(products, [1], [])).rejects.toMatchObject({ code: 'EXPLANATION_UNAVAILABLE' });
    await expect(permutationShap(() => [NaN, NaN], [1], [[0]])).rejects.toMatchObject({ code: 'EXPLANATION_UNAVAILABLE', message: expect.stringContaining('NaN') });
  });
});
