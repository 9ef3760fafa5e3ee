import { sha256Hex, type OutcomeObserved, type ServedPrediction } from '@millrace/contracts';
import { lossOf, type Task } from '../statistics/index.js';
import type { Leg, Outcomes } from './step-evidence.js';

const nothing: Outcomes = { pairs: [], arms: [] };

/**
 * What one outcome tells about a step. Only predictions made under the step’s own routes count: one that was made in another
 * step was split by another share. A record that was asked for more than once counts once. An answer by a fallback says
 * nothing about the version that failed. @param candidateVersion others are tried beside it; absent: there is only one.
 */
export function evidenceOfOutcome(outcome: OutcomeObserved, task: Task, legs: readonly Leg[], paired: boolean, candidateVersion?: string): Outcomes {
  const isOurs = ({ arm, version }: ServedPrediction): boolean => arm === 'champion' || candidateVersion === undefined || version === candidateVersion;
  const own = outcome.predictions.filter((prediction) => isOurs(prediction)).filter(({ routeRevision, fallback }) => fallback === undefined && legs.some(({ revision }) => revision === routeRevision)).sort(byPosition);
  const primary = own.find(({ role }) => role === 'primary');
  if (primary === undefined) return nothing;
  const lossOfPrediction = ({ output }: ServedPrediction): number | null => lossOf(task, output, outcome.label);
  const primaryLoss = lossOfPrediction(primary);
  if (primaryLoss === null) return nothing;
  const groups = primary.groups === undefined ? {} : { groups: primary.groups };
  if (!paired) return { pairs: [], arms: [{ arm: primary.arm, loss: primaryLoss, leg: legs.findIndex(({ revision }) => revision === primary.routeRevision), ...groups, ...unitOf(outcome, primary), ...(outcome.measures === undefined ? {} : { measures: outcome.measures }) }] };
  const shadow = own.find(({ role, requestId, arm }) => role === 'shadow' && requestId === primary.requestId && arm !== primary.arm);
  const shadowLoss = shadow === undefined ? null : lossOfPrediction(shadow);
  if (shadowLoss === null) return nothing;
  const [champion, candidate] = primary.arm === 'champion' ? [primaryLoss, shadowLoss] : [shadowLoss, primaryLoss];
  return { pairs: [{ champion, candidate, ...groups }], arms: [] };
}

function byPosition(a: ServedPrediction, b: ServedPrediction): number {
  return a.position.partition - b.position.partition || a.position.offset - b.position.offset;
}

/** A record that is its own unit comes once; any other unit may come again, and is told apart by 64 bits of its hash. */
function unitOf({ recordId }: OutcomeObserved, { unit }: Pick<ServedPrediction, 'unit'>): { readonly unit?: string } {
  return unit === recordId ? {} : { unit: sha256Hex(unit).slice(0, 16) };
}

/** Hashes of the outcome’s units that may come again. */
export function unitsIn(outcome: OutcomeObserved): string[] {
  return [...new Set(outcome.predictions.flatMap((prediction) => unitOf(outcome, prediction).unit ?? []))];
}
