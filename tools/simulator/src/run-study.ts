import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cell, Figures, Goal, Study } from './study.js';

export interface CellResult {
  readonly study: string;
  readonly cell: string;
  readonly trials: number;
  readonly seed: number;
  readonly figures: Figures;
  readonly seconds: number;
}

export interface RunSettings {
  /** Results are kept here, one file per cell; what is there for the same trials and seed is not run again. */
  readonly folder: string;
  readonly seed: number;
  /** Part of each cell’s trials. */
  readonly fraction: number;
  say(line: string): void;
}

/** Results of a cell are told apart by everything that made them, except the code: `--fresh` runs all anew. */
const fileOf = (folder: string, study: string, cell: string, trials: number, seed: number): string =>
  join(folder, study, `${createHash('sha256').update(`${cell}\0${trials}\0${seed}`).digest('hex').slice(0, 24)}.json`);

/** Each cell has a seed of its own, so that cells can be added without changing the others. */
const seedOf = (cell: string, seed: number): number => createHash('sha256').update(`${seed}\0${cell}`).digest().readUInt32LE(0);

export function meets(goal: Goal, figures: Figures): boolean {
  const value = figures[goal.figure];
  return value !== undefined && !Number.isNaN(value) && (goal.atMost === undefined || value <= goal.atMost) && (goal.atLeast === undefined || value >= goal.atLeast);
}

function runCell(study: Study, cell: Cell, settings: RunSettings): CellResult {
  const trials = Math.max(1, Math.round(cell.trials * settings.fraction));
  const file = fileOf(settings.folder, study.name, cell.id, trials, settings.seed);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as CellResult;
  const started = process.hrtime.bigint();
  const figures = cell.run(trials, seedOf(`${study.name}/${cell.id}`, settings.seed));
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  const result: CellResult = { study: study.name, cell: cell.id, trials, seed: settings.seed, figures, seconds };
  mkdirSync(join(settings.folder, study.name), { recursive: true });
  writeFileSync(`${file}.draft`, JSON.stringify(result));
  renameSync(`${file}.draft`, file);
  return result;
}

/** Runs the cells of a study in their order; killed and run again, it goes on with the first that is missing. */
export function runStudy(study: Study, settings: RunSettings): CellResult[] {
  return study.cells.map((cell, index) => {
    const result = runCell(study, cell, settings);
    const missed = cell.goals.filter((goal) => !meets(goal, result.figures));
    const figures = Object.entries(result.figures).map(([name, value]) => `${name} ${formatFigure(value)}`).join(', ');
    settings.say(`[${index + 1}/${study.cells.length}] ${study.name} ${cell.id}: ${figures}${missed.length > 0 ? `  MISSED ${missed.map(goalText).join(', ')}` : ''} (${result.trials} trials, ${result.seconds.toFixed(1)} s)`);
    return result;
  });
}

export function formatFigure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) >= 100 ? value.toLocaleString('en-US', { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(3)));
}

export const goalText = ({ figure, atMost, atLeast }: Goal): string =>
  [atMost === undefined ? '' : `${figure} ≤ ${formatFigure(atMost)}`, atLeast === undefined ? '' : `${figure} ≥ ${formatFigure(atLeast)}`].filter((text) => text !== '').join(' and ');
