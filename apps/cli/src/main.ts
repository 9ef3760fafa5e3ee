import { spawn } from 'node:child_process';
import { Command } from 'commander';
import { MillraceError, services } from '@millrace/contracts';
import { addContractCommands } from './commands/contract-infer.js';
import { addDriftCommands } from './commands/drift.js';
import { addEvidenceCommands } from './commands/evidence.js';
import { addExplainRowCommand } from './commands/explain-row.js';
import { addModelCommands, addPredictCommand } from './commands/models.js';
import { addProfileCommand } from './commands/profile.js';
import { addQuarantineCommands } from './commands/quarantine.js';
import { addReplayCommand } from './commands/replay.js';
import { addRolloutFileCommands } from './commands/rollout.js';
import { addRolloutCommands } from './commands/rollouts.js';
import { addScoreCommand } from './commands/score.js';
import { addServeCommand } from './commands/serve.js';
import { addVerifyVerdictCommand } from './commands/verify-verdict.js';
import { show, table } from './print.js';
import { checkoutRoot, readiness } from './services.js';

/** 0 done · 1 the service refused or failed · 2 an instrument alarms, or verify-verdict found a difference · 3 verify found a difference · 4 verify-verdict could check a part only · 64 wrong usage · 69 a service is down. */
function exitCodeOf(error: unknown): number {
  return error instanceof MillraceError && error.code === 'DEPENDENCY_UNAVAILABLE' ? 69 : 1;
}

const program = new Command('millrace')
  .description('Continuous training and safe model roll-out over Kafka.')
  .version('0.1.0')
  .showHelpAfterError()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 64))
  .addHelpText(
    'after',
    `
Examples:
  $ millrace up                                      the stack and the ring, data kept between runs
  $ millrace apply -f contract.yaml -f model.yaml    put a model in force
  $ millrace rollouts flight-delays                  who answers, and why
  $ millrace explain <prediction>                    what an answer rests on

Exit codes: 0 done, 1 refused or failed, 2 an instrument raised an alarm, a replay gate failed or a verdict differs, 3 verify found a difference, 64 wrong usage, 69 a service is down.`,
  );

program
  .command('up')
  .description('start Kafka, PostgreSQL and the ring here, and stay until Ctrl-C; data is kept between runs')
  .option('--reset', 'forget all data first', false)
  .option('--port-base <n>', 'first port; all others follow')
  .action(({ reset, portBase }: { reset: boolean; portBase?: string }) => {
    const args = ['tools/bootstrap/start.mjs', '--no-story', ...(reset ? ['--reset'] : []), ...(portBase === undefined ? [] : ['--port-base', portBase])];
    const child = spawn(process.execPath, args, { cwd: checkoutRoot, stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
    child.on('exit', (code) => process.exit(code ?? 1));
  });

program
  .command('status')
  .description('which services are up')
  .option('--json', 'for machines', false)
  .action(async ({ json }: { json: boolean }) => {
    const states = await Promise.all(services.map(readiness));
    show(json, states, () => table(['service', 'address', 'state'], states.map(({ service, address, state }) => [service, address, state])));
    if (states.some(({ state }) => state !== 'ready')) process.exitCode = 69;
  });

addServeCommand(program);
addScoreCommand(program);
addExplainRowCommand(program);
addModelCommands(program);
addPredictCommand(program);
addRolloutCommands(program);
addReplayCommand(program);
addRolloutFileCommands(program);
addQuarantineCommands(program);
addEvidenceCommands(program);
addVerifyVerdictCommand(program);
addDriftCommands(program);
addProfileCommand(program);
addContractCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`millrace: ${error instanceof MillraceError ? `${error.code}: ` : ''}${message}\n`);
  process.exitCode = exitCodeOf(error);
}
