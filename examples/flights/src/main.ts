import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkoutFolder, createTopics, defaultFolder, defaultPortBase, endpointsPath, startRing, stopOnSignals, type RunningRing } from '@millrace/stack';
import { tellStory } from './story.js';

const { values } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    'no-story': { type: 'boolean', default: false },
    reset: { type: 'boolean', default: false },
    'port-base': { type: 'string', default: String(defaultPortBase) },
    'check-boards': { type: 'boolean', default: false },
  },
});

/** The story always begins on an empty stack of its own; `--no-story` keeps what earlier runs left. */
const storyFolder = join(checkoutFolder, '.millrace', 'story');
const withStory = !values['no-story'];
const interrupted = new AbortController();

function addresses(ring: RunningRing): string {
  const { endpoints } = ring;
  const gateway = endpoints.services['inference-gateway'] ?? '';
  const lines = Object.entries(endpoints.services).map(([name, url]) => `  ${name.padEnd(22)} ${url}/docs`);
  return [`  Kafka                  ${endpoints.kafka}`, `  PostgreSQL             ${endpoints.postgres}`, ...lines, `  metrics                ${gateway}/metrics (each service has its own)`].join('\n');
}

function checkBoards(endpoints: string): Promise<number> {
  const script = join(checkoutFolder, 'tools', 'generate', 'dist', 'check-boards.js');
  return new Promise((resolve) => spawn(process.execPath, [script, '--endpoints', endpoints], { stdio: 'inherit' }).once('exit', (code) => resolve(code ?? 1)));
}

async function main(): Promise<number> {
  const started = Date.now();
  const ring = await startRing({
    portBase: Number(values['port-base']),
    folder: withStory ? storyFolder : defaultFolder,
    reset: withStory || values.reset,
    prepare: createTopics,
    onReady: (part, elapsedMs) => process.stdout.write(`  ${part.padEnd(22)} ready after ${(elapsedMs / 1000).toFixed(1)} s\n`),
    onEvent: (event) => {
      if (event.kind === 'exited') process.stdout.write(`  ! ${event.name} ended (${event.signal ?? `status ${event.code}`}) and is started again in ${event.restartInMs} ms\n`);
    },
  });
  stopOnSignals(async () => {
    interrupted.abort();
    await ring.stop();
  });
  process.stdout.write(`The ring is up after ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
  let status = 0;
  if (withStory) status = await tellStory(ring.endpoints, { root: checkoutFolder, folder: storyFolder, signal: interrupted.signal });
  // The boards’ queries need services that have something to tell: a told story is the best there is.
  if (values['check-boards']) status ||= await checkBoards(endpointsPath(withStory ? storyFolder : defaultFolder));
  if (values.exit) {
    await ring.stop();
    return status;
  }
  process.stdout.write(`\nEverything stays up until Ctrl-C:\n${addresses(ring)}\n  npx millrace --help    asks it anything\n`);
  return new Promise<number>(() => undefined);
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
