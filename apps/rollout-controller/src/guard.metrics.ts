import { Counter, Gauge, register } from 'prom-client';
import { requestGuardNames, type GuardReading } from '@millrace/core/rollout';

function once<T>(name: string, make: (name: string) => T): T {
  return (register.getSingleMetric(name) as T | undefined) ?? make(name);
}

export const guardMetrics = {
  evidence: once('millrace_rollout_guard_evidence', (name) => new Gauge({ name, help: 'Evidence that the candidate is beyond a guard’s limit, as a part of what takes it back: 1 is a breach', labelNames: ['model', 'guard'] })),
  difference: once('millrace_rollout_guard_difference', (name) => new Gauge({ name, help: 'Candidate minus champion, by guard: share of failed requests, share of slow answers, mean prediction; and what is tolerated', labelNames: ['model', 'guard', 'bound'] })),
  breaches: once('millrace_rollout_guard_breaches_total', (name) => new Counter({ name, help: 'Candidates taken back by a guard', labelNames: ['model', 'guard'] })),
};

/** Where guards of a roll-out stand; none: it is over. Called before the transaction commits, like every report. */
export function reportGuards(model: string, readings: readonly GuardReading[], guards: readonly GuardReading['guard'][] = requestGuardNames): void {
  for (const guard of guards) {
    const reading = readings.find((one) => one.guard === guard);
    if (reading === undefined) {
      guardMetrics.evidence.remove({ model, guard });
      for (const bound of ['mean', 'limit'] as const) guardMetrics.difference.remove({ model, guard, bound });
      continue;
    }
    guardMetrics.evidence.set({ model, guard }, reading.evidence);
    guardMetrics.difference.set({ model, guard, bound: 'limit' }, reading.limit);
    if (reading.difference !== null) guardMetrics.difference.set({ model, guard, bound: 'mean' }, reading.difference);
    if (reading.breached) guardMetrics.breaches.inc({ model, guard });
  }
}
