import type { OutcomeObserved } from '@millrace/contracts';
import { decideRollout } from './decide-rollout.js';
import { judgeStep } from './judge-step.js';
import { evidenceOfOutcome } from './outcome-evidence.js';
import type { RolloutPlan } from './rollout-plan.js';
import { isPaired, type RolloutPolicy } from './rollout-policy.js';
import { currentState, type RolloutState, type StoredState } from './rollout-state.js';
import { placeOf, type RolloutStep } from './rollout-step.js';
import { withRevision, type Outcomes, type StepEvidence } from './step-evidence.js';

/** How far a roll-out has come: what decisions remember, and how many outcomes told something of it. */
export interface RolloutProgress {
  readonly state: RolloutState;
  readonly outcomes: number;
}

/** What stands outside the roll-out when an outcome comes. */
export interface OutcomeSurroundings {
  /** Of the route in force: evidence of other routes counts for the steps that they belonged to. */
  readonly routeRevision: number;
  /** Stream clock of the model, this outcome’s label included. */
  readonly streamTimeMs: number;
  /** A look that changes nothing is told once per so many outcomes. */
  readonly lookEveryOutcomes: number;
  /** Once it is complete: whether the old champion could be routed again. */
  readonly routable: boolean;
}

/** One outcome’s turn: evidence, decision, and now and then a look. The one way by which roll-outs learn, live and in a replay. */
export function weighOutcome(
  before: { readonly state: StoredState; readonly outcomes: number }, outcome: OutcomeObserved, plan: RolloutPlan, { routeRevision, streamTimeMs, lookEveryOutcomes, routable }: OutcomeSurroundings,
): RolloutProgress & { readonly steps: RolloutStep[] } {
  const { policy } = plan;
  const known = currentState(before.state, policy);
  const state = known.evidence === null ? known : { ...known, evidence: withRevision(known.evidence, routeRevision) };
  const told = (evidence: StepEvidence): Outcomes => outcomesOf(outcome, evidence, plan, policy);
  const own = state.evidence === null ? { pairs: [], arms: [] } : told(state.evidence);
  const late = state.decided.flatMap((decided) => {
    const each = told(decided);
    return each.pairs.length + each.arms.length === 0 ? [] : [{ sequence: decided.sequence, ...each }];
  });
  const used = own.pairs.length + own.arms.length;
  const outcomes = before.outcomes + used;
  const decision = decideRollout(state, { type: 'outcomes', streamTimeMs, ...own, late, routable }, policy);
  const next = decision.state;
  if (next.phase !== state.phase || next.evidence === null || used === 0 || outcomes % lookEveryOutcomes !== 0) return { state: next, outcomes, steps: decision.steps };
  const { verdict, reason, evidence } = judgeStep(next.evidence, policy);
  const sequence = next.sequence + 1;
  const place = placeOf(next);
  return { state: { ...next, sequence }, outcomes, steps: [...decision.steps, { sequence, from: place, to: place, verdict, reason, evidence }] };
}

function outcomesOf(outcome: OutcomeObserved, { step, legs }: StepEvidence, { task }: RolloutPlan, { steps }: RolloutPolicy): Outcomes {
  const rules = steps[step];
  return rules === undefined ? { pairs: [], arms: [] } : evidenceOfOutcome(outcome, task, legs, isPaired(rules));
}
