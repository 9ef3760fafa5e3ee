import type { PredictionFailed, PredictionServed } from '@millrace/contracts';
import { answerDistance } from './answer-difference.js';
import type { GuardObservation } from './guards.js';

/** What of a route decides which requests tell of its candidate. */
export interface GuardRoute {
  readonly revision: number;
  /** `share`: 0 while it only listens. */
  readonly candidate: { readonly version: string; readonly share: number } | null;
}

/** FNV-1a, 32 bits: only tells units apart that failed in one step. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** How far the candidate’s shadow answer, and the champion’s second one, lie from its first. */
function comparedIn({ output, compared }: PredictionServed): Pick<GuardObservation, 'compared'> {
  if (compared === undefined) return {};
  const [difference, noise] = [answerDistance(output, compared.champion), answerDistance(compared.again, compared.champion)];
  return difference === null || noise === null ? {} : { compared: { difference, noise } };
}

/** Of a candidate beside this one. */
const isOfAnother = ({ arm, version }: Pick<PredictionServed, 'arm' | 'version'>, { candidate }: GuardRoute): boolean => arm === 'candidate' && version !== candidate?.version;

const scoreOf = ({ probability, value }: PredictionServed['output']): number | null => probability ?? value ?? null;

/**
 * What an answer tells of a candidate under this route; null: nothing. While the candidate only listens it is judged by its
 * shadow runs beside the champion’s answers; of those only the latency of a run of its own compares.
 */
export function observationOfServed(data: PredictionServed, route: GuardRoute): GuardObservation | null {
  // An answer by a fallback says nothing about the version that failed; its failure was told by itself.
  if (data.routeRevision !== route.revision || data.fallback !== undefined || isOfAnother(data, route)) return null;
  const listens = route.candidate?.share === 0;
  if (data.role === 'shadow' && !listens) return null;
  const comparable = data.role === 'primary' || data.runRows === 1;
  return { arm: data.arm, endedMs: Date.parse(data.servedAt), failed: false, latencyMs: comparable ? data.latencyMs : null, score: scoreOf(data.output), unit: null, ...comparedIn(data) };
}

export function observationOfFailed(data: PredictionFailed, route: GuardRoute): GuardObservation | null {
  if (data.routeRevision !== route.revision || isOfAnother(data, route)) return null;
  if (data.role === 'shadow' && route.candidate?.share !== 0) return null;
  // Each try of a stream’s record is a sign of its own: it is ours, not a caller’s who repeats himself.
  const unit = hashOf(data.attempt === undefined ? data.unit : `${data.unit}\0${data.attempt}`);
  return { arm: data.arm, endedMs: Date.parse(data.servedAt), failed: true, latencyMs: null, score: null, unit };
}
