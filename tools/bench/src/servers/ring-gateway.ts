import { join } from 'node:path';
import { parseModelSpec, predictionServed, routeChanged, specChanged, type ModelSignature, type ModelSpec, type RouteChanged, type RouteTarget } from '@millrace/contracts';
import { decodeEvent, KafkaDriver, Messaging, type LogProducer } from '@millrace/messaging';
import { createTopics, findFreePortBase, kafkaJarsFolder, startKafka, startServers, type RunningKafka, type RunningServers } from '@millrace/stack';
import { openStorage, type Storage } from '@millrace/storage';
import type { RunningServer } from '@millrace/testing';
import { launchServer } from './launch.js';
import { nodeFlags } from './node-flags.js';
import { benchFolder, ringScript } from './places.js';

const folder = join(benchFolder, 'ring');
const storageUrl = `file://${join(folder, 'storage')}`;
const longAgo = '2013-01-01T00:00:00Z';

export interface RingModel {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly inputs: ModelSignature['inputs'];
  readonly features: readonly string[];
}

function specOf({ name, features }: RingModel): ModelSpec {
  return parseModelSpec({
    apiVersion: 'millrace/v1',
    kind: 'Model',
    metadata: { name },
    spec: { task: 'regression', stream: 'bench', features: features.map((feature) => ({ name: feature, type: 'number' })), label: { field: 'label' }, trainer: { name: 'tabular', algorithm: 'lightgbm' } },
  });
}

const signatureOf = ({ inputs }: RingModel): ModelSignature => ({ inputs: [...inputs], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }], task: 'regression', classes: [], positiveIndex: null });

/** A real Kafka, the topics of the ring, and somebody who announces specs and routes in place of registry and roll-out. */
export class BenchRing {
  private readonly revisions = new Map<string, number>();
  private restarted: RunningKafka | undefined;

  private constructor(
    private readonly servers: RunningServers,
    readonly brokers: string,
    private readonly driver: KafkaDriver,
    private readonly messaging: Messaging,
    private readonly producer: LogProducer,
    private readonly storage: Storage,
  ) {}

  /** @throws MillraceError when Kafka’s jars are not there or it does not start. */
  static async start(): Promise<BenchRing> {
    // A Kafka that somebody works with must not be told of our models.
    delete process.env['KAFKA_BROKERS'];
    const servers = await startServers({ portBase: await findFreePortBase(), folder, only: ['kafka'], reset: true });
    try {
      const brokers = servers.kafka?.brokers ?? '';
      await createTopics({ kafka: brokers });
      const driver = new KafkaDriver({ brokers: brokers.split(','), clientId: 'millrace-bench' });
      const messaging = new Messaging({ service: 'model-registry', driver, now: () => new Date(), log: { warn: () => undefined } });
      return new BenchRing(servers, brokers, driver, messaging, await driver.producer(), await openStorage(storageUrl));
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  async target(model: RingModel, version: string): Promise<RouteTarget> {
    return { version, artifact: await this.storage.artifacts.put(model.bytes), signature: signatureOf(model) };
  }

  /** Makes a model known and puts version 1 of it in force. */
  async announce(model: RingModel): Promise<void> {
    const changed = { model: model.name, revision: 1, sha256: '0'.repeat(64), spec: specOf(model), changedAt: longAgo };
    await this.producer.send([this.messaging.encode(specChanged, changed, { key: model.name })]);
    await this.route(model.name, { champion: await this.target(model, '1') });
  }

  /** @returns the revision of the route. */
  async route(model: string, route: Partial<RouteChanged> & Pick<RouteChanged, 'champion'>): Promise<number> {
    const revision = (this.revisions.get(model) ?? 0) + 1;
    this.revisions.set(model, revision);
    const full: RouteChanged = { model, revision, rolloutId: null, phase: 'full', salt: `${model}:r1`, candidate: null, reason: 'spec', changedAt: longAgo, streamTime: null, ...route };
    await this.producer.send([this.messaging.encode(routeChanged, full, { key: model })]);
    return revision;
  }

  startGateway(name = 'gateway-logging'): Promise<RunningServer> {
    const environment = (port: number): Record<string, string> => ({ HOST: '127.0.0.1', PORT: String(port), KAFKA_BROKERS: this.brokers, STORAGE_URL: storageUrl, SPOOL_FOLDER: join(folder, 'spool', name), LOG_LEVEL: 'warn' });
    return launchServer({ name, program: process.execPath, parameters: () => [...nodeFlags(name), ringScript], environment, readyPath: '/health/ready', readyDeadlineMs: 60_000 });
  }

  async stopKafka(): Promise<void> {
    await (this.restarted ?? this.servers.kafka)?.stop();
  }

  /** Starts it again, with what it held. */
  async startKafka(): Promise<void> {
    const { kafka, kafkaController } = this.servers.ports;
    this.restarted = await startKafka({ folder, port: kafka, controllerPort: kafkaController, jars: kafkaJarsFolder });
  }

  /** Follows the log of predictions from its beginning, until `stop`; ids in the order in which they come. */
  async followLog(): Promise<{ readonly ids: readonly string[]; stop(): Promise<void> }> {
    const ids: string[] = [];
    const consumption = await this.driver.consume({
      group: `bench-${process.pid}-${Date.now()}`,
      topics: [predictionServed.type],
      onBatch: async (deliveries) => {
        for (const delivery of deliveries) ids.push(decodeEvent(predictionServed, delivery).data.predictionId);
      },
    });
    return { ids, stop: () => consumption.stop() };
  }

  async stop(): Promise<void> {
    await this.restarted?.stop();
    await this.messaging.stop();
    await this.driver.close();
    await this.servers.stop();
  }
}
