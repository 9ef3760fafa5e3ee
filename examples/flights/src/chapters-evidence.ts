import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { count, model, outcomeAccounting, streamAccounting, type Stage } from './stage.js';
import { must, until } from './waiting.js';

const run = promisify(execFile);

async function millrace(stage: Stage, ...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [`${stage.root}/apps/cli/bin/millrace.mjs`, ...args], { env: { ...process.env, MILLRACE_ENDPOINTS: `${stage.folder}/endpoints.json`, NO_COLOR: '1' }, maxBuffer: 1 << 24, timeout: 180_000 });
  return stdout;
}

interface Explanation {
  readonly prediction: { readonly predictionId: string; readonly version: string; readonly topic: string; readonly partition: number; readonly offset: number };
  readonly run: { readonly runId: string } | null;
  readonly dataset: { readonly datasetVersion: string; readonly segments: readonly unknown[] } | null;
}

/** 7: from a prediction to the offsets it rests on, and from a version to the same bytes again. */
export async function evidence(stage: Stage): Promise<void> {
  const { timeline, traffic } = stage;
  timeline.begin('Every answer can be traced, every model made again');
  const predictionId = traffic.lastPredictionId;
  const explained = await until('the prediction to be known', async () => JSON.parse(await millrace(stage, 'explain', predictionId, '--json')) as Explanation, 30);
  must(explained.prediction.predictionId === predictionId && explained.dataset !== null && explained.run !== null, 'the chain reaches the dataset version');
  const { version, topic, partition, offset } = explained.prediction;
  timeline.tell(traffic.now, `npx millrace explain ${predictionId}`, { predictionId, version, runId: explained.run.runId, datasetVersion: explained.dataset.datasetVersion, offset: `${topic}/${partition}@${offset}` });
  timeline.print((await millrace(stage, 'explain', predictionId)).trimEnd().replaceAll(/^/gm, ' '.repeat(10)));
  const verified = JSON.parse(await millrace(stage, 'verify', model, '1', '--json')) as { sameBytes: boolean; sameDataset: boolean; actualSha256: string };
  must(verified.sameBytes && verified.sameDataset, 'version 1 trained again from its dataset version gives the same bytes');
  timeline.tell(traffic.now, `npx millrace verify ${model} 1: trained again from its dataset version and seed: the same bytes, ${verified.actualSha256.slice(0, 12)}.`, { sha256: verified.actualSha256 });
  await verdictsAgain(stage);
  timeline.end();
}

interface Verification {
  readonly same: boolean;
  readonly rows: number;
  readonly recomputedSha256: string;
}

/** A verdict on a window, and the steps of a roll-out, made again from the log. */
async function verdictsAgain(stage: Stage): Promise<void> {
  const { verdicts } = await stage.ring.get<{ verdicts: { verdictId: string; inputs?: unknown }[] }>('drift-monitoring', `/v1/models/${model}/verdicts?kind=drift&limit=20`);
  const { rollouts } = await stage.ring.get<{ rollouts: { rolloutId: string; status: string }[] }>('rollout-controller', `/v1/models/${model}/rollouts`);
  const ids = [verdicts.find(({ inputs }) => inputs !== undefined)?.verdictId, rollouts.find(({ status }) => status === 'ended')?.rolloutId].filter((id) => id !== undefined);
  for (const id of ids) {
    const { same, rows, recomputedSha256 } = JSON.parse(await millrace(stage, 'verify-verdict', id, '--json')) as Verification;
    must(same, `${id} made again from the log gives the same bytes`);
    stage.timeline.tell(stage.traffic.now, `npx millrace verify-verdict '${id}': made again from ${count(rows)} events of the log: the same bytes, ${recomputedSha256.slice(0, 12)}.`, { id, sha256: recomputedSha256 });
  }
}

export interface Balance {
  readonly what: string;
  readonly left: number;
  readonly leftTerms: string;
  readonly right: number;
  readonly rightTerms: string;
}

const balances = ({ left, right }: Balance): boolean => left === right;

export const balanceLine = (row: Balance): string => `${balances(row) ? '✓' : '✗'} ${row.what.padEnd(15)} ${count(row.left).padStart(9)} ${row.leftTerms.padEnd(9)} = ${count(row.right).padStart(9)}  ${row.rightTerms}`;

/** The end: nothing was lost, nothing counted twice. */
export async function accounting(stage: Stage): Promise<void> {
  const { timeline, traffic } = stage;
  timeline.begin('The accounts');
  const { records, labels, asked, answered } = traffic.counts;
  const balance = async (): Promise<Balance[]> => {
    const { record, label } = await streamAccounting(stage);
    const outcomes = await outcomeAccounting(stage);
    return [
      { what: 'records', left: records, leftTerms: 'produced', right: record.admitted + record.quarantined + record.refused, rightTerms: `${count(record.admitted)} admitted + ${count(record.quarantined)} quarantined + ${count(record.refused)} refused` },
      { what: 'labels', left: labels, leftTerms: 'produced', right: label.admitted + label.quarantined + label.refused, rightTerms: `${count(label.admitted)} admitted + ${count(label.quarantined)} quarantined + ${count(label.refused)} refused` },
      { what: 'predictions', left: asked, leftTerms: 'asked', right: answered, rightTerms: 'answered' },
      { what: 'prediction log', left: answered, leftTerms: 'answered', right: outcomes.recordsLogged, rightTerms: `logged (${count(outcomes.predictionsLogged - outcomes.recordsLogged)} more after a retry, ${count(outcomes.shadowLogged)} in shadow)` },
      { what: 'outcomes', left: outcomes.recordsLogged, leftTerms: 'logged', right: outcomes.joined + outcomes.expired + outcomes.waiting, rightTerms: `${count(outcomes.joined)} joined + ${count(outcomes.expired)} expired + ${count(outcomes.waiting)} waiting` },
    ];
  };
  const rows = await until('the last events to arrive', async () => {
    const now = await balance();
    return now.every(balances) ? now : undefined;
  }, 60).catch(balance);
  for (const row of rows) timeline.print(`     ${balanceLine(row)}`);
  timeline.accounting = { rows: rows.map((row) => ({ ...row, balances: balances(row) })), traffic: { ...traffic.counts, answeredBy: Object.fromEntries(traffic.answeredBy) }, latencyMs: percentiles(traffic.latenciesMs) };
  must(rows.every(balances), 'every account balances');
  must(answered >= 50_000, 'at least 50,000 predictions were answered');
  const { p50, p99 } = percentiles(traffic.latenciesMs);
  timeline.tell(traffic.now, `Prediction latency as the application saw it, on this machine, with the whole ring beside it: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms.`, { p50, p99 });
  timeline.end();
}

function percentiles(latenciesMs: readonly number[]): { p50: number; p95: number; p99: number } {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
