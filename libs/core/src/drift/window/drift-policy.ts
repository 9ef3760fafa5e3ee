import { durationMs } from '../windows.js';
import type { AlarmBudget } from '../compare/alarm-budget.js';
import type { PartsWanted } from './reference-parts.js';

/** Effects up to these do not matter, however certain: shares of rows. */
export interface DriftMinimums {
  /** Kolmogorov–Smirnov distance of numbers. */
  readonly ksMin: number;
  /** Total variation distance of categories. */
  readonly categoryMin: number;
  readonly nullShareMin: number;
  readonly newCategoryMin: number;
  readonly outOfRangeMin: number;
  /** All inputs together: share of the rows that are unlike any of training. */
  readonly jointMin: number;
  /** Part of the rows that may be missing from a window, or be too many. */
  readonly volumeMin: number;
}

export interface DriftPolicy extends DriftMinimums, PartsWanted {
  /** Chance of any false alarm in a window, over all subjects and checks together. */
  readonly alpha: number;
  /** Windows with fewer rows are inconclusive, never stable. */
  readonly rowsMin: number;
}

/** A higher chance per window than this is no control. */
const alphaMax = 0.05;
/** What revisions of a window may spend of its level, all together: each half of what the one before might. */
const revisionsShare = 0.1;

/** Drift and performance share a model’s budget. */
const kindsUsual = 2;

/**
 * The level of one window of one kind, so that a model has on average at most `falseIncidents` false alarms in `perMs`: the budget
 * over its windows and kinds of verdicts. Holds however windows depend on each other, because expectations add.
 * @param kinds that share it: drift and performance, and attributions where answers are explained.
 */
export function windowLevel({ falseIncidents, perMs }: AlarmBudget, window: string, kinds = kindsUsual): number {
  return Math.min(alphaMax, (falseIncidents * durationMs(window)) / perMs / kinds);
}

/**
 * The part of a window’s level that falls to one version and revision of it: versions that are judged side by side share it, and
 * the revisions of a window that late rows amend spend no more than the window was granted.
 * @param revision 1 for the first verdict.
 */
export function revisionLevel(alpha: number, versions: number, revision: number): number {
  const share = revision <= 1 ? 1 - revisionsShare : revisionsShare * 2 ** (1 - revision);
  return (alpha * share) / Math.max(1, versions);
}

/** What a verdict says about the budget: `spent` is the part of it used so far in the period that ends with the window, from 0 on. */
export interface BudgetUse {
  readonly allowed: number;
  readonly per: string;
  readonly spent: number;
}

/** ISO 8601, in days where it divides. */
function periodOf(perMs: number): string {
  const [day, hour] = [86_400_000, 3_600_000];
  if (perMs % day === 0) return `P${perMs / day}D`;
  return perMs % hour === 0 ? `PT${perMs / hour}H` : `PT${perMs / 1_000}S`;
}

export function budgetUse({ falseIncidents, perMs }: AlarmBudget, spentLevels: number): BudgetUse {
  return { allowed: falseIncidents, per: periodOf(perMs), spent: spentLevels / falseIncidents };
}


const minuteMs = 60_000;
/** Panes that the allowed lateness may span: as many are kept open per version, role and partition. */
const [panesByDefault, panesMax] = [60, 1_440];

/**
 * Length of the panes of a window, milliseconds: what is asked for, else a minute or a sixtieth of the lateness; made longer until
 * it divides the window, and until the lateness spans at most 1,440 panes.
 */
export function paneLength(windowMs: number, latenessMs: number, askedMs: number | null): number {
  const least = Math.min(windowMs, Math.max(askedMs ?? Math.max(minuteMs, latenessMs / panesByDefault), latenessMs / panesMax, 1));
  for (let panes = Math.floor(windowMs / least); panes > 1; panes -= 1) if (windowMs % panes === 0) return windowMs / panes;
  return windowMs;
}
