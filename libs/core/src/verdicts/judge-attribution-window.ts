import { sha256Hex, type Finding, type VerdictIssued } from '@millrace/contracts';
import { budgetUse, judgeAttributions, mergeAttributions, revisionLevel, serialiseAttributions, type AttributionPolicy, type AttributionState } from '../drift/index.js';
import { seededUniforms } from '../statistics/index.js';
import type { MonitoredModel } from './monitored-model.js';
import type { Pane } from './pane.js';
import type { Reference } from './reference.js';
import { noReference, plainFinding, verdictIdOf, verdictOn } from './window-verdict.js';

/** What a verdict on attributions depends on besides rows, reference and spec. */
export interface AttributionHistory {
  readonly spent: number;
  readonly allowed: number | null;
  /** Versions judged beside this one, itself among them: they share the window’s level. */
  readonly versions: number;
}

export interface AttributionContext {
  readonly model: MonitoredModel;
  readonly history: AttributionHistory;
  /** 1 for the first verdict on the window. */
  readonly revision: number;
  readonly watermarkMs: number;
}

export interface JudgedAttributions {
  readonly verdict: VerdictIssued;
  readonly level: number;
  readonly state: AttributionState;
}

type Panes = readonly Pane<AttributionState>[];

/** Judges one window of explained answers. Pure, as `judgeInputWindow`. @throws RangeError without a pane. */
export function judgeAttributionWindow(panes: Panes, reference: Reference | null, { model, history, revision, watermarkMs }: AttributionContext): JudgedAttributions {
  const [first] = panes;
  if (first === undefined) throw new RangeError('a window has at least one pane');
  const state: AttributionState = { ...panes.map((pane) => pane.state).reduce(mergeAttributions), seen: null };
  const policy: AttributionPolicy = { alpha: revisionLevel(model.policy.alpha, history.versions, revision), rowsMin: model.policy.rowsMin, attributionMin: model.attributionMin };
  const inputs: VerdictIssued['inputs'] = {
    spec: { ...model.spec }, referenceSha256: reference?.sha256 ?? null, policy: { ...policy }, history: { ...history }, stateSha256: sha256Hex(serialiseAttributions(state)),
  };
  const told = { ...(revision > 1 ? { revision } : {}), inputs };
  const attributions = reference?.attributions ?? null;
  if (attributions === null) {
    const finding = reference === null ? noReference(panes) : explainedLater(panes);
    return { verdict: verdictOn('attribution', panes, watermarkMs, { outcome: 'inconclusive', findings: [finding], ...told }), level: 0, state };
  }
  // Seeded by the window’s name: the same window gives the same bytes.
  const uniform = seededUniforms(Number.parseInt(sha256Hex(verdictIdOf('attribution', first)).slice(0, 8), 16));
  const { spent, allowed } = history;
  const judged = judgeAttributions(state, attributions, policy, { features: model.features.map(({ name }) => name), spent, allowed, uniform });
  const budget = model.budget === null || allowed === null ? {} : { budget: budgetUse(model.budget, spent + judged.level) };
  return { verdict: verdictOn('attribution', panes, watermarkMs, { outcome: judged.outcome, findings: judged.findings.map(plainFinding), ...told, ...budget }), level: judged.level, state };
}

const explainedLater = (panes: Panes): Finding => ({ ...noReference(panes), reason: 'no reference: when this version was trained, its spec asked for no explanations (serving.explanations); the next training has one' });
