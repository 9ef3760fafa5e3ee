import { Counter, Gauge, register } from 'prom-client';
import { rolloutStepTypes } from '@millrace/contracts';
import { businessReading, endPhases, evidenceOf, rowsOf, stepOf, type RolloutState } from '@millrace/core/rollout';
import { guardMetrics, reportGuards } from './guard.metrics.js';
import type { ModelConduct } from './rollout-conductor.js';
import type { RolloutRow } from './rollout.store.js';

function once<T>(name: string, make: (name: string) => T): T {
  return (register.getSingleMetric(name) as T | undefined) ?? make(name);
}

export const rolloutMetrics = {
  phase: once('millrace_rollout_phase', (name) => new Gauge({ name, help: '1 for the phase a model’s roll-out is in, 0 for the others', labelNames: ['model', 'phase'] })),
  evidence: once('millrace_rollout_evidence', (name) => new Gauge({ name, help: 'Difference in mean loss, candidate minus champion, of the roll-out under way', labelNames: ['model', 'bound'] })),
  candidates: once('millrace_rollout_candidate_difference', (name) => new Gauge({ name, help: 'Difference in mean loss to the champion, of each candidate that is tried at the same time', labelNames: ['model', 'version', 'bound'] })),
  outcomes: once('millrace_rollout_outcomes', (name) => new Gauge({ name, help: 'Outcomes of the candidate (pairs, where both arms are asked) in the step under way, and how many it needs before it may pass', labelNames: ['model', 'bound'] })),
  exposure: once('millrace_rollout_exposure_seconds', (name) => new Gauge({ name, help: 'Share × stream time of the roll-out under way, as time of the whole traffic', labelNames: ['model'] })),
  held: once('millrace_rollout_held', (name) => new Gauge({ name, help: '1 while a roll-out waits for a person', labelNames: ['model'] })),
  revisions: once('millrace_rollout_revisions_total', (name) => new Counter({ name, help: 'Verdicts of decided steps that late labels have changed, by the new verdict', labelNames: ['model', 'verdict'] })),
  steps: once('millrace_rollout_steps_total', (name) => new Counter({ name, help: 'Decided steps', labelNames: ['model', 'verdict'] })),
};

const phases = [...rolloutStepTypes, ...endPhases];
type Bounds = Readonly<Record<'mean' | 'low' | 'high' | 'margin', number | null>>;
const noBounds: Bounds = { mean: null, low: null, high: null, margin: null };

/** After each change of a roll-out. Called before the transaction commits: a rare rollback shows early what comes a moment later. */
export function reportConduct({ model: { model }, steps }: Pick<ModelConduct, 'model' | 'steps'>, row: RolloutRow): void {
  for (const { verdict, revises, evidence, to } of steps.splice(0)) {
    if (evidence.guard === 'business' && to === 'rolled-back') guardMetrics.breaches.inc({ model, guard: 'business' });
    rolloutMetrics.steps.inc({ model, verdict });
    if (revises !== undefined) rolloutMetrics.revisions.inc({ model, verdict });
  }
  // One that waits says nothing about where the model stands: another is under way.
  if (row.status === 'waiting') return;
  // A plan may have several steps of one type: the type is what the board shows.
  const here = row.state !== null && row.plan !== null ? (stepOf(row.state, row.plan.policy)?.type ?? row.phase) : row.phase;
  for (const phase of phases) rolloutMetrics.phase.set({ model, phase }, phase === here ? 1 : 0);
  const bounds: Bounds = row.state !== null && row.plan !== null && row.state.evidence !== null ? evidenceOf(row.state.evidence, row.plan.policy) : noBounds;
  for (const bound of ['mean', 'low', 'high', 'margin'] as const) {
    const value = bounds[bound];
    if (value === null) rolloutMetrics.evidence.remove({ model, bound });
    else rolloutMetrics.evidence.set({ model, bound }, value);
  }
  const [business, learnt] = [row.plan?.policy.business, row.state?.evidence?.business];
  reportGuards(model, business === undefined || learnt === undefined ? [] : [{ ...businessReading(learnt, business), breached: false }], ['business']);
  reportStep(model, row);
}

const waitsForPerson = ({ held }: Pick<RolloutState, 'held'>): boolean => held !== null && held !== 'chosen-next';

const comparedVersions = new Map<string, readonly string[]>();

/** Candidates that are tried at the same time, beside each other. What has one series per model shows the oldest of them. */
export function reportCandidates(model: string, rows: readonly RolloutRow[]): void {
  for (const version of comparedVersions.get(model) ?? []) for (const bound of ['mean', 'low', 'high'] as const) rolloutMetrics.candidates.remove({ model, version, bound });
  const compared = rows.filter(({ plan }) => plan?.policy.candidates !== undefined);
  comparedVersions.set(model, compared.map(({ candidateVersion }) => candidateVersion));
  for (const { candidateVersion: version, state, plan } of compared) {
    if (state === null || state.evidence === null || plan === null) continue;
    if (waitsForPerson(state)) rolloutMetrics.held.set({ model }, 1);
    const told = evidenceOf(state.evidence, plan.policy);
    for (const bound of ['mean', 'low', 'high'] as const) rolloutMetrics.candidates.set({ model, version, bound }, told[bound] ?? NaN);
  }
}

function reportStep(model: string, { state, plan }: RolloutRow): void {
  const step = state === null || plan === null ? undefined : stepOf(state, plan.policy);
  if (state === null || state.evidence === null || step === undefined) {
    for (const bound of ['seen', 'needed'] as const) rolloutMetrics.outcomes.remove({ model, bound });
    for (const gauge of [rolloutMetrics.exposure, rolloutMetrics.held]) gauge.remove({ model });
    return;
  }
  rolloutMetrics.outcomes.set({ model, bound: 'seen' }, rowsOf(state.evidence));
  rolloutMetrics.outcomes.set({ model, bound: 'needed' }, step.rowsMin);
  rolloutMetrics.exposure.set({ model }, state.exposureMs / 1_000);
  rolloutMetrics.held.set({ model }, waitsForPerson(state) ? 1 : 0);
}
