import { parse } from 'yaml';
import type { RunAnswer, VersionAnswer, AliasAnswer } from './answers.js';
import { badDay, fix } from './bad-release.js';
import type { QuarantineAnswer, ReplayAnswer } from './answers.js';
import { count, live, model, offsetsOf, rounded, stream, streamAccounting, text, type Stage } from './stage.js';
import { must, until } from './waiting.js';

const liveFrom = '2013-03-01T05:00:00Z';

/** 1: January and February arrive; everything is judged, archived, and sealed as a dataset version. */
export async function historyArrives(stage: Stage): Promise<void> {
  const { ring, timeline, traffic } = stage;
  timeline.begin('January and February 2013 arrive through Kafka');
  await ring.send('model-registry', 'PUT', `/v1/contracts/${stream}`, parse(text(stage.root, 'contract.yaml')));
  await ring.send('model-registry', 'PUT', `/v1/models/${model}`, parse(text(stage.root, 'model.yaml')));
  timeline.tell(null, 'The data contract of the stream and the spec of the model are applied: model.yaml and contract.yaml are all that a team writes.');
  await live(stage, liveFrom, { ask: false, label: 'history' });
  const { records, labels } = traffic.counts;
  timeline.tell(traffic.now, `${count(records)} departures and ${count(labels)} arrivals were produced as plain JSON.`, { records, labels });
  const counts = await until('everything produced to be admitted and archived', async () => {
    const accounting = await streamAccounting(stage);
    return accounting.record.admitted === records && accounting.label.admitted === labels ? accounting : undefined;
  });
  timeline.tell(traffic.now, `All were admitted by the contract and archived as Parquet: ${count(counts.record.admitted)} records, ${count(counts.label.admitted)} labels, ${count(counts.record.quarantined)} in quarantine.`, {
    admittedRecords: counts.record.admitted,
    admittedLabels: counts.label.admitted,
    quarantined: counts.record.quarantined,
  });
  timeline.end();
}

async function finishedRun(stage: Stage, known: readonly string[]): Promise<RunAnswer> {
  return until(
    'the training run to end',
    async () => {
      const { runs } = await stage.ring.get<{ runs: RunAnswer[] }>('training-orchestrator', `/v1/models/${model}/runs`);
      return runs.find(({ runId, state }) => !known.includes(runId) && state !== 'running');
    },
    180,
  );
}

/** 2: the first candidate is trained, judged on its own, registered and promoted. */
export async function firstModel(stage: Stage): Promise<VersionAnswer> {
  const { ring, timeline, traffic } = stage;
  timeline.begin('The first model is trained, judged and promoted');
  const run = await finishedRun(stage, []);
  must(run.state === 'succeeded', `run ${run.runId} succeeded; it ${run.state}: ${run.reason}`);
  timeline.tell(traffic.now, `Enough labelled rows (trigger: ${run.trigger}): dataset version ${run.datasetVersion.slice(0, 12)} was sealed, run ${run.runId} trained on it.`, { runId: run.runId, datasetVersion: run.datasetVersion, trigger: run.trigger, offsets: await offsetsOf(stage, run.datasetVersion) });
  const version = await until('version 1 in the registry', () => ring.find<VersionAnswer>('model-registry', `/v1/models/${model}/versions/1`));
  const overall = (name: string) => version.metrics.find((metric) => metric.name === name && metric.slice === 'overall');
  const auc = overall('auc');
  const brier = overall('brier');
  must(auc !== undefined && brier !== undefined, 'the evaluation has AUC and Brier score');
  timeline.tell(traffic.now, `On the latest rows by event time, which training never saw, scored by Millrace itself: AUC ${rounded(auc.value)} [${rounded(auc.low)}, ${rounded(auc.high)}], Brier ${rounded(brier.value, 4)}, ${count(auc.n)} rows.`, { auc: auc.value, brier: brier.value, rows: auc.n });
  const { checks } = version.gate;
  const slices = checks.filter(({ slice }) => slice !== 'overall');
  must(version.gate.outcome === 'passed' && checks.length > 0, 'the gate passed with at least one check');
  must(slices.length > 0, 'slices were judged too');
  timeline.tell(traffic.now, `Gate passed: ${checks.length} checks, ${slices.length} of them on slices by origin and carrier. There was no champion to compare with, and no rubber stamp.`, { checks: checks.length, sliceChecks: slices.length });
  await until('version 1 to be the champion', async () => (await ring.find<AliasAnswer>('model-registry', `/v1/models/${model}/aliases/champion`))?.version === '1');
  await until('the gateway to serve version 1', async () => (await fetch(`${ring.address('inference-gateway')}/v2/models/${model}/ready`)).status === 200);
  timeline.tell(traffic.now, `Version 1 (artifact ${version.artifact.sha256.slice(0, 12)}) is the champion and answers.`, { version: '1', artifactSha256: version.artifact.sha256 });
  timeline.end();
  return version;
}

/** 3: live traffic begins; labels come hours after the predictions. */
export async function liveTraffic(stage: Stage): Promise<void> {
  const { timeline, traffic } = stage;
  timeline.begin('Live traffic: each flight asks for a prediction before it departs; the truth comes on landing');
  const from = traffic.counts.asked;
  await live(stage, badDay.from, { ask: true, label: 'live' });
  timeline.tell(traffic.now, `${count(traffic.counts.asked - from)} predictions were asked over HTTP in the first half of March, and answered.`, { asked: traffic.counts.asked - from });
  must(traffic.counts.asked === traffic.counts.answered, 'every question was answered');
  timeline.end();
}

/** 4: a bad release for one day: quarantined with reasons, mended, replayed, each record exactly once. */
export async function badRelease(stage: Stage): Promise<void> {
  const { ring, timeline, traffic } = stage;
  timeline.begin('A producer ships a bad release for one day');
  const before = await streamAccounting(stage);
  await live(stage, badDay.to, { ask: true, label: 'the bad day' });
  const { spoilt, cutOff } = traffic.counts;
  const broken = await until('the day’s records to be judged', async () => {
    const { record } = await streamAccounting(stage);
    return record.quarantined === spoilt && record.refused === cutOff ? record : undefined;
  });
  const { byRule } = await ring.get<QuarantineAnswer>('data-validation', `/v1/streams/${stream}/quarantine?limit=1`);
  timeline.tell(traffic.now, `${count(broken.quarantined)} records are in quarantine, ${broken.refused} unparsable ones were refused with their bytes kept.`, { quarantined: broken.quarantined, refused: broken.refused });
  for (const { rule, field, count: rows } of byRule) timeline.tell(traffic.now, `· ${field}: ${rule} × ${count(rows)}`, { field, rule, count: rows });
  must(broken.admitted >= before.record.admitted, 'nothing that was admitted is gone');
  const replay = await ring.send<ReplayAnswer>('data-validation', 'POST', `/v1/streams/${stream}/quarantine/replay`, { fix });
  must(replay.admitted === spoilt && replay.stillBrokenCount === 0, `all ${spoilt} records pass after the fix (${replay.admitted} did)`);
  const mended = await until('the replayed records in the archive', async () => {
    const { record } = await streamAccounting(stage);
    return record.replayed === spoilt && record.quarantined === 0 && record.admitted === traffic.counts.records - cutOff ? record : undefined;
  });
  timeline.tell(traffic.now, `A declared fix (rename, miles, hours) was replayed over them: ${count(mended.replayed)} admitted, each exactly once. The model was never disturbed.`, { replayed: mended.replayed });
  const again = await ring.send<ReplayAnswer>('data-validation', 'POST', `/v1/streams/${stream}/quarantine/replay`, { fix });
  must(again.admitted === 0, 'a second replay admits nothing');
  timeline.end();
}
