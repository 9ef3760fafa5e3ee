import { MillraceError } from '@millrace/contracts';
import { readCommandLine, usage, type CommandLine } from './command-line.js';
import { readEndpoints, removeEndpoints, writeEndpoints } from './endpoints.js';
import { livingProcesses, ownerOf } from './ledger.js';
import { residentMib, terminate } from './processes.js';
import { createTopics } from './ring-topics.js';
import { startRing } from './ring.js';
import { startServers } from './servers.js';
import { stopOnSignals } from './stop-on-signals.js';
import type { SupervisorEvent } from './supervise.js';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

function describe(event: SupervisorEvent): string | undefined {
  if (event.kind === 'exited') return `${event.name} (pid ${event.pid}) exited with ${event.signal ?? event.code}; it is started again in ${event.restartInMs} ms`;
  if (event.kind === 'forced') return `${event.name} (pid ${event.pid}) did not drain in time and was killed`;
  return event.restarts > 0 ? `${event.name} runs again (pid ${event.pid}, restart ${event.restarts})` : undefined;
}

async function upServers({ portBase, folder, only, reset }: CommandLine): Promise<void> {
  const servers = await startServers({ portBase, folder, reset, ...(only === undefined ? {} : { only }) });
  await writeEndpoints(folder, { kafka: servers.kafka?.brokers ?? '', postgres: servers.postgres?.url ?? '', storage: '', services: {}, portBase, pid: process.pid });
  stopOnSignals(async () => {
    await removeEndpoints(folder);
    await servers.stop();
  });
  if (servers.kafka !== undefined) say(`export KAFKA_BROKERS=${servers.kafka.brokers}`);
  if (servers.postgres !== undefined) say(`export DATABASE_URL=${servers.postgres.url}`);
}

async function upRing({ portBase, folder, reset }: CommandLine): Promise<void> {
  // Ctrl-C while starting: process exit hooks end what was started so far.
  const interrupted = () => process.exit(130);
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const ring = await startRing({
    portBase,
    folder,
    reset,
    prepare: createTopics,
    onReady: (part, elapsedMs) => say(`${part} ready after ${(elapsedMs / 1000).toFixed(1)} s`),
    onEvent: (event) => {
      const line = describe(event);
      if (line !== undefined) say(line);
    },
  });
  process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  stopOnSignals(() => ring.stop());
  for (const [name, url] of Object.entries(ring.endpoints.services)) say(`${name.padEnd(22)} ${url}`);
}

async function up(commandLine: CommandLine): Promise<void> {
  await (commandLine.only === undefined ? upRing(commandLine) : upServers(commandLine));
  say('running; Ctrl-C stops everything');
  // Existing servers leave nothing that would keep this process alive.
  setInterval(() => undefined, 2 ** 31 - 1);
}

async function status({ folder }: CommandLine): Promise<void> {
  const living = await livingProcesses(folder);
  if (living.length === 0) say(`nothing runs in ${folder}`);
  for (const { name, pid } of living) say(`${name.padEnd(22)} pid ${String(pid).padEnd(8)} ${await residentMib(pid)} MiB`);
  const endpoints = await readEndpoints(folder);
  if (endpoints !== undefined) say(JSON.stringify(endpoints, undefined, 2));
  process.exitCode = living.length === 0 ? 3 : 0;
}

async function stop({ folder }: CommandLine): Promise<void> {
  const owner = await ownerOf(folder);
  if (owner === undefined) return say(`nothing runs in ${folder}`);
  await terminate(owner.pid, { graceMs: 30_000 });
  say(`stopped (pid ${owner.pid})`);
}

try {
  const commandLine = readCommandLine(process.argv.slice(2));
  if (commandLine === undefined) say(usage);
  else await { up, status, stop }[commandLine.action](commandLine);
} catch (error) {
  if (!(error instanceof MillraceError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exit(error.code === 'CONFIG_INVALID' ? 2 : 1);
}
