import { outcomeJoiningMetrics } from './outcome-joining.metrics.js';
import type { SettledPrediction } from './prediction.store.js';

/** How each record with a primary prediction ended: once per record, whatever its number of predictions. */
export function settlementOf(settled: readonly SettledPrediction[]): { model: string; name: 'joined' | 'expired' }[] {
  return settled.flatMap(({ model, counted, state }) => {
    if (!counted || state === 'open') return [];
    outcomeJoiningMetrics.outcomes.inc({ model, outcome: state });
    return [{ model, name: state }];
  });
}
