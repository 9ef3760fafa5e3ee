export type DriftReason = 'distribution' | 'nulls' | 'new-category' | 'range' | 'unit' | 'constant' | 'type' | 'missing';

/** What one check of a column found. It alarms exactly when its lower bound exceeds its minimum effect. */
export interface CheckFinding {
  readonly reason: DriftReason;
  /** Point estimate, a share of rows: KS distance, total variation distance, or difference of shares. */
  readonly effect: number;
  /** The true effect is at least this, but for the check’s part of the false alarms asked for. */
  readonly lowerBound: number;
  /** The true effect is at most this with 95 % confidence; null where the check does not bear on stability. */
  readonly upperBound: number | null;
  /** Effects up to this do not matter, however certain. */
  readonly minimumEffect: number;
  /** Alarms above `threshold`: the same rule in the units of the statistic. */
  readonly statistic: number;
  readonly threshold: number;
  /** This check’s part of the false-alarm rate. */
  readonly level: number;
  readonly drifted: boolean;
  /** A sentence without full stop. */
  readonly tale: string;
}

export interface ComparePolicy {
  /** Chance that a column whose rows are exchangeable between the samples is called drifted, over all its checks. */
  readonly falseAlarms: number;
  /** Share of rows that a distribution may move without mattering. */
  readonly minimumEffect: number;
  /** A column is stable when, with 95 % confidence, less than this share of its rows has moved. */
  readonly stableBelow: number;
  /** What single checks must exceed, as shares of rows. Absent: a change of nulls by a tenth of what they were, and every proven new value or value out of range. */
  readonly minimums?: { readonly nulls: number; readonly newValue: number; readonly range: number };
  /** Bounds that are too far from an alarm to matter may be rough ones: for very many columns. Absent: all are sharp. */
  readonly roughBounds?: boolean;
}

/**
 * Half a per cent of the rows: a mean shift of 0.05σ (D = 0.02) is still found in 40,000 rows, what moves less is noise to
 * every model we know of. A tenth of the rows is where Evidently, SageMaker and the PSI bands begin to call it drift.
 */
export const defaultPolicy: ComparePolicy = { falseAlarms: 0.001, minimumEffect: 0.005, stableBelow: 0.1 };

/**
 * The most that each check may spend of a column’s false-alarm rate. What depends only on both samples together (are
 * there nulls at all? values that could be new?) is known before; a check that cannot spend its part leaves it to the
 * distribution, so the parts add up to the rate, and nothing is wasted on checks that cannot fire.
 */
export const parts = { nulls: 0.26, type: 0.1, newCategory: 0.3, range: 0.1 } as const;

/**
 * By how much a distance (D, total variation, difference of shares) may be underestimated, with 95 % confidence: one row
 * changes it by 1/n or 1/m, and its mean is not below the true distance (C. McDiarmid, 1989; Jensen).
 */
export const underestimate = (n: number, m: number): number => Math.sqrt((Math.log(20) / 2) * (1 / n + 1 / m));

export const percent = (share: number): string => {
  const value = 100 * share;
  return `${Math.abs(value) >= 10 || value === 0 ? value.toFixed(0) : Math.abs(value) >= 0.1 ? value.toFixed(1) : value.toPrecision(1)} %`;
};

export const count = (rows: number): string => rows.toLocaleString('en-US');
