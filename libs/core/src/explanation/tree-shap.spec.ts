/**
 * Goal: TreeSHAP gives the Shapley values of its two games, and those of the shap package.
 * Method: random ensembles against the definition of the Shapley value (all subsets of up to six players, the game evaluated
 * by recursion); models trained and explained in Python (fixtures/tree-shap.py, shap 0.51) read from their ONNX files; sums
 * against the ensemble's own scores.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { anyForest, bruteForceShapley, conditionalScore, hybridScore } from './any-forest.fixture.js';
import { frozenModels, layoutOf } from './frozen-models.fixture.js';
import { planExplanation } from './explanation-plan.js';
import { gaussLegendre } from './gauss-legendre.js';
import { InterventionalTreeShap } from './interventional-tree-shap.js';
import { ensembleScores } from './tree-ensemble.js';
import { treeShap } from './tree-shap.js';

const closeTo = (actual: ArrayLike<number>, expected: readonly number[], tolerance: number): void => {
  expect(actual.length).toBe(expected.length);
  expected.forEach((value, index) => expect(Math.abs((actual[index] ?? NaN) - value)).toBeLessThanOrEqual(tolerance));
};
const total = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0);

describe('quadrature', () => {
  it.each([1, 2, 3, 5, 9, 20, 50])('%i points integrate all powers below twice their number: ∫₀¹ t^k = 1 / (k + 1)', (count) => {
    const { points, weights } = gaussLegendre(count);
    for (let power = 0; power < 2 * count; power += 1) {
      expect(points.reduce((sum, point, index) => sum + (weights[index] ?? 0) * point ** power, 0)).toBeCloseTo(1 / (power + 1), 13);
    }
  });
});

describe('against the definition', () => {
  it('path-dependent: every subset of columns, unknown splits weighed by their cover', () => {
    fc.assert(
      fc.property(anyForest, ({ ensemble, row, columns }) => {
        const expected = bruteForceShapley(columns, (known) => conditionalScore(ensemble, row, (column) => known.has(column)));
        const { base, values } = treeShap(ensemble, row);
        closeTo(values, expected.values.slice(0, values.length), 1e-9);
        expect(base).toBeCloseTo(expected.empty, 9);
        expect(base + total(values)).toBeCloseTo(ensembleScores(ensemble, row)[0] ?? NaN, 9);
      }),
      { numRuns: 300 },
    );
  });

  it('path-dependent with columns of one player known together', () => {
    fc.assert(
      fc.property(anyForest, ({ ensemble, row, columns }) => {
        const playerOf = Int32Array.from({ length: columns }, (_, column) => column % 3);
        const expected = bruteForceShapley(3, (known) => conditionalScore(ensemble, row, (column) => known.has(column % 3)));
        closeTo(treeShap(ensemble, row, 0, playerOf).values, expected.values.slice(0, Math.min(3, ensemble.columns)), 1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it('interventional: every subset of columns, the others from each background row', () => {
    fc.assert(
      fc.property(anyForest, ({ ensemble, row, columns, background }) => {
        const expected = bruteForceShapley(columns, (known) => background.reduce((sum, other) => sum + hybridScore(ensemble, row, other, (column) => known.has(column)), 0) / background.length);
        const { base, values } = new InterventionalTreeShap(ensemble, background.flat(), columns).explain(row);
        closeTo(values, expected.values.slice(0, values.length), 1e-9);
        expect(base).toBeCloseTo(expected.empty, 9);
        expect(base + total(values)).toBeCloseTo(ensembleScores(ensemble, row)[0] ?? NaN, 9);
      }),
      { numRuns: 300 },
    );
  });

  it('interventional with columns of one player replaced together', () => {
    fc.assert(
      fc.property(anyForest, ({ ensemble, row, columns, background }) => {
        const playerOf = Int32Array.from({ length: columns }, (_, column) => column % 3);
        const expected = bruteForceShapley(3, (known) => background.reduce((sum, other) => sum + hybridScore(ensemble, row, other, (column) => known.has(column % 3)), 0) / background.length);
        closeTo(new InterventionalTreeShap(ensemble, background.flat(), columns, 0, playerOf).explain(row).values, expected.values.slice(0, Math.min(3, ensemble.columns)), 1e-9);
      }),
      { numRuns: 200 },
    );
  });
});

describe('against the shap package', () => {
  it.each(frozenModels())('$name', ({ bytes, signature, columns, values, base, background }) => {
    const { trees } = planExplanation(bytes, layoutOf(signature), signature);
    if (trees === null) throw new Error('the model was not read as trees');
    expect(trees.ensemble.cover === null).toBe(background !== undefined);
    values.forEach((expectedRows, score) => {
      // One score for two classes: the second's, as in shap where it gives one; the first's is its opposite.
      const { target, sign, offset } = trees.scores[values.length === 1 ? trees.scores.length - 1 : score] ?? { target: -1, sign: 1, offset: 0 };
      columns.forEach((row, index) => {
        const numbers = row.map((value) => value ?? NaN);
        const attribution = background === undefined
          ? treeShap(trees.ensemble, numbers, target)
          : new InterventionalTreeShap(trees.ensemble, background.flatMap((other) => other.map((value) => value ?? NaN)), numbers.length, target).explain(numbers);
        closeTo(Float64Array.from(numbers, (_, column) => sign * (attribution.values[column] ?? 0)), expectedRows[index] ?? [], 1e-6);
        expect(Math.abs(sign * attribution.base + offset - (base[score] ?? NaN))).toBeLessThanOrEqual(1e-5);
        expect(Math.abs(attribution.base + total(attribution.values) - (ensembleScores(trees.ensemble, numbers)[target] ?? NaN))).toBeLessThanOrEqual(1e-9);
      });
    });
  });
});

describe('what cannot be explained so', () => {
  it('names what is missing', () => {
    fc.assert(
      fc.property(anyForest, ({ ensemble, row }) => {
        expect(() => treeShap({ ...ensemble, cover: null }, row)).toThrow(/background/u);
        expect(() => new InterventionalTreeShap(ensemble, [], row.length)).toThrow(/none were given/u);
      }),
      { numRuns: 5 },
    );
  });
});
