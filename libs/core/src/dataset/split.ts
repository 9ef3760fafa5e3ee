export interface SplitCounts {
  readonly train: number;
  readonly validation: number;
  readonly test: number;
}

/**
 * How many of `rows`, in event-time order, go to each part: the earliest train, the latest test, validation between.
 * Parts are rounded down, so the training part gets the remainder.
 * @throws RangeError when the shares leave nothing to train on.
 */
export function splitByEventTime(rows: number, shares: { readonly testShare: number; readonly validationShare: number }): SplitCounts {
  const { testShare, validationShare } = shares;
  if (testShare < 0 || validationShare < 0 || testShare + validationShare >= 1) throw new RangeError('testShare and validationShare must be at least 0 and leave something to train on');
  const test = Math.floor(rows * testShare);
  const validation = Math.floor(rows * validationShare);
  return { train: rows - test - validation, validation, test };
}
