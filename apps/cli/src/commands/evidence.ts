import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { show } from '../print.js';
import { explainStep, explainVerdict, isStepId, isVerdictId } from './explain-verdict.js';
import { judgedWith } from './judged-with.js';
import { call, find } from '../services.js';

interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}
interface Prediction extends Position {
  readonly predictionId: string;
  readonly model: string;
  readonly version: string;
  readonly recordId: string;
  readonly role: string;
  readonly arm: string;
  readonly routeRevision: number;
  readonly eventTime: string;
  readonly state: string;
  readonly output: { readonly label?: unknown; readonly probability?: number; readonly value?: number };
  readonly label: (Position & { readonly value: unknown; readonly eventTime: string }) | null;
}
interface Version {
  readonly version: string;
  readonly source: string;
  readonly runId: string | null;
  readonly datasetVersion: string | null;
  readonly artifact: { readonly sha256: string };
}
interface Run {
  readonly runId: string;
  readonly trigger: string;
  readonly reason: string;
  readonly streamTime: string;
}
interface Segment {
  readonly kind: string;
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly rows: number;
}
interface Dataset {
  readonly datasetVersion: string;
  readonly manifest: { readonly segments: readonly Segment[]; readonly labelHorizon: string; readonly contractVersion: string };
}

const at = ({ topic, partition, offset }: Position): string => `${topic}/${partition}@${offset}`;

async function explain(predictionId: string) {
  const prediction = await call<Prediction>('outcome-joining', 'GET', `/v1/predictions/${encodeURIComponent(predictionId)}`);
  const version = await find<Version>('model-registry', `/v1/models/${encodeURIComponent(prediction.model)}/versions/${encodeURIComponent(prediction.version)}`);
  const run = version === null || version.runId === null ? null : await find<Run>('training-orchestrator', `/v1/runs/${encodeURIComponent(version.runId)}`);
  const dataset = version === null || version.datasetVersion === null ? null : await find<Dataset>('training-orchestrator', `/v1/datasets/${version.datasetVersion}`);
  return { prediction, version, run, dataset: dataset === null ? null : { datasetVersion: dataset.datasetVersion, ...dataset.manifest }, judged: await judgedWith(prediction) };
}

/** Offsets per kind and partition, merged: what a reader of the topic would have to read to see the same data. */
function ranges(segments: readonly Segment[]): string[] {
  const merged = new Map<string, { from: number; to: number; rows: number }>();
  for (const { topic, partition, fromOffset, toOffset, rows } of segments) {
    const place = `${topic}/${partition}`;
    const range = merged.get(place);
    merged.set(place, range === undefined ? { from: fromOffset, to: toOffset, rows } : { from: Math.min(range.from, fromOffset), to: Math.max(range.to, toOffset), rows: range.rows + rows });
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([place, { from, to, rows }]) => `${place} [${from}, ${to}) ${rows.toLocaleString('en-US')} rows`);
}

function tell({ prediction, version, run, dataset, judged }: Awaited<ReturnType<typeof explain>>): string {
  const said = prediction.output.value ?? `${String(prediction.output.label)} (probability ${prediction.output.probability?.toFixed(3) ?? '–'})`;
  const lines = [
    `prediction ${prediction.predictionId}`,
    `  ${prediction.recordId} at ${prediction.eventTime}: ${said}`,
    `  logged at ${at(prediction)}, route revision ${prediction.routeRevision}, ${prediction.arm}, ${prediction.role}`,
    prediction.label === null ? `  no label yet (${prediction.state})` : `  label ${String(prediction.label.value)} at ${prediction.label.eventTime}, from ${at(prediction.label)}`,
    ...judged.verdicts.map(({ verdictId, kind, outcome }) => `├ ${kind} of its window: ${outcome}; make it again: millrace verify-verdict '${verdictId}'`),
    ...judged.rollouts.map(({ rolloutId, phase }) => `├ its version was rolled out by ${rolloutId} (${phase}); make its steps again: millrace verify-verdict ${rolloutId}`),
    version === null ? '└ version unknown to the registry' : `└ version ${version.version} of ${prediction.model} (${version.source}), model.onnx ${version.artifact.sha256}`,
  ];
  if (run !== null) lines.push(`  └ run ${run.runId}: ${run.trigger} at ${run.streamTime}: ${run.reason}`);
  if (dataset !== null) {
    lines.push(`    └ dataset version ${dataset.datasetVersion}`, `      contract ${dataset.contractVersion}, labels known until ${dataset.labelHorizon}`, `      ${dataset.segments.length} segments:`);
    lines.push(...ranges(dataset.segments).map((range) => `        ${range}`));
  }
  return lines.join('\n');
}

interface Verification {
  readonly state: string;
  readonly sameDataset: boolean | null;
  readonly sameBytes: boolean | null;
  readonly expectedSha256: string | null;
  readonly actualSha256: string | null;
  readonly reason: string | null;
}

async function verify(model: string, version: string): Promise<Verification> {
  const registered = await call<Version>('model-registry', 'GET', `/v1/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version)}`);
  if (registered.runId === null) throw new MillraceError('RUN_UNKNOWN', `version ${version} of ${model} was registered by hand: no run made it, so none can be repeated`);
  const { verificationId } = await call<{ verificationId: string }>('training-orchestrator', 'POST', `/v1/runs/${encodeURIComponent(registered.runId)}/verify`, {});
  for (;;) {
    const verification = await call<Verification>('training-orchestrator', 'GET', `/v1/verifications/${verificationId}`);
    if (verification.state === 'done' || verification.state === 'failed') return verification;
    if (process.stderr.isTTY) process.stderr.write(`\r${verification.state} …`);
    await wait(500);
  }
}

export function addEvidenceCommands(program: Command): void {
  program
    .command('explain')
    .description('what a prediction, a verdict or a step of a roll-out rests on, down to offsets')
    .argument('<id>', 'predictionId, as /predict answered it; verdictId; or a roll-out’s step, such as flight-delays.3.1#4')
    .option('--json', 'for machines', false)
    .action(async (id: string, { json }: { json: boolean }) => {
      if (isVerdictId(id) || isStepId(id)) {
        const { answer, tale } = await (isVerdictId(id) ? explainVerdict : explainStep)(id);
        return show(json, answer, () => tale);
      }
      const explanation = await explain(id);
      show(json, explanation, () => tell(explanation));
    });
  program
    .command('verify')
    .description('train a version again from its dataset version and seed, and compare the bytes; exit 3 when they differ')
    .argument('<model>')
    .argument('<version>')
    .option('--json', 'for machines', false)
    .action(async (model: string, version: string, { json }: { json: boolean }) => {
      const verification = await verify(model, version);
      const same = verification.sameBytes === true && verification.sameDataset === true;
      show(json, verification, () => (same ? `same bytes: ${verification.expectedSha256 ?? ''}` : `NOT the same: expected ${verification.expectedSha256 ?? 'nothing'}, got ${verification.actualSha256 ?? 'nothing'} (${verification.reason ?? 'no reason given'})`));
      if (!same) process.exitCode = 3;
    });
}
