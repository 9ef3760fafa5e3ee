import type { Command } from 'commander';
import type { RolloutStanding, StepStanding } from '@millrace/core/rollout';
import { show, table } from '../print.js';
import { call } from '../services.js';

interface ToldStep {
  readonly sequence: number;
  readonly from: string;
  readonly to: string;
  readonly verdict: string;
  readonly reason: string;
  readonly streamTime: string | null;
  readonly revises?: number;
}

interface Rollout {
  readonly rolloutId: string;
  readonly candidateVersion: string;
  readonly championVersion: string | null;
  readonly status: string;
  readonly phase: string;
  readonly standing: RolloutStanding | null;
  readonly steps: readonly ToldStep[];
  readonly guards?: readonly { readonly guard: string; readonly evidence: number; readonly reason: string; readonly limit?: number }[];
}

const commands = {
  pause: 'hold traffic as it is; evidence goes on being gathered',
  resume: 'go on after a pause or a hold; a step that was held for time is given as much again',
  advance: 'go on to the next step of the plan, by hand',
  promote: 'make the candidate the champion now, by hand',
  abort: 'end the roll-out; the champion answers everything',
  rollback: 'take the candidate back, also one that has become the champion',
} as const;

const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
const days = (ms: number): string => `${(ms / 86_400_000).toFixed(1)} days`;
const isLook = ({ from, to, revises }: ToldStep): boolean => from === to && revises === undefined;

function planTable({ steps }: RolloutStanding): string {
  const share = ({ shares: [first, last] }: StepStanding): string => (first === last ? percent(first) : `${percent(first)} → ${percent(last)}`);
  return table(
    ['step', 'share', 'stands', 'outcomes', 'needs', 'verdict', 'low', 'high', 'margin', 'at most', 'then', 'error'],
    steps.map((step) => [step.name, share(step), step.stands, step.rows, step.rowsMin, step.verdict, step.low, step.high, step.margin, days(step.durationMs), step.onTimeout, percent(step.alpha)]),
  );
}

function toldTable(steps: readonly ToldStep[]): string {
  return table(['#', 'stream time', 'step', 'verdict', 'why'], steps.map((step) => [step.sequence, step.streamTime, step.from === step.to ? step.from : `${step.from} → ${step.to}`, step.revises === undefined ? step.verdict : `${step.verdict} (revises #${step.revises})`, step.reason]));
}

const indented = (text: string): string => text.split('\n').map((line) => `  ${line}`).join('\n');

/** One roll-out for people: where it is, what it waits for, its plan, and what was told. */
export function rolloutText({ rolloutId, candidateVersion, championVersion, phase, status, standing, steps, guards = [] }: Rollout, looks: boolean): string {
  const share = standing?.shareNow ?? null;
  const against = championVersion === null ? '' : ` against version ${championVersion}`;
  const beside = standing?.candidates === undefined ? '' : `, one of at most ${standing.candidates} candidates at once`;
  const lines = [`${rolloutId}: version ${candidateVersion}${against}, ${phase}${status === 'paused' ? ' (held)' : ''}${share === null || share === 0 ? '' : `, answers ${percent(share)} of the units`}${beside}`];
  if (standing !== null) {
    const most = standing.exposureMaxMs === null ? '' : ` of at most ${days(standing.exposureMaxMs)}`;
    lines.push(`  waits for ${standing.waitsFor}`, `  exposure used: ${days(standing.exposureMs)} of the whole traffic${most}`, '', indented(planTable(standing)));
  }
  for (const { guard, evidence, reason, limit } of guards) lines.push(`  guard ${guard}: ${limit === 1 ? 'told only' : `${Math.max(0, Math.round(100 * evidence))} % of what takes it back`}; ${reason}`);
  const told = looks ? steps : steps.filter((step) => !isLook(step));
  if (told.length > 0) lines.push('', indented(toldTable(told)));
  const hidden = steps.length - told.length;
  if (hidden > 0) lines.push(`  (and ${hidden} look${hidden === 1 ? '' : 's'} that changed nothing: --looks)`);
  return lines.join('\n');
}

interface ListOptions {
  readonly json: boolean;
  readonly looks: boolean;
  readonly last: string;
}

async function listRollouts(model: string, { json, looks, last }: ListOptions): Promise<void> {
  const list = await call<{ rollouts: { rolloutId: string }[] }>('rollout-controller', 'GET', `/v1/models/${encodeURIComponent(model)}/rollouts?limit=${encodeURIComponent(last)}`);
  const answer = await Promise.all(list.rollouts.map(({ rolloutId }) => call<Rollout>('rollout-controller', 'GET', `/v1/rollouts/${encodeURIComponent(rolloutId)}`)));
  show(json, answer, () => (answer.length === 0 ? `${model} has had no roll-out` : answer.map((rollout) => rolloutText(rollout, looks)).join('\n\n')));
}

export function addRolloutCommands(program: Command): void {
  const rollouts = program
    .command('rollouts')
    .description('how candidates get their traffic: the plan, where it stands, what it waits for, and on what evidence')
    .argument('[model]')
    .option('--json', 'for machines', false)
    .option('--looks', 'also looks at the evidence that changed nothing', false)
    .option('--last <count>', 'so many roll-outs, newest first', '50')
    .addHelpText('after', '\nExamples:\n  $ millrace rollouts flight-delays --last 1\n  $ millrace rollouts pause <rollout> --reason "holiday"')
    .action(async (model: string | undefined, options: ListOptions) => (model === undefined ? rollouts.help() : listRollouts(model, options)));
  for (const [command, description] of Object.entries(commands)) {
    rollouts
      .command(command)
      .description(description)
      .argument('<rollout>')
      .option('--reason <text>', 'why; it is kept', 'by hand')
      .option('--json', 'for machines', false)
      .action(async (rollout: string, options: { reason: string; json: boolean }) => {
        const answer = await call('rollout-controller', 'POST', `/v1/rollouts/${encodeURIComponent(rollout)}/commands`, { command, by: process.env['USER'] ?? 'cli', reason: options.reason });
        show(options.json, answer, () => `${command}: done`);
      });
  }
}
