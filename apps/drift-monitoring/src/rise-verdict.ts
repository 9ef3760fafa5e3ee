import type { Finding, VerdictIssued } from '@millrace/contracts';
import { riseSentence, type ErrorRise, type ErrorWatch } from '@millrace/core/performance';
import { topicOfKind, type MonitoredModel } from '@millrace/core/verdicts';
import type { JudgedWindow } from './judged-window.js';

export interface RiseContext {
  readonly model: MonitoredModel;
  readonly version: string;
  readonly watermarkMs: number;
  readonly watch: ErrorWatch;
}

/** A rise of the errors as a failed verdict on performance: its window runs from the estimated change to the end of the pane that completed the evidence. */
export function riseVerdict(rise: ErrorRise, index: number, { model, version, watermarkMs, watch }: RiseContext): JudgedWindow {
  const windowEndMs = rise.atMs + model.conceptDrift.paneMs;
  const finding: Finding = {
    subject: 'error-rate', detector: 'e-detector', outcome: 'failed', statistic: rise.evidence, threshold: rise.threshold, pValue: null, pAdjusted: null,
    reference: rise.errorBefore, low: rise.low, high: rise.high, referenceRows: watch.baseline.rows, currentRows: rise.rows, reason: riseSentence(rise),
  };
  const verdict: VerdictIssued = {
    verdictId: `${model.model}:${version}:concept-drift:${new Date(windowEndMs).toISOString()}${index === 0 ? '' : `:${index + 1}`}`,
    model: model.model, version, kind: 'performance',
    window: { from: new Date(rise.sinceMs).toISOString(), to: new Date(windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(),
    outcome: 'failed', rows: rise.rows, findings: [finding],
    offsets: Object.entries(rise.offsets).sort(([a], [b]) => Number(a) - Number(b)).map(([partition, { from, to }]) => ({ topic: topicOfKind.performance, partition: Number(partition), fromOffset: from, toOffset: to })),
  };
  const metrics = [{ name: 'error-rate', value: rise.errorNow, n: rise.rows, low: rise.low, high: rise.high, better: 'lower' as const }];
  return { model: model.model, version, role: 'primary', windowStartMs: rise.sinceMs, windowEndMs, verdict, metrics, state: { rise } };
}
