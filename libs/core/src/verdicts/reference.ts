import { canonicalJson, sha256Hex, type VersionRegistered } from '@millrace/contracts';
import { attributionsOf, parseReferenceParts, parseRowSample, type AttributionState, type InputReference, type ReferenceMetric, type RowSample } from '../drift/index.js';
import type { Calibration } from '../performance/index.js';
import { parseFeatureCounts, type FeatureCounts } from '../statistics/index.js';

/** What a version is compared with. */
export interface Reference extends InputReference {
  /** Of the reference as it was registered. */
  readonly sha256: string;
  readonly metrics: readonly ReferenceMetric[];
  /** Binary: what its scores turned out to be worth on the test rows. */
  readonly calibration: Calibration | null;
  /** Of explained test rows; null for a version that was trained before its spec asked for explanations. */
  readonly attributions: AttributionState | null;
  /** Wrong answers on the test rows; null when nothing tells. */
  readonly errors: { readonly wrong: number; readonly rows: number; readonly tolerance: number | null } | null;
}

/** Counts as training writes them, version 2; null for what releases before have written, and for damage. */
function readCounts(value: unknown): FeatureCounts | null {
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 2 || !('counts' in value) || typeof value.counts !== 'string') return null;
  return read(value.counts, parseFeatureCounts);
}

function read<T>(base64: string, parse: (bytes: Uint8Array) => T): T | null {
  try {
    return parse(Buffer.from(base64, 'base64'));
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

export function readReference(reference: VersionRegistered['reference']): Reference | null {
  if (reference === null) return null;
  const features = new Map<string, FeatureCounts>();
  for (const name of Object.keys(reference.features).sort()) {
    const counts = readCounts(reference.features[name]);
    if (counts !== null) features.set(name, counts);
  }
  const sample: RowSample | null = reference.sample === undefined ? null : read(reference.sample, parseRowSample);
  const parts = reference.parts === undefined ? null : read(reference.parts, parseReferenceParts);
  const metrics = reference.metrics.filter(({ slice }) => slice === 'overall');
  return { sha256: sha256Hex(canonicalJson(reference)), features, output: readCounts(reference.output), sample, parts, metrics, calibration: reference.calibration ?? null, attributions: reference.attributions === undefined ? null : attributionsOf(reference.attributions), errors: reference.errors ?? errorsBehind(metrics) };
}

/** A version of a release that did not count its errors has its accuracy; a regression has no errors without a tolerance. */
function errorsBehind(metrics: readonly ReferenceMetric[]): Reference['errors'] {
  const accuracy = metrics.find(({ name }) => name === 'accuracy');
  return accuracy === undefined || accuracy.n === 0 ? null : { wrong: Math.round((1 - accuracy.value) * accuracy.n), rows: accuracy.n, tolerance: null };
}
