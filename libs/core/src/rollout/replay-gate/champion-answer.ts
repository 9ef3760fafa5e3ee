import type { OutcomeObserved, ServedPrediction } from '@millrace/contracts';

/** What stands in the log about one record that has met its label. */
export interface LoggedAnswers {
  /** Answered the application; null when only shadows of it came, or a fallback answered. */
  readonly primary: ServedPrediction | null;
  /** What the champion said, primary or shadow; null when it was not asked. */
  readonly champion: ServedPrediction | null;
}

function byPosition(a: ServedPrediction, b: ServedPrediction): number {
  return a.position.partition - b.position.partition || a.position.offset - b.position.offset;
}

/**
 * The champion's answer of an outcome: its first one as primary, else its first as shadow. Answers by a fallback say nothing about
 * the version that failed.
 * @param version only of this version; null: whichever was champion then.
 */
export function loggedAnswers({ predictions }: Pick<OutcomeObserved, 'predictions'>, version: string | null): LoggedAnswers {
  const own = predictions.filter(({ fallback }) => fallback === undefined).toSorted(byPosition);
  const said = own.filter((each) => (version === null ? each.arm === 'champion' : each.version === version));
  return { primary: own.find(({ role }) => role === 'primary') ?? null, champion: said.find(({ role }) => role === 'primary') ?? said[0] ?? null };
}
