import type { VerdictIssued } from '@millrace/contracts';
import { budgetUse, judgeVolume, revisionLevel } from '@millrace/core/drift';
import { plainFinding, verdictIdOf, type MonitoredModel } from '@millrace/core/verdicts';
import type { JudgedWindow } from './judged-window.js';
import type { DriftHistory } from './verdict.store.js';

/** After a longer gap than this many windows nobody needs one verdict for each. */
const emptyWindowsMax = 50;

/** Starts of the windows from `fromMs` to `toMs`: the last ones, when there are many. */
export function emptyWindows(fromMs: number, toMs: number, windowMs: number): number[] {
  const count = Math.min(emptyWindowsMax, Math.max(0, Math.floor((toMs - fromMs) / windowMs)));
  return Array.from({ length: count }, (_, index) => toMs - (count - index) * windowMs);
}

/** A window without a single row is judged by its volume alone. */
export function judgeEmptyWindow({ model, policy, budget, windowMs }: MonitoredModel, version: string, windowStartMs: number, { volumes, spent }: DriftHistory, watermarkMs: number): JudgedWindow {
  const key = { model, version, role: 'primary', windowStartMs, windowEndMs: windowStartMs + windowMs } as const;
  const level = revisionLevel(policy.alpha, 1, 1);
  const finding = judgeVolume(0, volumes, level, policy.volumeMin);
  const spends = finding.statistic === null ? 0 : level;
  const verdict: VerdictIssued = {
    verdictId: verdictIdOf('drift', key), model, version, kind: 'drift', window: { from: new Date(key.windowStartMs).toISOString(), to: new Date(key.windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(), outcome: finding.statistic === null ? 'inconclusive' : finding.outcome, rows: 0, findings: [plainFinding(finding)], offsets: [],
    ...(budget === null ? {} : { budget: budgetUse(budget, spent + spends) }),
  };
  return { ...key, verdict, metrics: [], state: { v: 2, volumes }, level: spends };
}
