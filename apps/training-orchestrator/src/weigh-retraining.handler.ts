import { Injectable } from '@nestjs/common';
import { canonicalJson, sha256Hex, type ModelSpec, type SpecChanged } from '@millrace/contracts';
import { canonicalManifest, datasetVersionOf, type DatasetManifest } from '@millrace/core/dataset';
import { durationMs } from '@millrace/core/drift';
import { decideRetraining, type RetrainingDecision, type RetrainingEvidence, type RetrainingPolicy } from '@millrace/core/retraining';
import { Messaging } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { EvaluationStore } from './evaluation.store.js';
import { EvidenceStore, type ContractBreak } from './evidence.store.js';
import { ModelsInForce } from './models-in-force.js';
import type { Cause, Champion, Plan } from './plan.js';
import { PlanStore } from './plan.store.js';
import { trainingMetrics } from './training-orchestrator.metrics.js';

const dayMs = 86_400_000;

export interface Weighed extends RetrainingDecision {
  readonly runId: string | null;
}

/** Asks whether a model should be trained, writes the answer down whatever it is, and plans the run when it is yes. */
@Injectable()
export class WeighRetrainingHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly models: ModelsInForce,
    private readonly evidence: EvidenceStore,
    private readonly plans: PlanStore,
    private readonly evaluations: EvaluationStore,
  ) {}

  /** undefined: the model has no spec or its stream has no contract or no data yet, so that there is nothing to ask. */
  async handle(transaction: Transaction, model: string, cause: Cause): Promise<Weighed | undefined> {
    const spec = this.models.spec(model);
    const contract = spec === undefined ? undefined : this.models.contract(spec.spec.spec.stream);
    if (spec === undefined || contract === undefined) return undefined;
    await this.plans.lock(transaction, model);
    const streamTime = await this.streamTime(transaction, spec.spec.spec);
    if (streamTime === null) return undefined;
    const champion = await this.evidence.champion(transaction, model);
    const evidence = await this.gather(transaction, spec, contract.version, streamTime, champion, cause);
    const decision = decideRetraining(evidence, policyOf(spec.spec.spec));
    const plan = decision.decision === 'retrain' ? await this.plan(transaction, spec, contract.version, streamTime, champion, decision, cause) : null;
    if (plan !== null) await this.plans.add(transaction, plan, evidence.labelledRows, this.messaging.now());
    await this.evaluations.record(transaction, model, decision, evidence, cause, plan?.runId ?? null, this.messaging.now());
    trainingMetrics.evaluations.inc({ model, decision: decision.decision });
    return { ...decision, runId: plan?.runId ?? null };
  }

  /** The watermark of the archive: what is older than this has, but for stragglers, arrived. */
  private async streamTime(transaction: Transaction, spec: ModelSpec['spec']): Promise<Date | null> {
    const latest = await this.evidence.maxEventTime(transaction, spec.stream);
    return latest === null ? null : new Date(latest.getTime() - durationMs(spec.monitoring.lateness));
  }

  private async gather(transaction: Transaction, spec: SpecChanged, contractVersion: string, streamTime: Date, champion: Champion | null, cause: Cause): Promise<RetrainingEvidence> {
    const { model, spec: { spec: { stream } } } = spec;
    const [past, labelledRows, broken, activeRunId] = [
      await this.plans.past(transaction, model), await this.evidence.labelledRows(transaction, stream),
      await this.evidence.contractBreak(transaction, stream), await this.plans.activeRun(transaction, model),
    ];
    const since = past[0]?.streamTime ?? null;
    const failed = async (kind: 'drift' | 'performance') => (champion === null ? null : this.evidence.failedVerdict(transaction, model, champion.version, kind, since));
    return {
      streamTimeMs: streamTime.getTime(),
      labelledRows,
      labelledRowsSinceLastPlan: labelledRows - (past[0]?.labelledRows ?? 0),
      hasChampion: champion !== null,
      activeRunId,
      drift: await failed('drift'),
      performance: await failed('performance'),
      manual: cause.via === 'http' ? { by: cause.by, reason: cause.reason } : null,
      planTimesMs: past.map((plan) => plan.streamTime.getTime()),
      contractBroken: breakInForce(broken, contractVersion, streamTime),
    };
  }

  private async plan(transaction: Transaction, spec: SpecChanged, contractVersion: string, streamTime: Date, champion: Champion | null, decision: RetrainingDecision, cause: Cause): Promise<Plan> {
    const { model, revision: specRevision } = spec;
    const segments = await this.evidence.segments(transaction, spec.spec.spec.stream);
    const manifest = manifestOf(spec.spec.spec, contractVersion, segments, streamTime);
    const runId = `${model}-run-${(await this.plans.count(transaction, model)) + 1}`;
    const content = {
      runId, model, specRevision, spec: spec.spec.spec, trigger: decision.trigger ?? 'manual', reasons: decision.reasons, cause,
      streamTime: streamTime.toISOString(), datasetVersion: datasetVersionOf(manifest), manifest, seed: spec.spec.spec.trainer.seed, champion,
    };
    return { planId: `plan-${sha256Hex(canonicalJson(content)).slice(0, 16)}`, ...content };
  }
}

function manifestOf(spec: ModelSpec['spec'], contractVersion: string, segments: DatasetManifest['segments'], streamTime: Date): DatasetManifest {
  const { window, testShare, validationShare } = spec.dataset;
  const { field, positive } = spec.label;
  const to = streamTime.toISOString();
  return canonicalManifest({
    formatVersion: 1,
    stream: spec.stream,
    contractVersion,
    segments,
    labelHorizon: to,
    window: { from: window === undefined ? null : new Date(streamTime.getTime() - durationMs(window)).toISOString(), to },
    features: spec.features.map(({ name, type }) => ({ name, type })),
    label: positive === undefined ? { field } : { field, positive },
    split: { by: 'event-time', testShare, validationShare },
  });
}

function policyOf({ retraining }: ModelSpec['spec']): RetrainingPolicy {
  const { initialRows, onDrift, onPerformance, newRows, every, cooldown, budget } = retraining;
  return {
    initialRows, onDrift, onPerformance,
    newRows: newRows ?? null,
    everyMs: every === undefined ? null : durationMs(every),
    cooldownMs: durationMs(cooldown),
    budget: { runs: budget.runs, perMs: durationMs(budget.per) },
  };
}

/** A broken contract blocks training until one day of the stream has passed since, or a new contract version is in force. */
function breakInForce(broken: ContractBreak | null, contractVersion: string, streamTime: Date): RetrainingEvidence['contractBroken'] {
  if (broken === null || broken.contractVersion !== contractVersion || streamTime.getTime() - broken.eventTimeTo.getTime() >= dayMs) return null;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const day = broken.eventTimeTo.toISOString().slice(0, 10);
  return { reason: `contract ${contractVersion} broken on ${day}: ${percent(broken.share)} quarantined, at most ${percent(broken.shareMax)} allowed` };
}
