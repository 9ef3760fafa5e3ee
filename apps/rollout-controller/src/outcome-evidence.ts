import type { OutcomeObserved, ServedPrediction } from '@millrace/contracts';
import type { ArmLoss, PairedLoss } from '@millrace/core/rollout';
import { lossOf, type Task } from '@millrace/core/statistics';

export interface OutcomeEvidence {
  readonly pairs: readonly PairedLoss[];
  readonly arms: readonly ArmLoss[];
}

/**
 * What one outcome tells about a roll-out. Only predictions made under the route in force count: a prediction of an
 * earlier phase, whose label comes now, was split by another share. A record that was asked for more than once counts once.
 * An answer by a fallback says nothing about the version that failed.
 */
export function evidenceOfOutcome(outcome: OutcomeObserved, task: Task, routeRevision: number, paired: boolean): OutcomeEvidence {
  const current = outcome.predictions.filter((prediction) => prediction.routeRevision === routeRevision && prediction.fallback === undefined).sort(byPosition);
  const primary = current.find(({ role }) => role === 'primary');
  if (primary === undefined) return { pairs: [], arms: [] };
  const lossOfPrediction = ({ output }: ServedPrediction): number | null => lossOf(task, output, outcome.label);
  const primaryLoss = lossOfPrediction(primary);
  if (primaryLoss === null) return { pairs: [], arms: [] };
  if (!paired) return { pairs: [], arms: [{ arm: primary.arm, loss: primaryLoss }] };
  const shadow = current.find(({ role, requestId, arm }) => role === 'shadow' && requestId === primary.requestId && arm !== primary.arm);
  const shadowLoss = shadow === undefined ? null : lossOfPrediction(shadow);
  if (shadowLoss === null) return { pairs: [], arms: [] };
  return { pairs: [primary.arm === 'champion' ? { champion: primaryLoss, candidate: shadowLoss } : { champion: shadowLoss, candidate: primaryLoss }], arms: [] };
}

function byPosition(a: ServedPrediction, b: ServedPrediction): number {
  return a.position.partition - b.position.partition || a.position.offset - b.position.offset;
}
