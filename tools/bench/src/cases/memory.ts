import { statSync } from 'node:fs';
import { join } from 'node:path';
import { drive } from '../load/drive.js';
import { useOf, type TreeUse } from '../measure/process-tree.js';
import { freshFolder, placeModel, placeTinyModels, vectorModel, vectorModelBytes } from '../models/model-folder.js';
import { startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { inferJson, inferOne } from './requests.js';
import type { Bench, Section } from './section.js';

interface Loaded {
  readonly use: TreeUse | undefined;
  readonly readyAfterMs: number;
}

/** Starts a gateway on the folder, asks it for a while, and looks at what it holds. */
async function holding(bench: Bench, name: string, models: string, requests: readonly Uint8Array[]): Promise<Loaded> {
  const server = await startStandaloneGateway({ name, models });
  try {
    await drive({ host: server.host, port: server.port, requests, pace: { kind: 'open', perSecond: 200 }, connections: 8, warmUpMs: 0, windowMs: bench.settings.quick ? 2_000 : 5_000 });
    return { use: useOf(server.pid), readyAfterMs: server.readyAfterMs };
  } finally {
    await server.stop();
  }
}

export async function measureMemory(bench: Bench): Promise<Section> {
  const one = freshFolder(join(benchFolder, 'models-one'));
  const path = placeModel(one, vectorModel, '1', vectorModelBytes());
  const sizeMb = statSync(path).size / 1_048_576;
  const many = freshFolder(join(benchFolder, 'models-many'));
  const count = 500;
  placeTinyModels(many, count);
  const ten = freshFolder(join(benchFolder, 'models-ten'));
  placeTinyModels(ten, 10);
  const asked = await holding(bench, 'gateway-one', one, inferJson());
  bench.say(`  one model: ${asked.use?.residentMb.toFixed(0) ?? '?'} MB in ${asked.use?.processes ?? '?'} processes`);
  const small = await holding(bench, 'gateway-ten', ten, inferOne('tiny-003'));
  bench.say(`  ten tiny models: up after ${(small.readyAfterMs / 1_000).toFixed(2)} s`);
  const crowded = await holding(bench, 'gateway-many', many, Array.from({ length: count }, (_, index) => inferOne(`tiny-${String(index).padStart(3, '0')}`).slice(0, 1)).flat());
  bench.say(`  ${count} tiny models: ${crowded.use?.residentMb.toFixed(0) ?? '?'} MB in ${crowded.use?.processes ?? '?'} processes, up after ${(crowded.readyAfterMs / 1_000).toFixed(1)} s`);
  const row = (title: string, { use, readyAfterMs }: Loaded) => [title, use?.processes ?? null, use?.residentMb ?? null, use?.sharedOnceMb ?? null, readyAfterMs / 1_000];
  const figure = (name: string, { use, readyAfterMs }: Loaded): (readonly [string, number | null])[] => [[`${name}.residentMb`, use?.residentMb ?? null], [`${name}.sharedOnceMb`, use?.sharedOnceMb ?? null], [`${name}.processes`, use?.processes ?? null], [`${name}.readyAfterMs`, readyAfterMs]];
  return {
    id: 'memory',
    title: 'Memory',
    about: `Resident memory of the gateway and all its children after 200 requests/s for a while, once added up process by process and once with the pages of programs and libraries, which they share, counted once. The ensemble’s file has ${sizeMb.toFixed(2)} MB.`,
    columns: ['models', 'processes', 'resident MB, added up', 'shared pages once MB', 'ready after s'],
    rows: [row('one ensemble', asked), row('ten tiny models', small), row(`${count} tiny models`, crowded)],
    figures: Object.fromEntries([...figure('one', asked), ...figure('ten', small), ...figure('many', crowded)]),
    goals: [
      { goal: 'resident memory with one model, beyond 1.2 × its size', sense: 'at most', limit: 200, unit: 'MB', value: asked.use === undefined ? null : asked.use.residentMb - 1.2 * sizeMb },
      { goal: `resident memory with ${count} tiny models`, sense: 'at most', limit: 1_536, unit: 'MB', value: crowded.use?.residentMb ?? null },
      { goal: 'from start to ready with ten small models', sense: 'at most', limit: 2, unit: 's', value: small.readyAfterMs / 1_000 },
    ],
    windows: {},
  };
}
