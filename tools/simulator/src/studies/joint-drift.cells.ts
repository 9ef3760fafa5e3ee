import { judgeJointly, referenceSample, type RowSample } from '@millrace/core/drift';
import { chanceOf, type Chance } from '../chance.js';
import type { Cell } from '../study.js';

const level = 0.001;

/** `fields` normals, each with the correlation to the first. */
function sampleOf(chance: Chance, name: string, rows: number, fields: number, correlation: number): RowSample {
  const names = Array.from({ length: fields }, (_, index) => `x${index}`);
  const drawn = Array.from({ length: rows }, (_, row) => {
    const first = chance.normal();
    return { recordId: `${name}${row}`, features: Object.fromEntries(names.map((field, index) => [field, index === 0 ? first : correlation * first + Math.sqrt(1 - correlation ** 2) * chance.normal()])) };
  });
  return referenceSample(names, drawn);
}

function rate(fields: number, before: number, now: number, minimum: number, trials: number, seed: number): number {
  let hits = 0;
  for (let trial = 0; trial < trials; trial += 1) {
    const chance = chanceOf(seed, trial);
    const [reference, current] = [sampleOf(chance, `r${trial}-`, 1_000, fields, before), sampleOf(chance, `c${trial}-`, 1_000, fields, now)];
    if (judgeJointly(reference, current, 'output', level, minimum)?.outcome === 'failed') hits += 1;
  }
  return hits / trials;
}

/** All features together: no false alarm more than asked for, and a change that no single feature shows is found. */
export const jointCells: readonly Cell[] = [
  ...[2, 8].map((fields): Cell => ({
    id: `joint/clean/${fields}`, about: `no drift: ${fields} correlated features together, minimum effect 0`, trials: 2_000, goals: [{ figure: 'falseAlarmRate', atMost: 0.002 }],
    run: (trials, seed) => ({ falseAlarmRate: rate(fields, 0.5, 0.5, 0, trials, seed) }),
  })),
  ...[2, 8].map((fields): Cell => ({
    id: `joint/correlation-turned/${fields}`, about: `correlations of ${fields} features turn from 0.7 to −0.7, no single one changes: found in 1,000 rows`, trials: 500, goals: [{ figure: 'foundRate', atLeast: 0.95 }],
    run: (trials, seed) => ({ foundRate: rate(fields, 0.7, -0.7, 0.1, trials, seed) }),
  })),
];
