import { join } from 'node:path';
import { parseModelSpec, specChanged, versionRegistered, type ModelSignature } from '@millrace/contracts';
import { createRingTopics, KafkaDriver, Messaging, type LogProducer } from '@millrace/messaging';
import { findFreePortBase, startServers, type RunningServers } from '@millrace/stack';
import { openStorage, type Storage } from '@millrace/storage';
import type { RunningServer } from '@millrace/testing';
import { launchServer } from './launch.js';
import { benchFolder, controllerScript, ringScript } from './places.js';

const folder = join(benchFolder, 'rollback');
const storageUrl = `file://${join(folder, 'storage')}`;
const longAgo = '2013-01-01T00:00:00Z';
export const rolloutModel = 'bench-rollback';

const features: ModelSignature['inputs'] = [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }, { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] }];
const signature: ModelSignature = {
  inputs: [...features], outputs: [{ name: 'label', datatype: 'INT64', shape: [-1] }, { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
  task: 'binary', classes: ['false', 'true'], positiveIndex: 1,
};

/** Candidates begin in a 10 % canary at once: in shadow nobody would notice that they fail. */
const spec = parseModelSpec({
  apiVersion: 'millrace/v1',
  kind: 'Model',
  metadata: { name: rolloutModel },
  spec: {
    task: 'binary', stream: 'bench', features: [{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }], label: { field: 'label', positive: true },
    trainer: { name: 'tabular', algorithm: 'logistic-regression' }, rollout: { steps: [{ type: 'canary', share: 0.1 }] },
  },
});

/** Kafka, PostgreSQL, a gateway and a roll-out controller, each a process of its own; we are registry and trainer. */
export class RolloutBenchRing {
  private constructor(
    private readonly servers: RunningServers,
    private readonly driver: KafkaDriver,
    private readonly messaging: Messaging,
    private readonly producer: LogProducer,
    private readonly storage: Storage,
    readonly gateway: RunningServer,
    readonly controller: RunningServer,
  ) {}

  static async start(): Promise<RolloutBenchRing> {
    const servers = await startServers({ portBase: await findFreePortBase(), folder, only: ['kafka', 'postgres'], reset: true });
    try {
      const brokers = servers.kafka?.brokers ?? '';
      const driver = new KafkaDriver({ brokers: brokers.split(','), clientId: 'millrace-bench' });
      await createRingTopics(driver, 4);
      const messaging = new Messaging({ service: 'model-registry', driver, now: () => new Date(), log: { warn: () => undefined } });
      const start = (name: string, script: string): Promise<RunningServer> => {
        const environment = (port: number): Record<string, string> => ({ HOST: '127.0.0.1', PORT: String(port), KAFKA_BROKERS: brokers, DATABASE_URL: servers.postgres?.url ?? '', STORAGE_URL: storageUrl, SPOOL_FOLDER: join(folder, 'spool'), LOG_LEVEL: 'warn' });
        return launchServer({ name, program: process.execPath, parameters: () => [script], environment, readyPath: '/health/ready', readyDeadlineMs: 60_000 });
      };
      const controller = await start('rollout-controller', controllerScript);
      const gateway = await start('gateway-rollback', ringScript);
      const ring = new RolloutBenchRing(servers, driver, messaging, await driver.producer(), await openStorage(storageUrl), gateway, controller);
      await ring.producer.send([messaging.encode(specChanged, { model: rolloutModel, revision: 1, sha256: '0'.repeat(64), spec, changedAt: longAgo }, { key: rolloutModel })]);
      return ring;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  /** A version whose gate has passed: the first becomes champion, each later one a candidate. */
  async register(version: string, bytes: Uint8Array): Promise<void> {
    const artifact = await this.storage.artifacts.put(bytes);
    const data = { model: rolloutModel, version, source: 'pipeline' as const, runId: 'bench', datasetVersion: null, specRevision: 1, artifact, signature, metrics: [], gate: { outcome: 'passed' as const, checks: [] }, reference: null, registeredAt: longAgo };
    await this.producer.send([this.messaging.encode(versionRegistered, data, { key: rolloutModel })]);
  }

  /** The candidate that this gateway routes to; null: none. */
  async candidate(): Promise<string | null> {
    const answer = await fetch(`${this.gateway.url}/v1/models/${rolloutModel}`);
    const body = (await answer.json()) as { route?: { candidate?: { version?: string } | null } | null };
    return body.route?.candidate?.version ?? null;
  }

  /** What the controller tells of the last step of a roll-out. */
  async lastReason(version: string): Promise<string> {
    const answer = await fetch(`${this.controller.url}/v1/rollouts/${rolloutModel}.${version}.1`);
    const body = (await answer.json()) as { steps?: readonly { reason?: string }[] };
    return body.steps?.at(-1)?.reason ?? '';
  }

  async stop(): Promise<void> {
    await this.gateway.stop();
    await this.controller.stop();
    await this.messaging.stop();
    await this.driver.close();
    await this.servers.stop();
  }
}
