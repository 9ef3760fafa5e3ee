import type { Case, Group } from './case.js';
import type { CaseResult } from './run-suite.js';

const nameWidth = 68;
const groupWidth = 13;
const marks = { passed: 'ok     ', failed: 'FAILED ', skipped: 'skipped' } as const;

const cell = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width));

/** One line per case; what was expected and what came below a failure. */
export function resultRow({ case: { group, name, section }, outcome, expected, came }: CaseResult): string {
  const row = `${marks[outcome]}  ${cell(group, groupWidth)} ${cell(name, nameWidth)} ${outcome === 'skipped' ? came : section}`;
  return outcome === 'failed' ? `${row}\n         expected ${expected}\n         came     ${came}` : row;
}

export function caseRows(cases: readonly Case[]): string {
  const rows = cases.map(({ group, name, section, isNegative, needs }) => `${cell(group, groupWidth)} ${isNegative ? '−' : '+'} ${cell(name, nameWidth)} ${section}${needs === undefined ? '' : ` (needs ${needs})`}`);
  return `${rows.join('\n')}\n\n${cases.length} cases, ${cases.filter(({ isNegative }) => isNegative).length} negative`;
}

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

export function countsOf(results: readonly CaseResult[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of results) counts[outcome] += 1;
  return counts;
}

function byGroup(results: readonly CaseResult[]): [Group, Counts][] {
  const groups = [...new Set(results.map((result) => result.case.group))];
  return groups.map((group) => [group, countsOf(results.filter((result) => result.case.group === group))]);
}

export function summary(origin: string, results: readonly CaseResult[]): string {
  const line = (name: string, { passed, failed, skipped }: Counts): string => `${cell(name, groupWidth)} ${String(passed).padStart(7)} ${String(failed).padStart(7)} ${String(skipped).padStart(8)}`;
  const negative = results.filter((result) => result.case.isNegative).length;
  return [
    `${cell('group', groupWidth)}  passed  failed  skipped`,
    ...byGroup(results).map(([group, counts]) => line(group, counts)),
    line('all', countsOf(results)),
    `${results.length} cases, ${negative} of them negative, against ${origin}`,
  ].join('\n');
}

export function jsonReport(origin: string, results: readonly CaseResult[]): string {
  const cases = results.map(({ case: { group, name, section, isNegative, needs }, outcome, expected, came }) => ({
    group, name, section, isNegative, ...(needs === undefined ? {} : { needs }), outcome, ...(outcome === 'passed' ? {} : { expected, came }),
  }));
  return JSON.stringify({ url: origin, ...countsOf(results), groups: Object.fromEntries(byGroup(results)), cases }, null, 2);
}
