import { MillraceError, type AttributionCounts, type ModelSignature } from '@millrace/contracts';
import { attributionCounts, emptyAttributions, observeAttributions, recordHash } from '@millrace/core/drift';
import { openExplainer, watchedExplanations, type Explainer } from '@millrace/core/explanation';
import type { ModelRuntime } from '@millrace/model-runtime';
import type { LabelledRow } from './score-rows.js';

/** Enough for a mean share that is certain to a few points. */
const rowsMax = 1_000;
const rowsPerCall = 64;

/**
 * What a version rests on: the shares of attribution of rows that it was not fitted on, drawn by a hash of their ids. Explained
 * as the gateway explains answers. null for a model that cannot be explained.
 */
export async function explainRows(runtime: ModelRuntime, bytes: Uint8Array, signature: ModelSignature, rows: readonly LabelledRow[]): Promise<AttributionCounts | null> {
  const drawn = rows.map((row) => ({ row, hash: recordHash(row.recordId) })).sort((a, b) => a.hash - b.hash).slice(0, rowsMax).map(({ row }) => row);
  let explainer: Explainer | undefined;
  try {
    explainer = await openExplainer(bytes, runtime, signature, watchedExplanations);
    const state = emptyAttributions(false);
    for (let start = 0; start < drawn.length; start += rowsPerCall) {
      const part = drawn.slice(start, start + rowsPerCall);
      const explanations = await explainer.explain(part.map(({ features }) => features));
      explanations.forEach(({ contributions }, index) => observeAttributions(state, part[index]?.recordId ?? '', Object.fromEntries(contributions.map(({ feature, contribution }) => [feature, contribution]))));
    }
    return attributionCounts(state);
  } catch (error) {
    if (error instanceof MillraceError && (error.code === 'EXPLANATION_UNAVAILABLE' || error.code === 'EXPLANATION_INEXACT')) return null;
    throw error;
  } finally {
    await explainer?.close();
  }
}
