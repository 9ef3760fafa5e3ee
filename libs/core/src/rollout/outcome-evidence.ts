import type { OutcomeObserved, ServedPrediction } from '@millrace/contracts';
import { lossOf, type Task } from '../statistics/index.js';
import type { Leg, Outcomes } from './step-evidence.js';

const nothing: Outcomes = { pairs: [], arms: [] };

/**
 * What one outcome tells about a step. Only predictions made under the step’s own routes count: one that was made in another
 * step was split by another share. A record that was asked for more than once counts once. An answer by a fallback says
 * nothing about the version that failed.
 */
export function evidenceOfOutcome(outcome: OutcomeObserved, task: Task, legs: readonly Leg[], paired: boolean): Outcomes {
  const own = outcome.predictions.filter(({ routeRevision, fallback }) => fallback === undefined && legs.some(({ revision }) => revision === routeRevision)).sort(byPosition);
  const primary = own.find(({ role }) => role === 'primary');
  if (primary === undefined) return nothing;
  const lossOfPrediction = ({ output }: ServedPrediction): number | null => lossOf(task, output, outcome.label);
  const primaryLoss = lossOfPrediction(primary);
  if (primaryLoss === null) return nothing;
  const groups = primary.groups === undefined ? {} : { groups: primary.groups };
  if (!paired) return { pairs: [], arms: [{ arm: primary.arm, loss: primaryLoss, leg: legs.findIndex(({ revision }) => revision === primary.routeRevision), ...groups }] };
  const shadow = own.find(({ role, requestId, arm }) => role === 'shadow' && requestId === primary.requestId && arm !== primary.arm);
  const shadowLoss = shadow === undefined ? null : lossOfPrediction(shadow);
  if (shadowLoss === null) return nothing;
  const [champion, candidate] = primary.arm === 'champion' ? [primaryLoss, shadowLoss] : [shadowLoss, primaryLoss];
  return { pairs: [{ champion, candidate, ...groups }], arms: [] };
}

function byPosition(a: ServedPrediction, b: ServedPrediction): number {
  return a.position.partition - b.position.partition || a.position.offset - b.position.offset;
}
