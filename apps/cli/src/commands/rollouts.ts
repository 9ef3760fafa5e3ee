import type { Command } from 'commander';
import { show, table } from '../print.js';
import { call } from '../services.js';

interface Rollout {
  readonly rolloutId: string;
  readonly candidateVersion: string;
  readonly championVersion: string | null;
  readonly phase: string;
  readonly steps: readonly { readonly from: string; readonly to: string; readonly verdict: string; readonly reason: string; readonly streamTime: string | null; readonly evidence: { readonly n: number; readonly mean: number | null; readonly low: number | null; readonly high: number | null } }[];
}

const commands = {
  pause: 'hold traffic as it is; evidence goes on being gathered',
  resume: 'go on after a pause',
  promote: 'make the candidate the champion now, by hand',
  abort: 'end the roll-out; the champion answers everything',
} as const;

export function addRolloutCommands(program: Command): void {
  const rollouts = program
    .command('rollouts')
    .description('how candidates get their traffic, and on what evidence')
    .argument('[model]')
    .option('--json', 'for machines', false)
    .addHelpText('after', '\nExamples:\n  $ millrace rollouts flight-delays\n  $ millrace rollouts pause <rollout> --reason "holiday"')
    .action(async (model: string | undefined, { json }: { json: boolean }) => {
      if (model === undefined) return rollouts.help();
      const list = await call<{ rollouts: { rolloutId: string }[] }>('rollout-controller', 'GET', `/v1/models/${encodeURIComponent(model)}/rollouts`);
      const answer = await Promise.all(list.rollouts.map(({ rolloutId }) => call<Rollout>('rollout-controller', 'GET', `/v1/rollouts/${encodeURIComponent(rolloutId)}`)));
      const rows = answer.flatMap((rollout) => (rollout.steps.length === 0 ? [undefined] : rollout.steps).map((step) => ({ rollout, step })));
      show(json, answer, () => table(['rollout', 'candidate', 'phase now', 'step', 'verdict', 'rows', 'mean', 'low', 'high', 'stream time', 'reason'], rows.map(({ rollout, step }) => [rollout.rolloutId, rollout.candidateVersion, rollout.phase, step === undefined ? null : `${step.from} → ${step.to}`, step?.verdict, step?.evidence.n ?? null, step?.evidence.mean ?? null, step?.evidence.low ?? null, step?.evidence.high ?? null, step?.streamTime, step?.reason])));
    });
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
