import type { OutcomeObserved } from '@millrace/contracts';
import { decideRollout } from './decide-rollout.js';
import { judgeStep } from './judge-step.js';
import { evidenceOfOutcome } from './outcome-evidence.js';
import type { RolloutPlan } from './rollout-plan.js';
import { isPaired } from './rollout-policy.js';
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
  /** Whose answers count for the candidate, where several are tried at once. */
  readonly candidateVersion: string;
  /** Whether an outcome of this unit has counted in this step (its index in the plan) already. */
  readonly hasCounted: (unit: CountedUnit) => boolean;
}

/** A unit whose outcome a step has learnt from: another of its outcomes is no new draw of the split. */
export interface CountedUnit {
  readonly step: number;
  /** Its hash. */
  readonly unit: string;
}

/** One outcome’s turn: evidence, decision, and now and then a look. The one way by which roll-outs learn, live and in a replay. */
export function weighOutcome(
  before: { readonly state: StoredState; readonly outcomes: number }, outcome: OutcomeObserved, plan: RolloutPlan, { routeRevision, streamTimeMs, lookEveryOutcomes, routable, candidateVersion, hasCounted }: OutcomeSurroundings,
): RolloutProgress & { readonly steps: RolloutStep[]; readonly units: readonly CountedUnit[] } {
  const { policy } = plan;
  const known = currentState(before.state, policy);
  const state = known.evidence === null ? known : { ...known, evidence: withRevision(known.evidence, routeRevision) };
  const units: CountedUnit[] = [];
  const told = (evidence: StepEvidence): Outcomes => onceEach(outcomesOf(outcome, evidence, plan, candidateVersion), evidence.step, plan, hasCounted, units);
  const own = state.evidence === null ? { pairs: [], arms: [] } : told(state.evidence);
  const late = state.decided.flatMap((decided) => {
    const each = told(decided);
    return each.pairs.length + each.arms.length === 0 ? [] : [{ sequence: decided.sequence, ...each }];
  });
  const used = own.pairs.length + own.arms.length;
  const outcomes = before.outcomes + used;
  const decision = decideRollout(state, { type: 'outcomes', streamTimeMs, ...own, late, routable }, policy);
  const next = decision.state;
  if (next.phase !== state.phase || next.evidence === null || used === 0 || outcomes % lookEveryOutcomes !== 0) return { state: next, outcomes, steps: decision.steps, units };
  const { verdict, reason, evidence } = judgeStep(next.evidence, policy);
  const sequence = next.sequence + 1;
  const place = placeOf(next);
  return { state: { ...next, sequence }, outcomes, steps: [...decision.steps, { sequence, from: place, to: place, verdict, reason, evidence }], units };
}

function outcomesOf(outcome: OutcomeObserved, { step, legs }: StepEvidence, { task, policy }: RolloutPlan, candidateVersion: string): Outcomes {
  const rules = policy.steps[step];
  return rules === undefined ? { pairs: [], arms: [] } : evidenceOfOutcome(outcome, task, legs, isPaired(rules), policy.candidates === undefined ? undefined : candidateVersion);
}

/** Outcomes of one unit share its luck and its arm, so only the first of each counts in a step: what counts is as independent as the units are. */
function onceEach(outcomes: Outcomes, step: number, { unitsOnce }: Pick<RolloutPlan, 'unitsOnce'>, hasCounted: OutcomeSurroundings['hasCounted'], units: CountedUnit[]): Outcomes {
  if (unitsOnce === undefined) return outcomes;
  const arms = outcomes.arms.filter(({ unit }) => {
    if (unit === undefined) return true;
    if (hasCounted({ step, unit })) return false;
    units.push({ step, unit });
    return true;
  });
  return { ...outcomes, arms };
}
