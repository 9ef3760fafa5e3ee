import { alphaFor, budgetOf, compareColumn, defaultPolicy, type ColumnSample, type ComparePolicy } from '@millrace/core/drift';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell, Study } from '../study.js';
import { shapes, type Change, type Shape } from './column-shapes.js';

const features = 50;
const windowsPerMonth = 720;
const budget = 'at most one false incident per model per 30 days';
const policy: ComparePolicy = { ...defaultPolicy, falseAlarms: alphaFor(budgetOf(budget), { window: 'PT1H', features }) };

interface Feature {
  readonly shape: Shape;
  readonly reference: ColumnSample;
}

/** The eight shapes in turn. */
function featuresOf(chance: Chance, n: number): Feature[] {
  return Array.from({ length: features }, (_, index) => {
    const shape = shapes[index % shapes.length];
    if (shape === undefined) throw new RangeError('there are no shapes');
    return { shape, reference: shape.draw(chance, n) };
  });
}

const alarms = ({ shape, reference }: Feature, chance: Chance, m: number, change: Change = {}): boolean => compareColumn(reference, shape.draw(chance, m, change), policy).verdict === 'drifted';

/** A model’s month: an incident is a window in which any feature alarms. */
function incidentsOf(n: number, m: number, trials: number, seed: number): number {
  let incidents = 0;
  for (let month = 0; month < trials; month += 1) {
    const chance = chanceOf(seed, month);
    const all = featuresOf(chance, n);
    for (let window = 0; window < windowsPerMonth; window += 1) if (all.filter((feature) => alarms(feature, chance, m)).length > 0) incidents += 1;
  }
  return incidents / trials;
}

const drifting = 5;
const shifted: Change = { shift: 1, moved: 0.3 };

function discoveries(n: number, m: number, trials: number, seed: number): { falseDiscoveryRate: number; foundShare: number } {
  let [falseShare, found] = [0, 0];
  for (let trial = 0; trial < trials; trial += 1) {
    const chance = chanceOf(seed, trial);
    const said = featuresOf(chance, n).map((feature, index) => alarms(feature, chance, m, index < drifting ? shifted : {}));
    const right = said.slice(0, drifting).filter(Boolean).length;
    const wrong = said.slice(drifting).filter(Boolean).length;
    falseShare += wrong / Math.max(1, right + wrong);
    found += right / drifting;
  }
  return { falseDiscoveryRate: falseShare / trials, foundShare: found / trials };
}

const month = (n: number, m: number, trials: number): Cell => ({
  id: `clean-month/${n}/${m}`,
  about: `${features} clean features of eight shapes, ${windowsPerMonth} windows of ${m.toLocaleString('en-US')} rows, reference ${n.toLocaleString('en-US')}`,
  trials,
  goals: [{ figure: 'falseIncidentsPer30Days', atMost: 1 }],
  run: (runs, seed) => ({ falseIncidentsPer30Days: incidentsOf(n, m, runs, seed) }),
});

export const familyWiseDriftStudy: Study = {
  name: 'family-wise-drift',
  title: 'Data drift: a model’s month',
  method:
    `The budget “${budget}” is turned by \`alphaFor\` into a rate per feature-window (1/36,000 for 50 features and hourly windows), by which \`compareColumn\` judges every feature in every window. ` +
    'The reference stays the same all month. An incident is a window in which any feature is called drifted; two in a row are counted as two.',
  cells: [
    month(10_000, 200, 20),
    month(10_000, 1_000, 10),
    {
      id: 'five-drift/10000/500',
      about: '5 of 50 features drift (by 1, or 30 % of the rows), one window of 500 rows',
      trials: 400,
      goals: [{ figure: 'falseDiscoveryRate', atMost: 0.05 }, { figure: 'foundShare', atLeast: 0.95 }],
      run: (runs, seed) => discoveries(10_000, 500, runs, seed),
    },
  ],
  rivals: [],
};
