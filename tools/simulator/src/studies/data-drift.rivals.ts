import type { RivalFigure } from '../study.js';

const source = 'tools/simulator/rivals/data_drift.py';
const evidently = 'Evidently 0.7.23, defaults';
const scipy = 'scipy 1.17.1, ks_2samp and chi2_contingency at p ≤ 0.001';
const nannyml = 'NannyML 0.13.1, defaults, chunks of the window’s size';

const clean = 'no drift: mean and worst of eight shapes × 1,000 and 10,000 reference rows × 50, 250, 1,000 and 5,000 current rows';

/** Measured on 2026-11-21; evidently 400, scipy 2,000, NannyML 40 windows per clean cell; 400, 400 and 40 per change, a tenth of that with 100,000 reference rows. */
export const dataDriftRivals: readonly RivalFigure[] = [
  { tool: evidently, about: clean, figures: { falseAlarmRate: 0.282, worst: 1 }, source },
  { tool: scipy, about: clean, figures: { falseAlarmRate: 0.0019, worst: 0.0345 }, source },
  { tool: nannyml, about: clean, figures: { falseAlarmRate: 0.016, worst: 0.35 }, source },
  ...found(evidently, [1, 1, 0, 0, 0.35, 0, 0]),
  ...found(scipy, [1, 1, 1, 0.995, 0.445, 1, 0.0025]),
  ...found(nannyml, [1, 0.975, 0, 0.625, 0, 0.95, 0]),
];

/** In the order of the script’s changes. */
function found(tool: string, rates: readonly number[]): RivalFigure[] {
  const changes = [
    'mean + 0.5σ in 250 rows', 'mean + 0.2σ in 2,000 rows', 'mean + 0.05σ in 40,000 rows (reference 100,000)', 'a new category of 0.5 % in 2,000 rows, 3 before (alarm, not named)',
    'a new category of 0.5 % in 2,000 rows, 100 before (alarm, not named)', '8 % of 2,000 rows change their category', 'missing values 0 → 0.5 % in 2,000 rows',
  ];
  return rates.map((foundRate, index) => ({ tool, about: changes[index] ?? '', figures: { foundRate }, source }));
}
