import { reached, type GoalResult, type Section } from '../cases/section.js';
import type { BenchRecord } from './record.js';
import { formatCell, markdownTable, textTable } from './table.js';

const goalColumns = ['goal', '', 'limit', 'measured', ''];

const verdictOf = (goal: GoalResult): string => ({ true: 'reached', false: 'not reached', null: 'not measured' })[String(reached(goal)) as 'true' | 'false' | 'null'];

function goalRow(goal: GoalResult): string[] {
  const unit = goal.unit === '' ? '' : ` ${goal.unit}`;
  return [goal.goal, goal.sense, `${formatCell(goal.limit)}${unit}`, goal.value === null ? '–' : `${formatCell(goal.value)}${unit}`, verdictOf(goal)];
}

const goalsOf = (sections: readonly Section[]): GoalResult[] => sections.flatMap(({ goals }) => [...goals]);

function surroundings({ machine, loadBefore, loadAfter, versions, startedAt, tookSeconds }: BenchRecord): string[] {
  return [
    `${startedAt}, ${Math.round(tookSeconds)} s, on ${machine.cores} cores of ${machine.processor}, ${machine.memoryGb} GB, ${machine.system}`,
    `load average ${loadBefore.join(' ')} before, ${loadAfter.join(' ')} after; ${Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ')}`,
  ];
}

/** For a terminal. */
export function textReport(record: BenchRecord): string {
  const parts = record.sections.map((section) => `${section.title}\n${textTable(section.columns, section.rows)}`);
  const goals = goalsOf(record.sections);
  return [
    ...surroundings(record),
    ...parts.map((part) => `\n${part}`),
    ...(goals.length === 0 ? [] : [`\nGoals: ${goals.filter((goal) => reached(goal) === true).length} of ${goals.length} reached\n${textTable(goalColumns, goals.map(goalRow))}`]),
    ...record.skipped.map(({ what, why }) => `\nNot measured: ${what}: ${why}`),
    '',
  ].join('\n');
}

/** docs/benchmarks.md. */
export function benchmarksPage(record: BenchRecord): string {
  const goals = goalsOf(record.sections);
  return [
    '# Benchmarks',
    'Written by `npm run bench -- gateway --peers --write-docs`; run it to have your own machine’s figures. Everything was measured in one run on one machine, in interleaved rounds: ratios count, absolute figures say little about another machine, and differences under 30 % in throughput mean nothing.',
    '',
    ...surroundings(record).map((line) => `- ${line}`),
    '',
    ...record.sections.flatMap((section) => [`## ${section.title}`, section.about, '', markdownTable(section.columns, section.rows), '']),
    '## Goals',
    goals.length === 0 ? 'None was measured in this run.' : markdownTable(['goal', 'sense', 'limit', 'measured', 'verdict'], goals.map(goalRow)),
    '',
    ...(record.skipped.length === 0 ? [] : ['## Not measured', ...record.skipped.map(({ what, why }) => `- ${what}: ${why.split('\n')[0] ?? ''}`), '']),
  ].join('\n');
}
