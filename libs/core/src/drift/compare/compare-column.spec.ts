/**
 * Goal: a column is called drifted when it has changed by more than chance and enough to matter, says why, and says when it
 * cannot know; clean columns alarm no more often than asked for.
 * Method: seeded samples with known changes; closed forms (binomial tails, the KS distance 2Φ(δ/2) − 1 of shifted normals);
 * Evidently 0.7.23 itself for its compatibility values (fixtures/evidently-choice.py). The calibration study holds the
 * rates at many more sizes.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seeded } from '@millrace/testing';
import {
  alphaFor, budgetOf, categoricalColumn, compareColumn, compareColumns, defaultPolicy, evidentlyChoice, hiddenValues, numbersOfTexts, numericalColumn, pictureOf, type CategoricalColumn, type ColumnSample, type ColumnVerdict, type NumericalColumn,
} from '../index.js';
import { columnOf } from './seeded-columns.fixture.js';

type Chance = () => number;
/** Box–Muller. */
const normal = (chance: Chance): number => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
const numbers = (n: number, one: (row: number) => number): NumericalColumn => numericalColumn(Float64Array.from({ length: n }, (_, row) => one(row)));
const names = (n: number, one: (row: number) => string | null): CategoricalColumn => categoricalColumn(Array.from({ length: n }, (_, row) => one(row)));
const zipf = (chance: Chance, kinds: number): string => `c${Math.floor(Math.exp(chance() * Math.log(kinds)))}`;

describe('compareColumn', () => {
  const chance = seeded(41);
  const reference = numbers(10_000, () => normal(chance));
  const carriers = names(10_000, () => zipf(chance, 4));
  const againstNormal = (current: ColumnSample): ColumnVerdict => compareColumn(reference, current);

  it('finds a mean that moved by half a standard deviation in 250 rows', () => {
    const { verdict, effect, lowerBound, threshold, statistic, reasons, nReference, nCurrent } = againstNormal(numbers(250, () => normal(chance) + 0.5));
    expect(verdict).toBe('drifted');
    expect(reasons).toContain('distribution');
    // 2Φ(0.25) − 1 = 0.1974.
    expect(Math.abs(effect - 0.1974)).toBeLessThan(0.1);
    expect(lowerBound).toBeLessThan(0.1974);
    expect(statistic).toBeGreaterThan(threshold);
    expect([nReference, nCurrent]).toEqual([10_000, 250]);
  });
  it('calls the same distribution stable when there are rows enough, and says when there are not', () => {
    expect(againstNormal(numbers(5_000, () => normal(chance))).verdict).toBe('stable');
    const few = againstNormal(numbers(40, () => normal(chance)));
    expect(few.verdict).toBe('not-enough-evidence');
    expect(few.sentence).toContain('not enough evidence');
  });
  it('lets a certain trifle pass', () => {
    const large = numbers(200_000, (row) => row / 200_000);
    const moved = numbers(200_000, (row) => row / 200_000 + 0.008);
    expect(compareColumn(large, moved, { ...defaultPolicy, minimumEffect: 0 }).verdict).toBe('drifted');
    expect(compareColumn(large, moved, { ...defaultPolicy, minimumEffect: 0.01 }).reasons).not.toContain('distribution');
  });
  it('names a change of unit', () => {
    const lengths = numbers(5_000, () => Math.exp(normal(chance)));
    const verdict = compareColumn(lengths, numbers(60, () => Math.exp(normal(chance)) * 1_000));
    expect(verdict.reasons).toEqual(expect.arrayContaining(['distribution', 'unit', 'range']));
    expect(verdict.sentence).toContain('× 1000');
  });
  it('sees values go missing where none did', () => {
    const verdict = againstNormal(numbers(2_000, (row) => (row % 200 === 0 ? NaN : normal(chance))));
    expect(verdict).toMatchObject({ verdict: 'drifted', reasons: ['nulls'], effect: 0.005 });
    expect(verdict.sentence).toContain('10 of 2,000');
  });
  it('names a sentinel among numbers', () => expect(againstNormal(numbers(1_000, (row) => (row % 100 === 0 ? -999 : normal(chance)))).newCategories).toEqual(['-999']));
  it('names a new category of half a per cent, and no rare one', () => {
    expect(compareColumn(carriers, names(2_000, (row) => (row % 200 === 0 ? 'ZZ' : zipf(chance, 4))))).toMatchObject({ verdict: 'drifted', reasons: ['new-category'], newCategories: ['ZZ'] });
    expect(compareColumn(carriers, names(2_000, (row) => (row % 1_000 === 0 ? 'ZZ' : zipf(chance, 4)))).newCategories).toEqual([]);
  });
  it('sees texts appear in a column of numbers', () => expect(againstNormal(numbersOfTexts(Array.from({ length: 500 }, (_, row) => (row % 25 === 0 ? 'n/a' : String(normal(chance))))))).toMatchObject({ verdict: 'drifted', reasons: ['type'] }));
  it('sees numbers become names', () => expect(compareColumn(reference, names(500, () => zipf(chance, 4)))).toMatchObject({ verdict: 'drifted', type: 'categorical', reasons: expect.arrayContaining(['type']) }));
  it('names a column that got stuck, and one that came alive', () => {
    expect(againstNormal(numbers(500, () => 0.25)).reasons).toContain('constant');
    expect(compareColumn(numbers(500, () => 1), numbers(500, (row) => row)).reasons).toContain('constant');
  });
  it('finds a mix of three categories that moved', () => {
    const mix = (n: number, moved: number): CategoricalColumn => names(n, () => (chance() < moved ? 'c' : chance() < 0.5 ? 'a' : 'b'));
    expect(compareColumn(mix(10_000, 0.2), mix(2_000, 0.3))).toMatchObject({ verdict: 'drifted', reasons: ['distribution'] });
  });
  it('trusts a sketch only as far as its rank error', () => {
    const current = numbers(2_000, () => normal(chance) + 0.2);
    expect(compareColumn(reference, current).verdict).toBe('drifted');
    expect(compareColumn({ ...reference, rankError: 0.03 }, { ...current, rankError: 0.03 }).verdict).not.toBe('drifted');
  });
});

describe('clean columns', () => {
  const shapes: readonly (readonly [string, (chance: Chance, n: number) => ColumnSample])[] = [
    ['normal', (chance, n) => numbers(n, () => normal(chance))],
    ['whole numbers', (chance, n) => numbers(n, () => Math.floor(chance() * 6))],
    ['mostly zeros', (chance, n) => numbers(n, () => Math.max(0, chance() - 0.7))],
    ['with nulls', (chance, n) => numbers(n, () => (chance() < 0.03 ? NaN : chance()))],
    ['three names', (chance, n) => names(n, () => zipf(chance, 4))],
    ['a long tail of names', (chance, n) => names(n, () => zipf(chance, 300))],
    ['names that never repeat', (chance, n) => names(n, () => String(chance()))],
  ];
  it.each(shapes)('%s alarm at most as often as asked', (_name, draw) => {
    const chance = seeded(7);
    let alarms = 0;
    for (let trial = 0; trial < 300; trial += 1) if (compareColumn(draw(chance, 600), draw(chance, 150), { ...defaultPolicy, falseAlarms: 0.02, minimumEffect: 0 }).verdict === 'drifted') alarms += 1;
    // Binomial(300, 0.02) is above 15 with probability 0.0003.
    expect(alarms).toBeLessThanOrEqual(15);
  });
});

describe('what cannot be compared', () => {
  const empty = numericalColumn([]);
  const nulls = numericalColumn(new Float64Array(500).fill(NaN));
  const values = numbers(500, (row) => row);
  it.each<[string, ColumnSample, ColumnSample, string]>([
    ['two empty columns', empty, empty, 'not-enough-evidence'],
    ['an empty one', values, empty, 'not-enough-evidence'],
    ['two columns of nulls', nulls, nulls, 'stable'],
    ['values that all went missing', values, nulls, 'drifted'],
    ['values where there were none', nulls, values, 'drifted'],
    ['the same constant', numbers(500, () => 3), numbers(500, () => 3), 'stable'],
    ['another constant', numbers(500, () => 3), numbers(500, () => 4), 'drifted'],
    ['infinities', numbers(500, (row) => (row % 5 === 0 ? Infinity : row)), numbers(500, (row) => (row % 5 === 0 ? Infinity : row)), 'stable'],
    ['names against nothing', names(500, () => 'a'), names(500, () => null), 'drifted'],
  ])('%s', (_name, reference, current, verdict) => expect(compareColumn(reference, current).verdict).toBe(verdict));

  it('never answers NaN', () => {
    const value = fc.oneof(fc.constant(NaN), fc.constant(Infinity), fc.integer({ min: -3, max: 3 }), fc.double());
    const column = fc.oneof(fc.array(value, { maxLength: 40 }).map((all) => numericalColumn(all)), fc.array(fc.option(fc.constantFrom('a', 'b', 'constructor', '')), { maxLength: 40 }).map((all) => categoricalColumn(all)));
    fc.assert(
      fc.property(column, column, (a, b) => {
        const verdict = compareColumn(a, b);
        expect(verdict.sentence).not.toMatch(/NaN|undefined/u);
        for (const { effect, lowerBound, statistic, threshold } of [verdict, ...verdict.checks]) for (const figure of [effect, lowerBound, statistic, threshold]) expect(Number.isFinite(figure)).toBe(true);
        expect(verdict.statistic > verdict.threshold || verdict.verdict !== 'drifted').toBe(true);
        pictureOf(a, b).flat().forEach((share) => expect(share).toBeGreaterThanOrEqual(-1e-9));
      }),
      { numRuns: 300 },
    );
  });
});

describe('hiddenValues', () => {
  // C(2000, 5)/C(12000, 5) = 1.2807e-4 and C(2000, 4)/C(12000, 4) = 7.6946e-4 (scipy.special.comb).
  it('asks for five rows of a single new value: 2,000 against 10,000 at 3e-4', () => {
    const { rowsMin, spent } = hiddenValues(new Map([[5, 1], [4, 1]]), 10_000, 2_000, 3e-4);
    expect(rowsMin).toBe(5);
    expect(spent).toBeCloseTo(1.2807e-4, 7);
  });
  it('asks for more where many rare values could be hidden', () => expect(hiddenValues(new Map([[5, 40], [4, 80], [6, 20]]), 10_000, 2_000, 3e-4).rowsMin).toBe(7));
});

describe('compareColumns', () => {
  const chance = seeded(3);
  const columns = ['a', 'b'].map((name) => ({ name, reference: numbers(2_000, () => normal(chance)), current: numbers(500, () => normal(chance)) }));
  it('splits a family’s rate over its columns', () => {
    const each = compareColumns(columns, { ...defaultPolicy, familyWise: false }).columns.map(({ threshold }) => threshold);
    const family = compareColumns(columns, { ...defaultPolicy, familyWise: true }).columns.map(({ threshold }) => threshold);
    family.forEach((threshold, index) => expect(threshold).toBeGreaterThan(each[index] ?? 1));
  });
  it('is drifted when a column is gone', () => expect(compareColumns([...columns, { name: 'c', reference: numbers(10, () => 1), current: null }], { ...defaultPolicy, familyWise: false })).toMatchObject({ verdict: 'drifted', columns: [{}, {}, { name: 'c', verdict: 'drifted', reasons: ['missing'] }] }));
});

describe('a budget in words', () => {
  it.each([
    ['at most one false incident per model per 30 days', 1, 30], ['2 false alarms per week', 2, 7], ['one false incident a year', 1, 365], ['at most 0.5 false incidents per model per quarter', 0.5, 90],
  ])('%s', (text, falseIncidents, days) => expect(budgetOf(text)).toEqual({ falseIncidents, perMs: days * 86_400_000 }));
  it.each(['never', 'zero false incidents per day', 'one false incident', ''])('refuses “%s”', (text) => expect(() => budgetOf(text)).toThrow(RangeError));
  // 720 hourly windows in 30 days, 50 features each.
  it('becomes a rate per feature and window', () => expect(alphaFor(budgetOf('at most one false incident per model per 30 days'), { window: 'PT1H', features: 50 })).toBeCloseTo(1 / 36_000, 12));
});

describe('Evidently’s choice (evidently 0.7.23, 200 pairs)', () => {
  interface Theirs { readonly shape: string; readonly n: number; readonly m: number; readonly shift: number; readonly seed: number; readonly method: string; readonly value: number | null; readonly drifted: boolean; readonly psi: number; readonly jensenShannon: number; readonly ks: number | null; readonly wasserstein: number | null }
  const pairs = JSON.parse(readFileSync(new URL('../../../fixtures/evidently-choice.json', import.meta.url), 'utf8')) as Theirs[];
  const figures = ['value', 'psi', 'jensenShannon', 'ks', 'wasserstein'] as const;
  it('has its methods, verdicts and values to 1e-6', () => {
    expect(pairs).toHaveLength(200);
    for (const pair of pairs) {
      const ours = evidentlyChoice(columnOf(pair.shape, pair.n, 0, pair.seed), columnOf(pair.shape, pair.m, pair.shift, pair.seed + 500));
      expect(ours).toMatchObject({ method: pair.method, drifted: pair.drifted });
      for (const figure of figures) {
        const [mine, theirs] = [ours?.[figure] ?? null, pair[figure]];
        if (mine === null || theirs === null) expect(mine).toBe(theirs);
        else expect(Math.abs(mine - theirs)).toBeLessThan(1e-6);
      }
    }
  });
});
