import { Counter, Gauge, register } from 'prom-client';
import { evidenceOf, isLive } from '@millrace/core/rollout';
import type { ModelConduct } from './rollout-conductor.js';
import type { RolloutRow } from './rollout.store.js';

function once<T>(name: string, make: (name: string) => T): T {
  return (register.getSingleMetric(name) as T | undefined) ?? make(name);
}

export const rolloutMetrics = {
  phase: once('millrace_rollout_phase', (name) => new Gauge({ name, help: '1 for the phase a model’s roll-out is in, 0 for the others', labelNames: ['model', 'phase'] })),
  evidence: once('millrace_rollout_evidence', (name) => new Gauge({ name, help: 'Difference in mean loss, candidate minus champion, of the roll-out under way', labelNames: ['model', 'bound'] })),
  steps: once('millrace_rollout_steps_total', (name) => new Counter({ name, help: 'Decided steps', labelNames: ['model', 'verdict'] })),
};

const phases = ['shadow', 'canary', 'ab', 'full', 'rolled-back', 'aborted'] as const;
type Bounds = Readonly<Record<'mean' | 'low' | 'high' | 'margin', number | null>>;
const noBounds: Bounds = { mean: null, low: null, high: null, margin: null };

/** After each change of a roll-out. Called before the transaction commits: a rare rollback shows early what comes a moment later. */
export function reportConduct({ model: { model }, steps }: Pick<ModelConduct, 'model' | 'steps'>, row: RolloutRow): void {
  for (const { verdict } of steps.splice(0)) rolloutMetrics.steps.inc({ model, verdict });
  // One that waits says nothing about where the model stands: another is under way.
  if (row.status === 'waiting') return;
  for (const phase of phases) rolloutMetrics.phase.set({ model, phase }, phase === row.phase ? 1 : 0);
  const bounds: Bounds = row.state !== null && row.plan !== null && isLive(row.state.phase) ? evidenceOf(row.state, row.state.phase, row.plan.policy) : noBounds;
  for (const bound of ['mean', 'low', 'high', 'margin'] as const) {
    const value = bounds[bound];
    if (value === null) rolloutMetrics.evidence.remove({ model, bound });
    else rolloutMetrics.evidence.set({ model, bound }, value);
  }
}
