import { formatFigure, goalText, meets, type CellResult } from './run-study.js';
import type { Figures, Study } from './study.js';

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const figuresText = (figures: Figures): string => Object.entries(figures).map(([name, value]) => `${name} ${formatFigure(value)}`).join('<br>');

function studySection(study: Study, results: readonly CellResult[]): string {
  const byCell = new Map(results.map((result) => [result.cell, result]));
  const rows = study.cells.flatMap((cell) => {
    const result = byCell.get(cell.id);
    if (result === undefined) return [];
    const goals = cell.goals.map((goal) => `${meets(goal, result.figures) ? '✓' : '✗'} ${goalText(goal)}`).join('<br>');
    return [row([cell.about, result.trials.toLocaleString('en-US'), figuresText(result.figures), goals === '' ? '–' : goals])];
  });
  const rivals = study.rivals.map((rival) => row([rival.tool, rival.about, figuresText(rival.figures), rival.source]));
  return [
    `## ${study.title}`,
    study.method,
    `Reproduce: \`npm run calibrate -- --study ${study.name}\``,
    [row(['setting', 'trials', 'measured', 'goal']), row(['---', '---', '---', '---']), ...rows].join('\n'),
    ...(rivals.length === 0 ? [] : ['Others, on the same question:', [row(['tool', 'setting', 'measured', 'source']), row(['---', '---', '---', '---']), ...rivals].join('\n')]),
  ].join('\n\n');
}

/** docs/calibration.md: what the verdicts promise, and what simulation says of it. */
export function calibrationPage(studies: readonly { readonly study: Study; readonly results: readonly CellResult[] }[], seed: number): string {
  const goals = studies.flatMap(({ study, results }) => study.cells.flatMap((cell) => {
    const result = results.find(({ cell: id }) => id === cell.id);
    return result === undefined ? [] : cell.goals.map((goal) => meets(goal, result.figures));
  }));
  const met = goals.filter(Boolean).length;
  return [
    '# Calibration: do the verdicts err as seldom as they claim?',
    `Written by \`npm run calibrate -- --write-docs\` (seed ${seed}); every figure below is simulated by a program of this repository, \`tools/simulator\`. ${met} of ${goals.length} goals are met; the others are marked ✗, with the figure that was reached.`,
    ...studies.map(({ study, results }) => studySection(study, results)),
    '',
  ].join('\n\n');
}
