import { MillraceError, type StepDecided, type VerdictIssued } from '@millrace/contracts';
import { call } from '../services.js';
import { parseStepId } from '../verification/verify-rollout.js';

type Step = Omit<StepDecided, 'model' | 'rolloutId' | 'candidateVersion' | 'championVersion'>;
interface Rollout {
  readonly rolloutId: string;
  readonly model: string;
  readonly candidateVersion: string;
  readonly championVersion: string | null;
  readonly steps: readonly Step[];
}

const short = (sha256: string | null): string => (sha256 === null ? 'none' : sha256.slice(0, 12));

function places(offsets: VerdictIssued['offsets']): string[] {
  return offsets.map(({ topic, partition, fromOffset, toOffset }) => `      ${topic}/${partition} [${fromOffset}, ${toOffset})`);
}

/** Whether an id names a verdict on a window: its parts are set apart by colons, the third says of what kind it is. */
export const isVerdictId = (id: string): boolean => /^[^:]+:[^:]+:(drift|performance|concept-drift|freshness)\b/.test(id);

/** Whether an id names a roll-out, `<model>.<version>.<n>`, or a step of one, `…#<sequence>`. */
export const isStepId = (id: string): boolean => /^[a-z][a-z0-9-]*\..+\.\d+(#\d+)?$/.test(id);

/** From a verdict to what it said and what it rests on. */
export async function explainVerdict(id: string): Promise<{ answer: object; tale: string }> {
  const { revisions } = await call<{ revisions: VerdictIssued[] }>('drift-monitoring', 'GET', `/v1/verdicts/${encodeURIComponent(id.split('#')[0] ?? '')}`);
  const [, wanted] = id.split('#');
  const verdict = wanted === undefined ? revisions.at(-1) : revisions.find(({ revision = 1 }) => String(revision) === wanted);
  if (verdict === undefined) throw new MillraceError('VERDICT_UNKNOWN', `${id} is no revision of this verdict`);
  const { kind, version, model, outcome, rows, window, findings, inputs, offsets, revision = 1 } = verdict;
  const lines = [
    `verdict ${verdict.verdictId}${revisions.length > 1 ? `, revision ${revision} of ${revisions.length}` : ''}`,
    `  ${kind} of version ${version} of ${model}: ${outcome}; ${rows.toLocaleString('en-US')} rows from ${window.from} to ${window.to}`,
    ...findings.filter((finding) => finding.outcome === outcome || finding.outcome === 'failed').map(({ subject, outcome: said, reason }) => `  ${said}: ${subject}: ${reason}`),
    inputs === undefined ? '└ its inputs were not kept' : `└ spec revision ${inputs.spec.revision} (${short(inputs.spec.sha256)}), reference ${short(inputs.referenceSha256)}, counts ${short(inputs.stateSha256)}`,
    ...places(offsets),
    ...(inputs === undefined ? [] : [`  make it again: millrace verify-verdict '${verdict.verdictId}${revisions.length > 1 ? `#${revision}` : ''}'`]),
  ];
  return { answer: verdict, tale: lines.join('\n') };
}

/** From a step of a roll-out, the last one unless it is named, to what was decided and from what. */
export async function explainStep(id: string): Promise<{ answer: object; tale: string }> {
  const { rolloutId, until } = parseStepId(id);
  const rollout = await call<Rollout>('rollout-controller', 'GET', `/v1/rollouts/${encodeURIComponent(rolloutId)}`);
  const step = until === Infinity ? rollout.steps.at(-1) : rollout.steps.find(({ sequence }) => sequence === until);
  if (step === undefined) throw new MillraceError('ROLLOUT_UNKNOWN', `roll-out ${rolloutId} has no step ${until === Infinity ? 'yet' : until}`);
  const { inputs, evidence } = step;
  const lines = [
    `step ${step.sequence} of roll-out ${rolloutId}: version ${rollout.candidateVersion} beside ${rollout.championVersion ?? 'nothing'} of ${rollout.model}`,
    `  ${step.from} → ${step.to}, ${step.verdict}, at ${step.streamTime ?? 'no'} stream time: ${step.reason}`,
    `  ${evidence.n.toLocaleString('en-US')} outcomes, difference of losses ${evidence.mean?.toFixed(4) ?? '–'} [${evidence.low?.toFixed(4) ?? '–'}, ${evidence.high?.toFixed(4) ?? '–'}], margin ${evidence.margin ?? '–'}, α ${evidence.alpha ?? '–'}`,
    inputs === undefined ? '└ its inputs were not kept' : `└ spec revision ${inputs.spec.revision} (${short(inputs.spec.sha256)}), artifacts ${short(inputs.artifacts.champion)} and ${short(inputs.artifacts.candidate)}, route revision ${inputs.routeRevision}, ${inputs.reading === null ? 'no outcome read' : `reading ${inputs.reading.number} up to offset ${inputs.reading.toOffset}`}`,
    ...places(inputs?.offsets ?? []),
    ...(inputs === undefined ? [] : [`  make it again: millrace verify-verdict '${rolloutId}#${step.sequence}'`]),
  ];
  return { answer: { rolloutId, ...step }, tale: lines.join('\n') };
}
