import type { LoggedDecision } from './logged-decision.js';

/** Who answered, with what probability, and what came of it. */
export interface ArmDecision {
  readonly unit: string;
  readonly arm: string;
  readonly propensity: number;
  readonly loss: number;
  /** What losses may depend on besides the arm; known before the arm was chosen. */
  readonly slice: string | null;
}

/** Probability with which a policy chooses each arm; 0 for those that it does not name. */
export type ArmPolicy = Readonly<Record<string, number>>;

const folds = 5;
/** So many rows of the arm’s own mean are mixed into the mean of a slice. */
const rowsOfArm = 20;

interface Mean {
  n: number;
  sum: number;
}

const meanOf = ({ n, sum }: Mean, n0: number, mean0: number): number => (sum + n0 * mean0) / (n + n0);

/** Sums of everything, of one arm, and of an arm in a slice, by name. */
type Means = Map<string, Mean>;

const keysOf = ({ arm, slice }: Pick<ArmDecision, 'arm' | 'slice'>): readonly string[] => ['all', JSON.stringify([arm]), JSON.stringify([arm, slice])];

function count(means: Means, decision: ArmDecision): void {
  for (const key of keysOf(decision)) {
    const mean = means.get(key) ?? { n: 0, sum: 0 };
    mean.n += 1;
    mean.sum += decision.loss;
    means.set(key, mean);
  }
}

/** Mean loss of an arm in a slice, without one fold. */
function expectedLoss(all: Means, fold: Means, place: Pick<ArmDecision, 'arm' | 'slice'>): number {
  const without = (key: string): Mean => {
    const [whole, part] = [all.get(key) ?? { n: 0, sum: 0 }, fold.get(key) ?? { n: 0, sum: 0 }];
    return { n: whole.n - part.n, sum: whole.sum - part.sum };
  };
  const [everything = '', ofArm = '', ofSlice = ''] = keysOf(place);
  const { n, sum } = without(everything);
  const overall = n === 0 ? 0 : sum / n;
  const arm = meanOf(without(ofArm), 1, overall);
  return meanOf(without(ofSlice), rowsOfArm, arm);
}

/**
 * Decisions as another policy over the same arms sees them, with expected losses: means per arm and slice, drawn towards
 * the arm’s own, each from the other four fifths of the units (cross-fitting; V. Chernozhukov et al., Econometrics Journal 21,
 * 2018), so that no row was seen by what expects its loss.
 */
export function armDecisions(decisions: readonly ArmDecision[], policy: ArmPolicy): LoggedDecision[] {
  const foldOfUnit = new Map<string, number>();
  for (const { unit } of decisions) if (!foldOfUnit.has(unit)) foldOfUnit.set(unit, foldOfUnit.size % folds);
  const all: Means = new Map();
  const byFold = Array.from({ length: folds }, (): Means => new Map());
  const meansOf = (unit: string): Means => byFold[foldOfUnit.get(unit) ?? 0] ?? all;
  for (const decision of decisions) {
    count(all, decision);
    count(meansOf(decision.unit), decision);
  }
  const arms = Object.entries(policy);
  return decisions.map(({ unit, arm, propensity, loss, slice }) => {
    const expect = (each: string): number => expectedLoss(all, meansOf(unit), { arm: each, slice });
    return {
      unit, propensity, loss, target: Object.hasOwn(policy, arm) ? (policy[arm] ?? 0) : 0,
      expected: { logged: expect(arm), target: arms.reduce((sum, [each, share]) => sum + share * expect(each), 0) },
    };
  });
}
