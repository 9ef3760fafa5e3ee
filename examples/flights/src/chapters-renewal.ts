import type { AliasAnswer, EvaluationAnswer, RolloutAnswer, RunAnswer, StepAnswer, VerdictAnswer, VersionAnswer } from './answers.js';
import type { SabotagedModel } from './saboteur.js';
import { count, live, model, offsetsOf, rounded, type Stage } from './stage.js';
import { must, until } from './waiting.js';

const endOfData = '2014-01-01T00:00:00Z';
/** So long in the data may a training take; on a slow machine the world then waits for it, or it would meet another season. */
const trainingLeadMaxMs = 21 * 86_400_000;
const trainingLimitSeconds = 900;

/** Every roll-out of the model with its steps. */
async function rolloutsOf({ ring }: Stage): Promise<RolloutAnswer[]> {
  const { rollouts } = await ring.get<{ rollouts: { rolloutId: string }[] }>('rollout-controller', `/v1/models/${model}/rollouts`);
  return Promise.all(rollouts.map(({ rolloutId }) => ring.get<RolloutAnswer>('rollout-controller', `/v1/rollouts/${encodeURIComponent(rolloutId)}`)));
}

const champion = async (stage: Stage): Promise<string | null> => (await stage.ring.find<AliasAnswer>('model-registry', `/v1/models/${model}/aliases/champion`))?.version ?? null;

function tellVerdict(stage: Stage, verdict: VerdictAnswer): void {
  const week = `${verdict.window.from.slice(0, 10)} to ${verdict.window.to.slice(0, 10)}`;
  const found = verdict.findings.filter(({ outcome }) => outcome === 'failed');
  if (verdict.kind === 'drift') {
    const again = verdict.revision === undefined ? '' : ` (revision ${verdict.revision}, after late rows)`;
    stage.timeline.tell(verdict.window.to, `Drift, week ${week}${again}, ${count(verdict.rows)} flights: ${found.length === 0 ? verdict.outcome : `${found.length} of ${verdict.findings.length} subjects have moved`}.`, { kind: 'drift', rows: verdict.rows, found: found.length });
    for (const { subject, reason } of found) stage.timeline.tell(verdict.window.to, `· ${subject}: ${reason}.`, { subject });
    return;
  }
  const auc = verdict.findings.find(({ subject }) => subject === 'auc');
  for (const { subject, reason } of found) if (subject !== 'auc') stage.timeline.tell(verdict.window.to, subject === 'error-rate' ? `Concept drift: ${reason}.` : `· ${subject}: ${reason}.`, { subject });
  if (auc === undefined) return;
  stage.timeline.tell(verdict.window.to, `Performance, week ${week}, ${count(verdict.rows)} outcomes: AUC ${rounded(auc.statistic)} [${rounded(auc.low)}, ${rounded(auc.high)}] against ${rounded(auc.reference)} at training: ${verdict.outcome}.`, {
    kind: 'performance', auc: auc.statistic, low: auc.low, high: auc.high, reference: auc.reference, outcome: verdict.outcome,
  });
}

/** Tells each verdict once, in the order of their windows; answers which kinds have failed so far. */
function verdictTeller(stage: Stage): () => Promise<ReadonlySet<string>> {
  const told = new Set<string>();
  return async () => {
    const { verdicts } = await stage.ring.get<{ verdicts: VerdictAnswer[] }>('drift-monitoring', `/v1/models/${model}/verdicts?limit=100`);
    for (const verdict of [...verdicts].reverse()) {
      const id = `${verdict.version}|${verdict.kind}|${verdict.window.from}|${verdict.revision ?? 1}`;
      if (told.has(id)) continue;
      told.add(id);
      if (verdict.outcome !== 'inconclusive') tellVerdict(stage, verdict);
    }
    return new Set(verdicts.filter(({ outcome }) => outcome === 'failed').map(({ kind }) => kind));
  };
}

/** 5a: monitors find that the model has fallen behind; a retraining is decided and explained. */
export async function decline(stage: Stage): Promise<RunAnswer> {
  const { ring, timeline, traffic } = stage;
  timeline.begin('Spring comes: the model falls behind, and Millrace notices');
  const tellVerdicts = verdictTeller(stage);
  const started = await live(stage, endOfData, {
    ask: true,
    label: 'live, version 1 answers',
    stop: async () => {
      const failed = await tellVerdicts();
      if (!failed.has('performance') || !failed.has('drift')) return undefined;
      const { runs } = await ring.get<{ runs: RunAnswer[] }>('training-orchestrator', `/v1/models/${model}/runs`);
      return runs.find(({ trigger }) => trigger !== 'initial');
    },
  });
  must(started !== undefined, 'drift and falling performance were found, and a retraining was decided, before the data ended');
  const { evaluations } = await ring.get<{ evaluations: EvaluationAnswer[] }>('training-orchestrator', `/v1/models/${model}/evaluations`);
  const refusals = evaluations.filter(({ decision }) => decision !== 'retrain').reduce((sum, { times }) => sum + times, 0);
  timeline.tell(traffic.now, `Retraining decided (trigger: ${started.trigger}) after ${count(refusals)} recorded decisions not to.`, { runId: started.runId, trigger: started.trigger, refusals });
  const decision = evaluations.find(({ decision: answer }) => answer === 'retrain');
  must(decision !== undefined, 'the decision to retrain is on record');
  const decidedAt = new Date(decision.evidence.streamTimeMs).toISOString();
  for (const { rule, outcome, reason } of decision.reasons) timeline.tell(decidedAt, `· ${rule}: ${outcome} – ${reason}`, { rule, outcome });
  timeline.end();
  return started;
}

function tellStep(stage: Stage, rollout: RolloutAnswer, step: StepAnswer): void {
  const { n, mean, low, high } = step.evidence;
  const evidence = n === 0 ? '' : ` Loss difference ${rounded(mean, 4)} [${rounded(low, 4)}, ${rounded(high, 4)}] after ${count(n)}.`;
  stage.timeline.tell(step.streamTime, `Version ${rollout.candidateVersion}: ${step.from} → ${step.to} (${step.verdict}).${evidence}`, {
    rolloutId: rollout.rolloutId, candidate: rollout.candidateVersion, from: step.from, to: step.to, verdict: step.verdict, n, mean, low, high,
  });
}

/** Tells the steps of one candidate’s roll-out as they come; answers the roll-out once it has ended. */
function rolloutTeller(stage: Stage, candidate: (rollout: RolloutAnswer) => boolean): () => Promise<RolloutAnswer | undefined> {
  let told = 0;
  return async () => {
    const rollout = (await rolloutsOf(stage)).find(candidate);
    if (rollout === undefined) return undefined;
    for (const step of rollout.steps.slice(told)) if (step.from !== step.to) tellStep(stage, rollout, step);
    told = rollout.steps.length;
    return ['full', 'rolled-back', 'aborted'].includes(rollout.phase) ? rollout : undefined;
  };
}

/** 5b: the new candidate goes through shadow, canary and A/B to full, on evidence. */
export async function renewal(stage: Stage, run: RunAnswer): Promise<void> {
  const { ring, timeline, traffic } = stage;
  timeline.begin('A new candidate earns its place: shadow → canary → A/B → full');
  const runEnd = async (): Promise<RunAnswer | undefined> => {
    const now = await ring.get<RunAnswer>('training-orchestrator', `/v1/runs/${run.runId}`);
    return now.state === 'running' ? undefined : now;
  };
  const waitFrom = new Date(Date.parse(traffic.now) + trainingLeadMaxMs).toISOString();
  const ended = (await live(stage, waitFrom, { ask: true, label: `live, run ${run.runId} trains`, stop: runEnd })) ?? (await until(`run ${run.runId} to end`, runEnd, trainingLimitSeconds));
  must(ended.state === 'succeeded', `run ${run.runId} ended with a candidate; it says: ${ended.reason}`);
  const version = await until('the candidate in the registry', async () => {
    const { versions } = await ring.get<{ versions: VersionAnswer[] }>('model-registry', `/v1/models/${model}/versions`);
    return versions.find(({ runId }) => runId === run.runId);
  });
  const auc = version.metrics.find(({ name, slice }) => name === 'auc' && slice === 'overall');
  const compared = version.gate.checks.find(({ rule }) => rule.startsWith('champion'));
  must(compared !== undefined, 'the candidate was compared with the champion on the same rows');
  timeline.tell(traffic.now, `Version ${version.version} was trained on dataset version ${version.datasetVersion?.slice(0, 12) ?? '–'} while traffic went on; AUC ${rounded(auc?.value ?? null)} on its test rows. Against the champion: ${compared.reason} (${compared.outcome}).`, { version: version.version, runId: run.runId, datasetVersion: version.datasetVersion, offsets: await offsetsOf(stage, run.datasetVersion) });
  const done = await live(stage, endOfData, { ask: true, label: `roll-out of version ${version.version}`, stop: rolloutTeller(stage, ({ candidateVersion }) => candidateVersion === version.version) });
  must(done?.phase === 'full', `version ${version.version} reached full before the data ended (it is ${done?.phase ?? 'still on its way'})`);
  const phases = done.steps.filter(({ from, to }) => from !== to).map(({ to }) => to);
  for (const phase of ['canary', 'ab', 'full']) must(phases.includes(phase), `the roll-out went through ${phase}`);
  await until('the alias to follow', async () => (await champion(stage)) === version.version);
  const answered = [...traffic.answeredBy].map(([name, times]) => `version ${name} ${count(times)}`).join(', ');
  timeline.tell(traffic.now, `Version ${version.version} is the champion. Requests answered so far: ${answered}; none failed.`, { champion: version.version });
  timeline.end();
}

/** 6: a candidate registered by hand, trained on flipped labels, is stopped by evidence. */
export async function sabotage(stage: Stage, { bytes, sha256, signature }: SabotagedModel): Promise<void> {
  const { ring, timeline, traffic } = stage;
  timeline.begin('A sabotaged candidate, trained on flipped labels, is registered by hand');
  const before = await champion(stage);
  await ring.sendBytes('model-registry', `/v1/artifacts/${sha256}`, bytes);
  const { version } = await ring.send<{ version: string }>('model-registry', 'POST', `/v1/models/${model}/versions`, { artifactSha256: sha256, signature, reason: 'looked fine on my laptop', by: 'mallory' });
  const { rolloutId } = await until('the roll-out to be accepted', () => ring.send<{ rolloutId: string }>('rollout-controller', 'POST', `/v1/models/${model}/rollouts`, { version, by: 'mallory', reason: 'looked fine on my laptop' }));
  timeline.tell(traffic.now, `Version ${version} skipped the pipeline and its gates; roll-out ${rolloutId} begins in shadow all the same.`, { version, rolloutId });
  const ended = await live(stage, endOfData, { ask: true, label: `roll-out of version ${version}`, stop: rolloutTeller(stage, (rollout) => rollout.rolloutId === rolloutId) });
  must(ended?.phase === 'rolled-back', `version ${version} was rolled back (it is ${ended?.phase ?? 'still running at the end of the data'})`);
  must((await champion(stage)) === before, 'the champion is what it was');
  const answered = traffic.answeredBy.get(version) ?? 0;
  timeline.tell(traffic.now, `It answered ${count(answered)} request${answered === 1 ? '' : 's'}. Version ${before ?? '–'} answers as before.`, { version, answered });
  timeline.end();
}
