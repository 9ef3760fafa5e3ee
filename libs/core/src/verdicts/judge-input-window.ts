import { sha256Hex, type Finding, type VerdictIssued } from '@millrace/contracts';
import { budgetUse, judgeInputs, mergeInputs, revisionLevel, serialiseInputs, type DriftPolicy, type InputState, type InputVerdict, type WindowHistory } from '../drift/index.js';
import { estimateFindings } from './estimate-findings.js';
import type { MonitoredModel } from './monitored-model.js';
import type { Pane } from './pane.js';
import type { Reference } from './reference.js';
import { noReference, plainFinding, verdictOn } from './window-verdict.js';

/** What a verdict on inputs depends on besides rows, reference and spec. */
export interface InputHistory extends WindowHistory {
  /** Versions judged beside this one, itself among them: they share the window’s level. */
  readonly versions: number;
}

export interface InputContext {
  readonly model: MonitoredModel;
  readonly history: InputHistory;
  /** 1 for the first verdict on the window. */
  readonly revision: number;
  readonly watermarkMs: number;
}

export interface JudgedInputs {
  readonly verdict: VerdictIssued;
  /** What it has spent of the false alarms allowed. */
  readonly level: number;
  /** The window’s merged state. */
  readonly state: InputState;
  readonly policy: DriftPolicy;
}

type Panes = readonly Pane<InputState>[];

/** Judges one window of inputs. Pure: from the same panes, in any order, with the same surroundings comes the same verdict, byte for byte. */
export function judgeInputWindow(panes: Panes, reference: Reference | null, context: InputContext): JudgedInputs {
  const { model, history, revision, watermarkMs } = context;
  const state: InputState = { ...panes.map((pane) => pane.state).reduce(mergeInputs), seen: null };
  const policy: DriftPolicy = { ...model.policy, alpha: revisionLevel(model.policy.alpha, history.versions, revision) };
  const inputs: VerdictIssued['inputs'] = {
    spec: { ...model.spec }, referenceSha256: reference?.sha256 ?? null, policy: { ...policy }, history: { ...history }, stateSha256: sha256Hex(serialiseInputs(state)),
  };
  const told = { ...(revision > 1 ? { revision } : {}), inputs };
  const unknown = reference === null ? noReference(panes) : reference.features.size === 0 ? olderReference(panes) : null;
  if (reference === null || unknown !== null) return { verdict: verdictOn('drift', panes, watermarkMs, { outcome: 'inconclusive', findings: unknown === null ? [] : [unknown], ...told }), level: 0, state, policy };
  const judged = judgeInputs(state, reference, policy, history);
  const estimated = estimateFindings(panes, state.output, reference, model);
  const verdict = verdictOn('drift', panes, watermarkMs, {
    outcome: withEstimates(judged.outcome, estimated), findings: [...judged.findings.map(plainFinding), ...estimated], ...told, ...budgetOf(judged, model, history), ...(judged.causes.length === 0 ? {} : { causes: judged.causes.map(plainCause) }),
  });
  return { verdict, level: judged.level, state, policy };
}

/** An estimate that is certainly too low fails the window, one that may be leaves it open. */
function withEstimates(outcome: InputVerdict['outcome'], estimated: readonly Finding[]): InputVerdict['outcome'] {
  const has = (wanted: Finding['outcome']): boolean => estimated.some((finding) => finding.outcome === wanted);
  return outcome === 'failed' || has('failed') ? 'failed' : outcome === 'passed' && has('inconclusive') ? 'inconclusive' : outcome;
}

function budgetOf({ level }: InputVerdict, { budget }: MonitoredModel, { spent, allowed }: WindowHistory): Pick<VerdictIssued, 'budget'> {
  return budget === null || allowed === null ? {} : { budget: budgetUse(budget, spent + level) };
}

const plainCause = ({ segments, examples, ...cause }: InputVerdict['causes'][number]): NonNullable<VerdictIssued['causes']>[number] => ({ ...cause, segments: [...segments], examples: [...examples] });

const olderReference = (panes: Panes): Finding => ({ ...noReference(panes), reason: 'the reference of this version was written by an earlier release, in a form that is no longer compared with; train it anew' });
