import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ServiceName } from '@millrace/contracts';
import { checkoutFolder, defaultPortBase, identityOf, readEndpoints, type Endpoints } from '@millrace/stack';

const help = `Usage: node examples/flights/dist/under-fire.js [--port-base <n>]

Tells the flights story and kills each service with SIGKILL in the middle of it, one after the other. Ends with status 0
only if every kill hit a living process that came back, the story happened, and its accounts balance.`;

const { values } = parseArgs({ options: { 'port-base': { type: 'string', default: String(defaultPortBase) }, help: { type: 'boolean', default: false } } });
const storyFolder = join(checkoutFolder, '.millrace', 'story');
const giveUpAfterMs = 600_000;
const recoveryMs = 90_000;

/** When to shoot at whom: the moment is a state of the ring, never a time. */
interface Shot {
  readonly service: ServiceName;
  readonly when: string;
  readonly due: (ring: Ring) => Promise<boolean>;
}

class Ring {
  constructor(private readonly endpoints: Endpoints) {}

  async ask<T>(service: ServiceName, path: string): Promise<T | undefined> {
    const response = await fetch(`${this.endpoints.services[service] ?? ''}${path}`).catch(() => undefined);
    return response?.ok === true ? ((await response.json()) as T) : undefined;
  }

  async logged(): Promise<number> {
    return (await this.ask<{ recordsLogged: number }>('outcome-joining', '/v1/models/flight-delays/accounting'))?.recordsLogged ?? 0;
  }

  async admitted(): Promise<number> {
    return (await this.ask<{ record: { admitted: number } }>('data-validation', '/v1/streams/flights/accounting'))?.record.admitted ?? 0;
  }

  async rolloutPhase(): Promise<string | undefined> {
    return (await this.ask<{ rollouts: { phase: string }[] }>('rollout-controller', '/v1/models/flight-delays/rollouts'))?.rollouts[0]?.phase;
  }
}

const shots: readonly Shot[] = [
  { service: 'data-validation', when: 'history is being judged and archived', due: async (ring) => (await ring.admitted()) > 8_000 },
  { service: 'ingestion', when: 'history goes on', due: async (ring) => (await ring.admitted()) > 25_000 },
  {
    service: 'training-orchestrator',
    when: 'its trainer runs',
    due: async (ring) => (await ring.ask<{ runs: { step: string | null }[] }>('training-orchestrator', '/v1/models/flight-delays/runs'))?.runs[0]?.step === 'train',
  },
  { service: 'inference-gateway', when: 'under load', due: async (ring) => (await ring.logged()) > 2_000 },
  { service: 'outcome-joining', when: 'labels and predictions meet', due: async (ring) => (await ring.logged()) > 6_000 },
  { service: 'drift-monitoring', when: 'windows are open', due: async (ring) => (await ring.logged()) > 15_000 },
  { service: 'rollout-controller', when: 'the candidate is in shadow', due: async (ring) => (await ring.rolloutPhase()) === 'shadow' },
  { service: 'model-registry', when: 'the candidate answers a part', due: async (ring) => ['canary', 'ab'].includes((await ring.rolloutPhase()) ?? '') },
];

function pidOf(service: ServiceName): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(storyFolder, 'pids', `${service}.json`), 'utf8')) as { pid: number }).pid;
  } catch {
    return undefined;
  }
}

/** Resolves to false when the story ended first. */
async function until(story: ChildProcess, withinMs: number, look: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (story.exitCode === null && story.signalCode === null && Date.now() < deadline) {
    if (await look()) return true;
    await wait(100);
  }
  return false;
}

async function shoot(story: ChildProcess, ring: Ring, { service, when, due }: Shot): Promise<boolean> {
  const pid = (await until(story, giveUpAfterMs, () => due(ring))) ? pidOf(service) : undefined;
  if (pid === undefined || (await identityOf(pid)) === undefined) {
    process.stdout.write(`  ✗ ${service}: there was nothing to kill while ${when}\n`);
    return false;
  }
  process.kill(pid, 'SIGKILL');
  const shotAt = Date.now();
  process.stdout.write(`  ! kill -9 ${service} (${pid}) while ${when}\n`);
  const back = await until(story, recoveryMs, async () => pidOf(service) !== pid && (await ring.ask(service, '/health/ready')) !== undefined);
  process.stdout.write(`  ${back ? '✓' : '✗'} ${service} ${back ? `is ready again after ${((Date.now() - shotAt) / 1000).toFixed(1)} s` : 'did not come back'}\n`);
  return back;
}

interface Told {
  readonly accounting: { readonly rows: { readonly what: string; readonly balances: boolean }[] } | null;
}

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const story = spawn(process.execPath, [join(import.meta.dirname, 'main.js'), '--exit', '--port-base', values['port-base']], { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = new Promise<number>((resolve) => story.once('exit', (code) => resolve(code ?? 1)));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => story.kill(signal));
  const results: boolean[] = [];
  const startedAt = Date.now();
  await until(story, recoveryMs, async () => {
    const found = await readEndpoints(storyFolder);
    return found !== undefined && found.pid === story.pid && Date.now() > startedAt;
  });
  const endpoints = await readEndpoints(storyFolder);
  if (endpoints !== undefined) for (const shot of shots) results.push(await shoot(story, new Ring(endpoints), shot));
  results.push((await ended) === 0);
  const { accounting } = JSON.parse(readFileSync(join(checkoutFolder, '.millrace', 'story.json'), 'utf8')) as Told;
  const balanced = accounting !== null && accounting.rows.length > 0 && accounting.rows.every(({ balances }) => balances);
  results.push(balanced);
  process.stdout.write(`The story under fire: ${results.filter(Boolean).length} of ${shots.length + 2} as they should be; the accounts ${balanced ? 'balance' : 'do NOT balance'}.\n`);
  return results.length === shots.length + 2 && results.every(Boolean) ? 0 : 1;
}

main().then(
  (status) => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
