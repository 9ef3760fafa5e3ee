import { randomUUID } from 'node:crypto';
import { MillraceError, type PredictionFailed } from '@millrace/contracts';
import type { Instance } from './instance-judge.js';
import type { LiveRoute } from './route-book.js';
import type { Group } from './served-answers.js';

const reasonCharsMax = 500;

/**
 * Whether a version that was asked has failed: it took the request on and gave no answer. The caller’s mistakes are not its
 * fault, and a request that was refused at once, because too many waited, was never taken on.
 */
export function isVersionFailure(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return true;
  return error.httpStatus >= 500 && error.code !== 'MODEL_OVERLOADED';
}

/** What is told of any failure. */
export function failureOf(error: unknown): Pick<PredictionFailed, 'code' | 'reason'> {
  const reason = error instanceof Error ? error.message : String(error);
  return { code: error instanceof MillraceError ? error.code : 'INTERNAL', reason: reason.slice(0, reasonCharsMax) };
}

/** One event per instance of the group. @param requestIdOf of the answer that another gave in its place; unset: nobody did. */
export function failedPredictions(live: LiveRoute, { arm, version, probability, indexes }: Group, instances: readonly Instance[], error: unknown, at: { readonly servedAt: string; readonly latencyMs: number; readonly attempt?: number }, requestIdOf?: (index: number) => string | undefined): PredictionFailed[] {
  const { model, revision } = live.route;
  const failure = failureOf(error);
  return indexes.flatMap((index) => {
    const instance = instances[index];
    if (instance === undefined) return [];
    return [{
      model, recordId: instance.id, requestId: requestIdOf?.(index) ?? randomUUID(), version: version.version, role: 'primary', arm,
      unit: instance.unit ?? instance.id, eventTime: instance.eventTime ?? at.servedAt, routeRevision: revision, armProbability: probability, ...failure, ...at,
    } satisfies PredictionFailed];
  });
}
