import type { Serving } from '@millrace/contracts';
import type { ModelLimits } from '@millrace/model-runtime';

/** A spec’s serving section as the runtime takes it; what it leaves open stays the runtime’s default. */
export function limitsOf(serving: Serving | undefined): { readonly limits: ModelLimits; readonly deadlineMs?: number } {
  if (serving === undefined) return { limits: {} };
  const { batching, limits } = serving;
  const named = {
    rowsMax: batching.rowsMax, windowMs: batching.windowMs, preferredRows: batching.preferredRows,
    queuedRowsMax: limits.queuedRowsMax, queuedMsMax: limits.queuedMsMax, runMsMax: limits.runMsMax, memoryMbMax: limits.memoryMbMax,
  };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)) as ModelLimits;
  return { limits: given, ...(limits.deadlineMs === undefined ? {} : { deadlineMs: limits.deadlineMs }) };
}
