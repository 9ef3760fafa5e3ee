/** One thing that was done by chance, what came of it, and what another policy would have done in its place. */
export interface LoggedDecision {
  /** Decisions of one unit hang together; those of different units do not. */
  readonly unit: string;
  /** Probability, in (0, 1], with which what was done was chosen. */
  readonly propensity: number;
  /** Probability, in [0, 1], with which the policy in question would have done the same here. */
  readonly target: number;
  /** Any finite number; the smaller the better. */
  readonly loss: number;
  /** What a model that has not seen this row expects: the loss of what was done, and the mean loss of what the policy in question would do. */
  readonly expected: { readonly logged: number; readonly target: number } | null;
}

/** @throws RangeError naming the row, counted from 0, and what is wrong with it. */
export function checkDecision({ propensity, target, loss, expected }: LoggedDecision, row: number): void {
  const refuse = (what: string): never => {
    throw new RangeError(`row ${row}: ${what}`);
  };
  if (!(propensity > 0 && propensity <= 1)) refuse(`a propensity of ${propensity}; what was done had a probability above 0 and at most 1`);
  if (!(target >= 0 && target <= 1)) refuse(`a target of ${target} is no probability`);
  if (!Number.isFinite(loss)) refuse(`a loss of ${loss}`);
  if (expected !== null && !(Number.isFinite(expected.logged) && Number.isFinite(expected.target))) refuse('an expected loss that is no number');
}
