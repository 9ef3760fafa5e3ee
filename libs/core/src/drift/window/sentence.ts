import type { ColumnVerdict } from '../compare/compare-column.js';
import { count, percent, type CheckFinding } from '../compare/finding.js';
import type { FeatureCounts } from '../../statistics/index.js';
import { gridQuantile } from '../../statistics/index.js';

const shown = (value: number | null): string => (value === null ? 'nothing' : Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toPrecision(3) : String(Number(value.toPrecision(4))));

const distance = (value: number): string => value.toFixed(2);

/** The confidence of a bound in as many nines as tell it from certainty. */
export function confidence(level: number): string {
  const digits = Math.min(6, Math.max(0, Math.ceil(-Math.log10(level)) - 2));
  return `${(Math.floor(100 * 10 ** digits * (1 - level)) / 10 ** digits).toFixed(digits)} %`;
}

function numbersMoved(check: CheckFinding, reference: FeatureCounts, current: FeatureCounts): string {
  if (reference.kind !== 'number' || current.kind !== 'number') return check.tale;
  const [before, now] = [gridQuantile(reference.values, 0.5), gridQuantile(current.values, 0.5)];
  const median = before === null || now === null || shown(before) === shown(now) ? `median ${shown(now)} as before` : `median ${now > before ? 'rose' : 'fell'} from ${shown(before)} to ${shown(now)}`;
  return `${median}; KS distance ${distance(check.effect)} (at least ${distance(Math.max(0, check.lowerBound))} with ${confidence(check.level)} confidence; more than ${check.minimumEffect} matters)`;
}

const taleOf = (check: CheckFinding, reference: FeatureCounts, current: FeatureCounts): string => (check.reason === 'distribution' ? numbersMoved(check, reference, current) : check.tale);

/** What happened to a feature, in words an operator understands, without full stop. @param training the rows of the reference. */
export function subjectSentence({ verdict, checks, nReference, nCurrent, sentence }: ColumnVerdict, reference: FeatureCounts, current: FeatureCounts, training = 'training'): string {
  const rows = `${count(nCurrent)} rows against ${count(nReference)} in ${training}`;
  const alarms = checks.filter(({ drifted }) => drifted);
  const first = alarms[0] ?? checks[0];
  if (first === undefined) return `nothing to compare; ${rows}`;
  const told = (alarms.length > 0 ? alarms : [first]).map((check) => taleOf(check, reference, current));
  const unit = /looks like a change of unit: [^;]+(?=;|\.$)/u.exec(sentence)?.[0];
  const start = verdict === 'drifted' ? '' : verdict === 'stable' ? 'as in training: ' : 'not enough evidence: ';
  return `${start}${[...told, ...(unit === undefined ? [] : [unit])].join('; ')}; ${rows}`;
}

/** The part of the false-alarm budget that is spent. */
export const budgetWords = (spent: number): string => `false-alarm budget spent: ${percent(spent)}`;
