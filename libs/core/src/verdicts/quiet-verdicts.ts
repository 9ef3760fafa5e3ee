import { Type } from '@sinclair/typebox';
import { canonicalJson, Count, parse, sha256Hex, type VerdictIssued } from '@millrace/contracts';
import { budgetUse, judgeVolume, revisionLevel, silenceFinding } from '../drift/index.js';
import type { MonitoredModel } from './monitored-model.js';
import { plainFinding, verdictIdOf } from './window-verdict.js';

/** What stood outside a window without a row when it was judged. */
export interface EmptyWindowHistory {
  readonly volumes: readonly number[];
  readonly spent: number;
}

/** A window without a single row, judged by its volume alone. */
export function emptyWindowVerdict(model: MonitoredModel, version: string, windowStartMs: number, { volumes, spent }: EmptyWindowHistory, watermarkMs: number): { readonly verdict: VerdictIssued; readonly level: number } {
  const { policy, budget, windowMs } = model;
  const key = { model: model.model, version, role: 'primary', windowStartMs, windowEndMs: windowStartMs + windowMs } as const;
  const level = revisionLevel(policy.alpha, 1, 1);
  const finding = judgeVolume(0, volumes, level, policy.volumeMin);
  const spends = finding.statistic === null ? 0 : level;
  const history = { volumes: [...volumes], volume: 0, spent };
  const verdict: VerdictIssued = {
    verdictId: verdictIdOf('drift', key), model: model.model, version, kind: 'drift', window: { from: new Date(key.windowStartMs).toISOString(), to: new Date(key.windowEndMs).toISOString() },
    watermark: new Date(watermarkMs).toISOString(), outcome: finding.statistic === null ? 'inconclusive' : finding.outcome, rows: 0, findings: [plainFinding(finding)], offsets: [],
    inputs: { spec: { ...model.spec }, referenceSha256: null, policy: { alpha: level, volumeMin: policy.volumeMin }, history, stateSha256: sha256Hex(canonicalJson(history)) },
    ...(budget === null ? {} : { budget: budgetUse(budget, spent + spends) }),
  };
  return { verdict, level: spends };
}

/** What a verdict on silence was decided upon: wall clock of the service that told it, and how far it had read. */
export interface Silence {
  /** Latest event time of the model’s predictions. */
  readonly eventTimeMs: number;
  /** When the service had read one last, and when it told the silence. */
  readonly movedAtMs: number;
  readonly nowMs: number;
  /** Next offset to read of each partition of predictions, by its number. */
  readonly positions: Readonly<Record<string, number>>;
}

export const isSilence = ({ verdictId }: Pick<VerdictIssued, 'verdictId'>): boolean => verdictId.includes(':freshness:');

/** A model that nobody asks any more. The id follows from the last prediction, so that a silence is told once. */
export function silenceVerdict({ model, silenceMs, spec }: Pick<MonitoredModel, 'model' | 'silenceMs' | 'spec'>, version: string, silence: Silence): VerdictIssued {
  const { eventTimeMs, movedAtMs, nowMs } = silence;
  const allowedMs = silenceMs ?? 0;
  const at = new Date(eventTimeMs).toISOString();
  return {
    verdictId: `${model}:${version}:drift:freshness:${at}`, model, version, kind: 'drift', window: { from: at, to: new Date(eventTimeMs + allowedMs).toISOString() }, watermark: at,
    outcome: nowMs - movedAtMs > allowedMs ? 'failed' : 'passed', rows: 0, findings: [plainFinding(silenceFinding(nowMs - movedAtMs, allowedMs, at))], offsets: [],
    inputs: { spec: { ...spec }, referenceSha256: null, policy: { silenceMaxMs: silenceMs }, history: { ...silence }, stateSha256: sha256Hex(canonicalJson(silence)) },
  };
}

const SilenceRecord = Type.Object({ eventTimeMs: Type.Number(), movedAtMs: Type.Number(), nowMs: Type.Number(), positions: Type.Record(Type.String(), Count) });
const EmptyWindowRecord = Type.Object({ volumes: Type.Array(Count), volume: Count, spent: Type.Number({ minimum: 0 }) });

/** What a verdict on silence says it was decided upon. @throws MillraceError INPUTS_MISSING */
export const silenceIn = ({ verdictId, inputs }: VerdictIssued): Silence => parse(SilenceRecord, inputs?.history, 'INPUTS_MISSING', `the history in the inputs of ${verdictId}`);

/** What a verdict on a window without rows says stood outside it. @throws MillraceError INPUTS_MISSING */
export const emptyHistoryIn = ({ verdictId, inputs }: VerdictIssued): EmptyWindowHistory => parse(EmptyWindowRecord, inputs?.history, 'INPUTS_MISSING', `the history in the inputs of ${verdictId}`);
