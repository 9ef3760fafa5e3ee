import { join } from 'node:path';
import type { RunningServer } from '@millrace/testing';
import { columnsModel, columnsModelBytes, freshFolder, placeEnsembles, vectorModel, vectorModelBytes } from '../models/model-folder.js';
import { featureCount, featureNames } from '../models/tree-ensemble.js';
import { startEcho, startStandaloneGateway } from '../servers/node-servers.js';
import { benchFolder } from '../servers/places.js';
import { BenchRing } from '../servers/ring-gateway.js';
import { inferBinary, inferJson, predictNamed } from './requests.js';
import type { Bench } from './section.js';

/** A server asked in one way. */
export interface Subject {
  /** Stable: figures are kept under it. */
  readonly id: string;
  readonly title: string;
  readonly server: RunningServer;
  readonly requests: readonly Uint8Array[];
}

export interface Subjects {
  readonly list: readonly Subject[];
  stop(): Promise<void>;
}

const ways = [
  { id: 'json', title: 'V2 JSON', requests: inferJson },
  { id: 'binary', title: 'V2 binary', requests: inferBinary },
  { id: 'predict', title: '/v1 predict', requests: predictNamed },
] as const;

/** Whether anything of this name was asked for: `gateway` as well as `gateway.json`. */
export const isWanted = ({ subjects }: Bench['settings'], id: string): boolean => subjects.length === 0 || subjects.some((wanted) => id.startsWith(wanted) || wanted.startsWith(`${id}.`));

const waysOf = (prefix: string, title: string, server: RunningServer): Subject[] => ways.map((way) => ({ id: `${prefix}.${way.id}`, title: `${title}, ${way.title}`, server, requests: way.requests() }));

export async function startRing(): Promise<BenchRing> {
  const ring = await BenchRing.start();
  await ring.announce({ name: vectorModel, bytes: vectorModelBytes(), inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, featureCount] }], features: featureNames });
  await ring.announce({ name: columnsModel, bytes: columnsModelBytes(), inputs: featureNames.map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] })), features: featureNames });
  return ring;
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The echo, the gateway without and with prediction logging, and what else was started; all of them run at once, asked in turns. */
export async function startSubjects(bench: Bench, further: readonly Subject[]): Promise<Subjects> {
  const stops: (() => Promise<unknown>)[] = [];
  const list: Subject[] = [];
  const add = async (id: string, what: string, start: () => Promise<Subject[]>): Promise<void> => {
    if (!isWanted(bench.settings, id)) return;
    bench.say(`starting ${what}`);
    try {
      list.push(...(await start()));
    } catch (error) {
      bench.skip(what, reasonOf(error));
    }
  };
  await add('echo', 'the echo', async () => {
    const server = await startEcho();
    stops.push(() => server.stop());
    return [{ id: 'echo', title: 'bare Fastify echo', server, requests: inferJson('/echo') }];
  });
  await add('gateway', 'the gateway', async () => {
    const models = freshFolder(join(benchFolder, 'models'));
    placeEnsembles(models);
    const server = await startStandaloneGateway({ name: 'gateway', models });
    stops.push(() => server.stop());
    return waysOf('gateway', 'gateway, logging off', server);
  });
  await add('logged', 'the gateway in the ring, with a Kafka', async () => {
    const ring = await startRing();
    stops.push(() => ring.stop());
    const server = await ring.startGateway();
    stops.push(() => server.stop());
    return waysOf('logged', 'gateway, logging to Kafka', server);
  });
  const stop = async (): Promise<void> => {
    for (const each of stops.reverse()) await each();
  };
  return { list: [...list, ...further].filter(({ id }) => isWanted(bench.settings, id)), stop };
}
