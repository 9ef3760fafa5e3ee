import { emptyAttributions, judgeAttributions, observeAttributions, type AttributionState } from '@millrace/core/drift';
import { TreeShap, type TreeEnsemble } from '@millrace/core/explanation';
import { seededUniforms } from '@millrace/core/statistics';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Goal, Study } from '../study.js';

/** One explained row: a contribution per feature. */
type Explained = (chance: Chance) => Readonly<Record<string, number>>;

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** A linear model: contributions are normal, each with a size of its own. */
const linear = (sizes: readonly number[]): Explained => (chance) => Object.fromEntries(sizes.map((size, at) => [names[at] ?? '', size * chance.normal()]));

/** One feature decides some of the rows alone and is nothing in the others: a share of 0 or 1, as skewed as they come. */
const rare = (part: number): Explained => (chance): Record<string, number> => (chance.bernoulli(part) === 1 ? { a: 1 } : { b: chance.normal(), c: 0.5 * chance.normal() });

/** Distance (−1, 0, 1) counts only where the gate is open, the wind always: two trees, trained on rows whose gate is open exactly where the distance is not 0. */
const gated: TreeEnsemble = {
  columns: 3, targets: 1, base: Float64Array.of(0), roots: Int32Array.of(0, 7),
  column: Int32Array.of(1, -1, 0, -1, 0, -1, -1, 2, -1, -1), comparison: new Uint8Array(10), threshold: Float64Array.of(0.5, 0, -0.5, 0, 0.5, 0, 0, 0, 0, 0),
  whenTrue: Int32Array.of(1, -1, 3, -1, 5, -1, -1, 8, -1, -1), whenFalse: Int32Array.of(2, -1, 4, -1, 6, -1, -1, 9, -1, -1), missingGoesTrue: new Uint8Array(10),
  cover: Float64Array.of(400, 200, 200, 100, 100, 0, 100, 400, 200, 200),
  leafStart: Int32Array.of(0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 6), leafTarget: new Int32Array(6), leafWeight: Float64Array.of(0, -1, 0, 1, -0.25, 0.25),
};
const shap = new TreeShap(gated, 0);

/** Each feature by itself is distributed alike whether or not the interaction is turned round. */
const interaction = (turned: boolean): Explained => (chance) => {
  const distance = chance.bernoulli(0.5) === 1 ? 0 : chance.bernoulli(0.5) === 1 ? 1 : -1;
  const { values } = shap.explain(Float64Array.of(distance, (distance !== 0) === turned ? 0 : 1, chance.bernoulli(0.5) === 1 ? 1 : -1));
  return { distance: values[0] ?? 0, gate: values[1] ?? 0, wind: values[2] ?? 0 };
};

function stateOf(rows: number, explained: Explained, chance: Chance): AttributionState {
  const state = emptyAttributions(false);
  for (let row = 0; row < rows; row += 1) observeAttributions(state, '', explained(chance));
  return state;
}

interface Setting {
  readonly id: string;
  readonly about: string;
  readonly before: Explained;
  readonly now: Explained;
  readonly rows: number;
  readonly alpha: number;
  readonly attributionMin: number;
  readonly trials: number;
  readonly goals: readonly Goal[];
}

const referenceRows = 1_000;

function cellOf({ id, about, before, now, rows, alpha, attributionMin, trials: count, goals }: Setting): Cell {
  return {
    id, about: `${about}; ${rows.toLocaleString('en-US')} explained answers against ${referenceRows.toLocaleString('en-US')} rows, level of the window ${alpha}, change that matters ${attributionMin}`, trials: count, goals,
    run(trials, seed) {
      let [alarms, ndcgAlarms] = [0, 0];
      for (let trial = 0; trial < trials; trial += 1) {
        const chance = chanceOf(seed, trial);
        const [reference, current] = [stateOf(referenceRows, before, chance), stateOf(rows, now, chance)];
        const features = [...new Set([...reference.shares.keys(), ...current.shares.keys()])];
        const { outcome, findings } = judgeAttributions(current, reference, { alpha, rowsMin: 1, attributionMin }, { features, spent: 0, allowed: null, uniform: seededUniforms(seed + trial) });
        if (outcome === 'failed') alarms += 1;
        if ((findings.find(({ detector }) => detector === 'ndcg')?.statistic ?? 1) < 0.9) ndcgAlarms += 1;
      }
      return { alarms: alarms / trials, ndcgBelow90: ndcgAlarms / trials };
    },
  };
}

const even = linear([1, 1, 1, 1, 1, 1, 1, 1]);
const steep = linear([8, 4, 2, 1]);
/** The bounds alone are tested: any change matters. */
const clean = (id: string, about: string, explained: Explained, rows: number): Cell =>
  cellOf({ id: `clean/${id}/${rows}`, about, before: explained, now: explained, rows, alpha: 0.05, attributionMin: 0, trials: 400, goals: [{ figure: 'alarms', atMost: 0.05 }] });
const found = (id: string, about: string, before: Explained, now: Explained, rows: number): Cell =>
  cellOf({ id: `found/${id}/${rows}`, about, before, now, rows, alpha: 0.001, attributionMin: 0.05, trials: 200, goals: [{ figure: 'alarms', atLeast: 0.95 }] });

export const attributionDriftStudy: Study = {
  name: 'attribution-drift',
  title: 'Attribution drift',
  method: 'Rows of shares of attribution are drawn for a reference and for a window, and judged as monitoring does: a feature has drifted when the lower bound of the change of its mean share exceeds the change that matters. Clean windows ask for any change at all, so that nothing but the bounds (betting, Waudby-Smith and Ramdas 2024) stands between chance and an alarm, at a level of 5 % over all features; windows with a change have 0.1 %. Beside it: how often the NDCG of the ranking of features falls below 0.90, where SageMaker Clarify alarms.',
  cells: [
    ...[200, 2_000].flatMap((rows) => [
      clean('even', 'linear model, eight features alike', even, rows),
      clean('steep', 'linear model, four features, each half as strong as the one before', steep, rows),
      clean('rare', 'a feature that decides 2 % of the rows alone', rare(0.02), rows),
      clean('trees', 'trees with an interaction, by TreeSHAP', interaction(false), rows),
    ]),
    found('interaction', 'trees: an interaction turned round, every feature distributed as before; shares 0.30 to 0.17', interaction(false), interaction(true), 2_000),
    found('swap', 'linear model: the first two of four features change places; shares 0.47 and 0.27', steep, linear([4, 8, 2, 1]), 500),
    found('rare', 'a feature that decided 2 % of the rows decides 20 %', rare(0.02), rare(0.2), 2_000),
  ],
  rivals: [],
};
