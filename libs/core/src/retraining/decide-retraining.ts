export interface RetrainingPolicy {
  /** Labelled rows before the first training. */
  readonly initialRows: number;
  readonly onDrift: boolean;
  readonly onPerformance: boolean;
  /** Labelled rows since the last training; null: no such trigger. */
  readonly newRows: number | null;
  /** Stream time since the last training; null: no schedule. */
  readonly everyMs: number | null;
  readonly cooldownMs: number;
  readonly budget: { readonly runs: number; readonly perMs: number };
}

/** What is known when the question is asked. Times are stream time, milliseconds since the epoch. */
export interface RetrainingEvidence {
  readonly streamTimeMs: number;
  readonly labelledRows: number;
  readonly labelledRowsSinceLastPlan: number;
  readonly hasChampion: boolean;
  readonly activeRunId: string | null;
  /** Failed verdicts on the champion since the last plan, by kind. */
  readonly drift: { readonly verdictId: string; readonly reason: string } | null;
  readonly performance: { readonly verdictId: string; readonly reason: string } | null;
  readonly manual: { readonly by: string; readonly reason: string } | null;
  /** Stream times of earlier plans, any order. */
  readonly planTimesMs: readonly number[];
  /** Set while the stream’s contract is broken. */
  readonly contractBroken: { readonly reason: string } | null;
}

export interface RetrainingReason {
  readonly rule: 'manual' | 'initial' | 'performance' | 'drift' | 'new-rows' | 'schedule' | 'active-run' | 'cooldown' | 'budget' | 'contract';
  readonly outcome: 'triggers' | 'quiet' | 'blocks';
  readonly value: number | string | null;
  readonly threshold: number | string | null;
  readonly reason: string;
}

export interface RetrainingDecision {
  readonly decision: 'retrain' | 'no';
  /** The trigger that weighs most, when the answer is retrain. */
  readonly trigger: RetrainingReason['rule'] | null;
  /** Every rule that was looked at, in the order of weight: a “no” is explained like a “yes”. */
  readonly reasons: RetrainingReason[];
}

const dayMs = 86_400_000;
const days = (ms: number): string => `${(ms / dayMs).toFixed(1)} days`;

function triggers(evidence: RetrainingEvidence, policy: RetrainingPolicy, lastPlanMs: number | null): RetrainingReason[] {
  const { manual, hasChampion, labelledRows, labelledRowsSinceLastPlan, performance, drift, streamTimeMs } = evidence;
  const reasons: RetrainingReason[] = [];
  const add = (rule: RetrainingReason['rule'], fires: boolean, value: RetrainingReason['value'], threshold: RetrainingReason['threshold'], reason: string) =>
    reasons.push({ rule, outcome: fires ? 'triggers' : 'quiet', value, threshold, reason });
  if (manual !== null) add('manual', true, manual.by, null, manual.reason);
  if (lastPlanMs === null) {
    add('initial', labelledRows >= policy.initialRows, labelledRows, policy.initialRows, `${labelledRows} labelled rows of the ${policy.initialRows} that the first training needs`);
    return reasons;
  }
  // What the first training made was not put into service, so no monitor will ever ask for another.
  if (!hasChampion) add('initial', labelledRowsSinceLastPlan > 0, labelledRowsSinceLastPlan, 1, `no version is in service yet; ${labelledRowsSinceLastPlan} labelled rows came since the last plan`);
  if (policy.onPerformance) add('performance', performance !== null, performance?.verdictId ?? null, null, performance?.reason ?? 'no failed verdict on performance since the last plan');
  if (policy.onDrift) add('drift', drift !== null, drift?.verdictId ?? null, null, drift?.reason ?? 'no failed verdict on drift since the last plan');
  if (policy.newRows !== null) add('new-rows', labelledRowsSinceLastPlan >= policy.newRows, labelledRowsSinceLastPlan, policy.newRows, `${labelledRowsSinceLastPlan} new labelled rows of ${policy.newRows}`);
  if (policy.everyMs !== null) add('schedule', streamTimeMs - lastPlanMs >= policy.everyMs, days(streamTimeMs - lastPlanMs), days(policy.everyMs), `${days(streamTimeMs - lastPlanMs)} since the last plan of ${days(policy.everyMs)}`);
  return reasons;
}

function blocks(evidence: RetrainingEvidence, policy: RetrainingPolicy, lastPlanMs: number | null): RetrainingReason[] {
  const { activeRunId, streamTimeMs, planTimesMs, contractBroken, manual } = evidence;
  const reasons: RetrainingReason[] = [];
  if (activeRunId !== null) reasons.push({ rule: 'active-run', outcome: 'blocks', value: activeRunId, threshold: null, reason: `run ${activeRunId} is under way` });
  if (contractBroken !== null) reasons.push({ rule: 'contract', outcome: 'blocks', value: null, threshold: null, reason: contractBroken.reason });
  // A person who asks by hand knows about cool-down and budget.
  if (manual !== null) return reasons;
  if (lastPlanMs !== null) {
    const since = streamTimeMs - lastPlanMs;
    reasons.push({ rule: 'cooldown', outcome: since < policy.cooldownMs ? 'blocks' : 'quiet', value: days(since), threshold: days(policy.cooldownMs), reason: `${days(since)} since the last plan; the cool-down is ${days(policy.cooldownMs)}` });
  }
  const spent = planTimesMs.filter((time) => streamTimeMs - time < policy.budget.perMs).length;
  reasons.push({ rule: 'budget', outcome: spent >= policy.budget.runs ? 'blocks' : 'quiet', value: spent, threshold: policy.budget.runs, reason: `${spent} of ${policy.budget.runs} runs spent in the last ${days(policy.budget.perMs)}` });
  return reasons;
}

/**
 * Should this model be trained now? Yes when a trigger fires and nothing blocks. Durations are on the stream clock, so a
 * replay decides what the first run decided.
 */
export function decideRetraining(evidence: RetrainingEvidence, policy: RetrainingPolicy): RetrainingDecision {
  const lastPlanMs = evidence.planTimesMs.length === 0 ? null : Math.max(...evidence.planTimesMs);
  const firing = triggers(evidence, policy, lastPlanMs);
  const blocking = blocks(evidence, policy, lastPlanMs);
  const trigger = firing.find(({ outcome }) => outcome === 'triggers');
  const blocked = blocking.some(({ outcome }) => outcome === 'blocks');
  const retrain = trigger !== undefined && !blocked;
  return { decision: retrain ? 'retrain' : 'no', trigger: retrain ? trigger.rule : null, reasons: [...firing, ...blocking] };
}
