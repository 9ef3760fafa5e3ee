import { compareColumn, defaultPolicy, type ColumnSample, type ColumnVerdict } from '@millrace/core/drift';
import { chanceOf } from '../chance.js';
import type { Cell, Study } from '../study.js';
import { jointCells } from './joint-drift.cells.js';
import { throughPanes } from './column-panes.js';
import { newName, shapeOf, shapes, type Change, type Shape } from './column-shapes.js';
import { dataDriftRivals } from './data-drift.rivals.js';

/** Windows that are judged against one reference before the next is drawn: costs are shared, the mean rate stays what it is. */
const windowsPerReference = 20;

type Question = (verdict: ColumnVerdict) => boolean;

const drifted: Question = ({ verdict }) => verdict === 'drifted';

interface Setting {
  readonly shape: Shape;
  readonly n: number;
  readonly m: number;
  /** Of the reference, and of the current sample. */
  readonly before?: Change;
  readonly change: Change;
  readonly question: Question;
  /** Counted in panes and merged, as windows are; else compared as they are. */
  readonly panes?: boolean;
}

const asTheyAre = (reference: ColumnSample, current: ColumnSample): readonly [ColumnSample, ColumnSample] => [reference, current];

function rateOf({ shape, n, m, before = {}, change, question, panes = false }: Setting, trials: number, seed: number): number {
  let [hits, done] = [0, 0];
  for (let block = 0; done < trials; block += 1) {
    const chance = chanceOf(seed, block);
    const reference = shape.draw(chance, n, before);
    for (let window = 0; window < windowsPerReference && done < trials; window += 1, done += 1) {
      const [was, is] = (panes ? throughPanes : asTheyAre)(reference, shape.draw(chance, m, change));
      if (question(compareColumn(was, is, defaultPolicy))) hits += 1;
    }
  }
  return hits / trials;
}

/** As many as some minutes allow, and at most as many as tell 0.1 % from 0.2 %. */
const cleanTrials = (n: number, m: number): number => Math.min(20_000, Math.max(1_000, Math.round(4e8 / (n / 4 + 4 * m))));

function cleanCell(shape: Shape, n: number, m: number): Cell {
  return {
    id: `clean/${shape.name}/${n}/${m}`,
    about: `no drift: ${shape.about}, ${n.toLocaleString('en-US')} rows against ${m.toLocaleString('en-US')}`,
    trials: cleanTrials(n, m),
    goals: [{ figure: 'falseAlarmRate', atMost: 0.002 }],
    run: (trials, seed) => ({ falseAlarmRate: rateOf({ shape, n, m, change: {}, question: drifted }, trials, seed) }),
  };
}

function panesCell(shape: Shape, n: number, m: number): Cell {
  const clean = cleanCell(shape, n, m);
  return {
    ...clean,
    id: `panes/${clean.id}`,
    about: `${clean.about}, counted in 8 panes and merged`,
    trials: Math.max(1_000, Math.round(clean.trials / 2)),
    run: (trials, seed) => ({ falseAlarmRate: rateOf({ shape, n, m, change: {}, question: drifted, panes: true }, trials, seed) }),
  };
}

interface PowerCase {
  readonly id: string;
  readonly about: string;
  readonly shape: string;
  readonly n: number;
  readonly m: number;
  readonly before?: Change;
  readonly change: Change;
  readonly question?: Question;
  readonly trials?: number;
  readonly atLeast: number;
  readonly panes?: boolean;
}

const because = (reason: ColumnVerdict['reasons'][number]): Question => ({ reasons }) => reasons.includes(reason);
const named: Question = ({ newCategories }) => newCategories.includes(newName);

const powerCases: readonly PowerCase[] = [
  ...[10_000, 100_000].flatMap((n): PowerCase[] => [
    { id: `shift-0.5/${n}/250`, about: 'mean + 0.5σ', shape: 'normal', n, m: 250, change: { shift: 0.5 }, atLeast: 0.95 },
    { id: `shift-0.2/${n}/2000`, about: 'mean + 0.2σ', shape: 'normal', n, m: 2_000, change: { shift: 0.2 }, atLeast: 0.95 },
    { id: `new-category/${n}/2000`, about: 'a new category in 0.5 % of the rows, named; 3 categories before', shape: '3-categories', n, m: 2_000, change: { newCategory: 0.005 }, question: named, atLeast: 0.95 },
    { id: `new-category-in-tail/${n}/2000`, about: 'a new category in 0.5 % of the rows, named; 100 categories before', shape: '100-categories', n, m: 2_000, change: { newCategory: 0.005 }, question: named, atLeast: 0.95 },
  ]),
  { id: 'shift-0.05/100000/40000', about: 'mean + 0.05σ', shape: 'normal', n: 100_000, m: 40_000, change: { shift: 0.05 }, trials: 400, atLeast: 0.9 },
  { id: 'mix/10000/2000', about: '8 % of the rows change their category', shape: '3-categories', n: 10_000, m: 2_000, change: { moved: 0.08 }, atLeast: 0.95 },
  { id: 'mix-20/10000/2000', about: '8 % of the rows change their category, 20 categories', shape: '20-categories', n: 10_000, m: 2_000, change: { moved: 0.08 }, atLeast: 0.95 },
  { id: 'nulls-appear/10000/2000', about: 'missing values 0 → 0.5 %', shape: 'normal', n: 10_000, m: 2_000, change: { nulls: 0.005 }, question: because('nulls'), atLeast: 0.95 },
  { id: 'nulls-rise/10000/2000', about: 'missing values 5 % → 10 %', shape: '3-categories', n: 10_000, m: 2_000, before: { nulls: 0.05 }, change: { nulls: 0.1 }, question: because('nulls'), atLeast: 0.95 },
  { id: 'panes/shift-0.5/10000/250', about: 'mean + 0.5σ, counted in 8 panes and merged', shape: 'normal', n: 10_000, m: 250, change: { shift: 0.5 }, atLeast: 0.95, panes: true },
  { id: 'panes/shift-0.2/10000/2000', about: 'mean + 0.2σ, counted in 8 panes and merged', shape: 'normal', n: 10_000, m: 2_000, change: { shift: 0.2 }, trials: 1_000, atLeast: 0.95, panes: true },
  { id: 'panes/shift-0.2/100000/2000', about: 'mean + 0.2σ, counted in 8 panes and merged', shape: 'normal', n: 100_000, m: 2_000, change: { shift: 0.2 }, trials: 200, atLeast: 0.95, panes: true },
  { id: 'panes/new-category-in-tail/10000/2000', about: 'a new category in 0.5 % of the rows, named; 100 categories before, counted in 8 panes and merged', shape: '100-categories', n: 10_000, m: 2_000, change: { newCategory: 0.005 }, question: named, trials: 1_000, atLeast: 0.95, panes: true },
  { id: 'unit/10000/50', about: 'values × 1,000, named a change of unit', shape: 'lognormal', n: 10_000, m: 50, change: { factor: 1_000 }, question: because('unit'), atLeast: 0.95 },
];

const powerCell = ({ id, about, shape, question = drifted, trials = 2_000, atLeast, ...setting }: PowerCase): Cell => ({
  id: `power/${id}`,
  about: `${about}: found within ${setting.m.toLocaleString('en-US')} rows, reference ${setting.n.toLocaleString('en-US')}`,
  trials,
  goals: [{ figure: 'foundRate', atLeast }],
  run: (runs, seed) => ({ foundRate: rateOf({ ...setting, shape: shapeOf(shape), question }, runs, seed) }),
});

export const dataDriftStudy: Study = {
  name: 'data-drift',
  title: 'Data drift: one column, one window',
  method:
    'A reference and a current sample of one column are drawn and compared by `compareColumn` with its defaults: 0.1 % false alarms per column over all of its checks, minimum effect 0.5 % of the rows. ' +
    'Clean cells draw both from one distribution; a false alarm is the verdict “drifted”, for whatever reason. 20 windows share a reference, so that the error of a rate is a little larger than that of independent trials. Cells with panes take both samples through the state of windows (exact counts on a grid that both share, of 1,024 cells at most), in 8 panes that are merged. Joint cells draw correlated normals, of which windows keep 400 rows, and ask `judgeJointly`.',
  cells: [...powerCases.map(powerCell), ...jointCells, ...shapes.flatMap((shape) => [[1_000, 250], [10_000, 1_000], [100_000, 10_000]].map(([n = 0, m = 0]) => panesCell(shape, n, m))), ...shapes.flatMap((shape) => [1_000, 10_000, 100_000].flatMap((n) => [50, 250, 1_000, 10_000, 100_000].map((m) => cleanCell(shape, n, m))))],
  rivals: dataDriftRivals,
};
