import { canonicalJson, MillraceError, outcomeObserved, predictionExplained, predictionServed, readModelSpec, sha256Hex, type EventDefinition, type SpecChanged, type VerdictIssued, type VersionRegistered } from '@millrace/contracts';
import { isRise, isSilence, judgedIn, monitoredModel, readReference, recomputeAttributions, recomputeInputs, recomputeOutcomes, type RecordedVerdict, type VerdictBasis } from '@millrace/core/verdicts';
import { differencesOf } from './differences.js';
import type { EventLog, TopicRange } from './open-log.js';
import type { RingFacts } from './ring-facts.js';
import type { Verification } from './verification.js';
import { verifyEmptyWindow, verifySilence, type QuietAgain } from './verify-quiet.js';
import { verifyRise, type MadeAgain } from './verify-rise.js';

type KeptVerdict = VerdictIssued & Pick<RecordedVerdict, 'role'> & { readonly metrics: unknown };

/**
 * Until when predictions that were logged twice are told apart depends on the event times before them in their partition:
 * so many offsets before a range are read for that alone. Rows that are later than the allowed lateness behind even
 * earlier ones, and logged twice, would be counted otherwise here.
 */
const offsetsBefore = 5_000;

/** @param revisionOf the verdict’s id, with `#n` for one of its revisions; the last one by default. */
export async function verifyWindow(facts: RingFacts, log: EventLog, revisionOf: string): Promise<Verification> {
  const recorded = await recordedVerdict(facts, revisionOf);
  const { verdict } = recorded;
  const basis = await basisOf(facts, verdict);
  const { verdict: recomputed, unchecked, rows, differences = [] } = await madeAgain(facts, log, recorded, basis);
  // As it travels: what JSON leaves out is no difference.
  const again: unknown = recomputed === null ? null : JSON.parse(JSON.stringify(recomputed));
  const [recordedSha256, recomputedSha256] = [sha256Hex(canonicalJson(verdict)), sha256Hex(canonicalJson(again))];
  return { id: revisionOf, same: recordedSha256 === recomputedSha256 && differences.length === 0, recordedSha256, recomputedSha256, differences: [...differencesOf(verdict, again), ...differences], unchecked, rows, offsets: verdict.offsets };
}

async function madeAgain(facts: RingFacts, log: EventLog, recorded: RecordedVerdict, basis: VerdictBasis): Promise<MadeAgain & Partial<Pick<QuietAgain, 'differences'>>> {
  const { verdict } = recorded;
  if (isRise(verdict)) return verifyRise(facts, log, recorded, basis);
  if (isSilence(verdict)) return verifySilence(log, verdict, basis);
  if (verdict.rows === 0 && verdict.offsets.length === 0) return verifyEmptyWindow(verdict, basis);
  const recomputed = await recompute(log, recorded, basis);
  return { verdict: recomputed, unchecked: [], rows: recomputed?.rows ?? 0 };
}

async function recordedVerdict(facts: RingFacts, revisionOf: string): Promise<RecordedVerdict> {
  const [verdictId = '', wanted] = revisionOf.split('#');
  const { revisions } = await facts.get<{ revisions: KeptVerdict[] }>('drift-monitoring', `/v1/verdicts/${encodeURIComponent(verdictId)}`);
  const found = wanted === undefined ? revisions.at(-1) : revisions.find(({ revision = 1 }) => String(revision) === wanted);
  if (found === undefined) throw new MillraceError('VERDICT_UNKNOWN', `${verdictId} has no revision ${wanted ?? ''}; the last one is ${revisions.at(-1)?.revision ?? 1}`);
  const { role, metrics: _metrics, ...verdict } = found;
  if (verdict.inputs === undefined) throw new MillraceError('INPUTS_MISSING', whyNot(verdict));
  return { role, verdict };
}

function whyNot({ verdictId }: VerdictIssued): string {
  return `${verdictId} was told before verdicts kept their inputs; it cannot be made again`;
}

async function basisOf(facts: RingFacts, { model, version, inputs }: VerdictIssued): Promise<VerdictBasis> {
  const path = `/v1/models/${encodeURIComponent(model)}`;
  const spec = await facts.get<SpecChanged>('model-registry', `${path}/specs/${inputs?.spec.revision ?? 0}`);
  const { reference } = await facts.get<Pick<VersionRegistered, 'reference'>>('model-registry', `${path}/versions/${encodeURIComponent(version)}`);
  return { model: monitoredModel({ model, revision: spec.revision, sha256: sha256Hex(canonicalJson(spec.spec)), spec: readModelSpec(spec.spec) }), reference: readReference(reference) };
}

async function recompute(log: EventLog, recorded: RecordedVerdict, basis: VerdictBasis): Promise<VerdictIssued | null> {
  const { offsets } = recorded.verdict;
  const judged = judgedIn(recorded.verdict);
  if (judged === 'performance') {
    const { take, verdict } = recomputeOutcomes(recorded, basis);
    await log.read(outcomeObserved, offsets, take);
    return verdict();
  }
  if (judged === 'attribution') {
    const { take, verdict } = recomputeAttributions(recorded, basis);
    await log.read(predictionExplained, await withBefore(log, predictionExplained, offsets), take);
    return verdict();
  }
  const { take, verdict } = recomputeInputs(recorded, basis);
  await log.read(predictionServed, await withBefore(log, predictionServed, offsets), take);
  return verdict();
}

async function withBefore(log: EventLog, event: EventDefinition, ranges: readonly TopicRange[]): Promise<TopicRange[]> {
  const earliest = await log.earliest(event);
  return ranges.map((range) => ({ ...range, fromOffset: Math.min(range.fromOffset, Math.max(earliest.get(range.partition) ?? 0, range.fromOffset - offsetsBefore)) }));
}
