import { canonicalJson, sha256Hex, type Finding, type OutcomeObserved, type VerdictIssued } from '@millrace/contracts';
import { windowStart } from '../drift/index.js';
import { isWrong, riseSentence, startErrorWatch, watchPane, type ErrorPane, type ErrorRise, type ErrorTrail, type ErrorWatch } from '../performance/index.js';
import type { MonitoredModel } from './monitored-model.js';
import type { Reference } from './reference.js';
import type { RecordedVerdict, VerdictBasis } from './recompute-window.js';
import { firstOfEachVersion } from './served-rows.js';
import { topicOf } from './window-verdict.js';

export interface RiseContext {
  readonly model: MonitoredModel;
  readonly version: string;
  readonly watermarkMs: number;
  readonly reference: Reference | null;
  /** After the pane that completed the evidence. */
  readonly watch: ErrorWatch;
  /** Up to that pane. */
  readonly trail: ErrorTrail;
}

/** What seeds the order of a pane’s rows, with its time. */
export const watchSalt = (model: string, version: string): string => `${model}/${version}`;

export const isRise = ({ verdictId }: Pick<VerdictIssued, 'verdictId'>): boolean => verdictId.includes(':concept-drift:');

/** Offsets depend on the way that the log took; what was counted does not. */
const hashOfWatch = (watch: ErrorWatch): string => sha256Hex(canonicalJson({ ...watch, marks: watch.marks.map(({ row, rows, startMs }) => ({ row, rows, startMs })) }));

/**
 * A rise of the errors as a failed verdict on performance: its window runs from the estimated change to the end of the pane
 * that completed the evidence. It rests on panes before its window too, whose counts it names by their hash.
 * @param index of the rise among those that the pane completed.
 */
export function riseVerdict(rise: ErrorRise, index: number, { model, version, watermarkMs, reference, watch, trail }: RiseContext): VerdictIssued {
  const windowEndMs = rise.atMs + model.conceptDrift.paneMs;
  const finding: Finding = {
    subject: 'error-rate', detector: 'e-detector', outcome: 'failed', statistic: rise.evidence, threshold: rise.threshold, pValue: null, pAdjusted: null,
    reference: rise.errorBefore, low: rise.low, high: rise.high, referenceRows: watch.baseline.rows, currentRows: rise.rows, reason: riseSentence(rise),
  };
  const { basis, panes } = trail;
  const first = panes[0];
  return {
    verdictId: `${model.model}:${version}:concept-drift:${new Date(windowEndMs).toISOString()}${index === 0 ? '' : `:${index + 1}`}`,
    model: model.model, version, kind: 'performance',
    window: { from: new Date(rise.sinceMs).toISOString(), to: new Date(windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(),
    outcome: 'failed', rows: rise.rows, findings: [finding],
    offsets: Object.entries(rise.offsets).sort(([a], [b]) => Number(a) - Number(b)).map(([partition, { from, to }]) => ({ topic: topicOf.performance, partition: Number(partition), fromOffset: from, toOffset: to })),
    inputs: {
      spec: { ...model.spec }, referenceSha256: reference?.sha256 ?? null, policy: { ...model.conceptDrift },
      history: { panes: panes.length, panesFrom: first === undefined ? null : new Date(first.startMs).toISOString(), panesSha256: sha256Hex(canonicalJson(panes.map(({ startMs, rows, errors }) => ({ startMs, rows, errors })))), basisSha256: basis === null ? null : hashOfWatch(basis) },
      stateSha256: hashOfWatch(watch),
    },
  };
}

/** Makes a rise again: counts the rows of the trail’s panes in the log, and lets the e-detector see them once more. */
export function recomputeRise({ verdict: recorded }: RecordedVerdict, { model, reference }: VerdictBasis, trail: ErrorTrail): { take: (event: { readonly data: OutcomeObserved; readonly partition: number; readonly offset: number }) => void; verdict: () => VerdictIssued | null } {
  const counts = new Map(trail.panes.map((pane): [number, { pane: ErrorPane; rows: number; errors: number }] => [pane.startMs, { pane, rows: 0, errors: 0 }]));
  const tolerance = reference?.errors?.tolerance ?? null;
  return {
    take({ data, partition, offset }) {
      const count = data.model === model.model ? counts.get(windowStart(Date.parse(data.labelEventTime), model.conceptDrift.paneMs)) : undefined;
      const span = count?.pane.offsets?.[partition];
      if (count === undefined || span === undefined || offset < span.from || offset >= span.to) return;
      for (const { version, role, output } of firstOfEachVersion(data.predictions)) {
        const wrong = version === recorded.version && role === 'primary' ? isWrong(model.task, output, data.label, tolerance) : null;
        if (wrong === null) continue;
        count.rows += 1;
        if (wrong) count.errors += 1;
      }
    },
    verdict() {
      const panes = trail.panes.map((pane) => ({ ...pane, rows: counts.get(pane.startMs)?.rows ?? 0, errors: counts.get(pane.startMs)?.errors ?? 0 }));
      return riseIn(recorded, { basis: trail.basis, panes }, { model, reference });
    },
  };
}

function riseIn({ verdictId, version, watermark }: VerdictIssued, trail: ErrorTrail, { model, reference }: VerdictBasis): VerdictIssued | null {
  const errors = reference?.errors ?? null;
  if (trail.basis === null && (errors === null || errors.rows === 0)) return null;
  const { meanTimeBetweenFalseAlarms, unit } = model.conceptDrift;
  const watch = trail.basis === null ? startErrorWatch({ baseline: { errors: errors?.wrong ?? 0, rows: errors?.rows ?? 0 }, meanTimeBetweenFalseAlarms, unit }) : structuredClone(trail.basis);
  let rises: readonly ErrorRise[] = [];
  for (const pane of trail.panes) rises = watchPane(watch, pane, watchSalt(model.model, version));
  const told = rises.map((rise, index) => riseVerdict(rise, index, { model, version, watermarkMs: Date.parse(watermark), reference, watch, trail }));
  return told.find((verdict) => verdict.verdictId === verdictId) ?? told[0] ?? null;
}
