import { canonicalJson, sha256Hex, type VerdictIssued } from '@millrace/contracts';
import { revisionLevel } from '../drift/index.js';
import { judgeOutcomes, mergeOutcomes, type LabelsKnown, type OutcomePolicy, type OutcomeState } from '../performance/index.js';
import { metricsOf, seededUniforms, type MeasuredMetric } from '../statistics/index.js';
import type { MonitoredModel } from './monitored-model.js';
import type { Pane } from './pane.js';
import type { Reference } from './reference.js';
import { noReference, plainFinding, verdictOn } from './window-verdict.js';

export interface OutcomeJudgement {
  readonly model: MonitoredModel;
  readonly labels: LabelsKnown;
  /** 1 for the first verdict on the window. */
  readonly revision: number;
  readonly watermarkMs: number;
}

export interface JudgedOutcomes {
  readonly verdict: VerdictIssued;
  readonly metrics: readonly MeasuredMetric[];
  readonly state: OutcomeState;
}

/** Judges one window of outcomes. Pure, as `judgeInputWindow`. */
export function judgeOutcomeWindow(panes: readonly Pane<OutcomeState>[], reference: Reference | null, { model, labels, revision, watermarkMs }: OutcomeJudgement): JudgedOutcomes {
  const state = panes.map((pane) => pane.state).reduce(mergeOutcomes);
  const policy: OutcomePolicy = { alpha: revisionLevel(model.policy.alpha, 1, revision), rowsMin: model.policy.rowsMin, rules: model.rules, gapMax: model.estimation.gapMax, fairness: model.fairness };
  const inputs: VerdictIssued['inputs'] = { spec: { ...model.spec }, referenceSha256: reference?.sha256 ?? null, policy: { ...policy }, history: { ...labels }, stateSha256: sha256Hex(canonicalJson(state)) };
  const told = { ...(revision > 1 ? { revision } : {}), inputs };
  if (reference === null) return { verdict: verdictOn('performance', panes, watermarkMs, { outcome: 'inconclusive', findings: [noReference(panes)], ...told }), metrics: metricsOf(state.performance), state };
  const { version, role, windowStartMs, windowEndMs } = panes[0] ?? { version: '', role: 'primary', windowStartMs: 0, windowEndMs: 0 };
  const seed = Number.parseInt(sha256Hex(`${model.model}/${version}/${role}/${windowStartMs}`).slice(0, 8), 16);
  const { outcome, findings, metrics } = judgeOutcomes(reference, state, policy, { window: { fromMs: windowStartMs, toMs: windowEndMs }, labels, uniform: seededUniforms(seed) });
  return { verdict: verdictOn('performance', panes, watermarkMs, { outcome, findings: findings.map(plainFinding), ...told }), metrics, state };
}
