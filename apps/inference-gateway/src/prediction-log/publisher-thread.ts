import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { LogConnection } from '@millrace/messaging';
import type { Log } from '../data-plane/log.js';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { FromPublisher, PublisherOrder, ToPublisher } from './publisher-messages.js';
import type { Spool } from './spool/spool.js';

// From src as from dist: specs run the TypeScript around it, and the thread is the built file all the same.
const entry = fileURLToPath(new URL('../../dist/prediction-log/publisher.entry.js', import.meta.url));

/** How often the thread is told what was appended. */
const tellEveryMs = 20;
const restartMsMax = 5_000;
/** A thread that lived so long was not ended by how it was started. */
const soundMs = 60_000;
/** Its heap; what it publishes at once is a few MB. */
const heapMbMax = 192;

/** The thread that moves the spool to Kafka; one that ends by itself is replaced, and the next goes on where Kafka says. */
export class PublisherThread {
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private restart: NodeJS.Timeout | undefined;
  private toldBytes = -1;
  private failures = 0;
  private startedMs = 0;
  private stopping = false;

  constructor(
    private readonly spool: Spool,
    private readonly order: { readonly connection: LogConnection; readonly relayId: string },
    private readonly log: Log,
  ) {}

  start(): void {
    const workerData: PublisherOrder = { ...this.order, segments: this.spool.view() };
    this.toldBytes = this.spool.appendedBytes;
    this.startedMs = performance.now();
    const worker = new Worker(entry, { name: 'publisher', workerData, resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    this.worker = worker;
    worker.on('message', (message: FromPublisher) => this.hear(message));
    worker.on('error', (error) => this.log.error({ err: error }, 'the thread that publishes prediction logs has failed'));
    worker.once('exit', () => this.replace(worker));
    this.timer ??= setInterval(() => this.tell(), tellEveryMs);
  }

  /** Publishes what waits, if Kafka takes it, and ends. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearInterval(this.timer);
    clearTimeout(this.restart);
    const { worker } = this;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    this.tell();
    this.post({ kind: 'stop' });
    await ended;
  }

  /** Ends the thread where it stands; another takes its place. */
  async recycle(): Promise<void> {
    await this.worker?.terminate();
  }

  private tell(): void {
    if (this.toldBytes === this.spool.appendedBytes) return;
    this.toldBytes = this.spool.appendedBytes;
    this.post({ kind: 'view', segments: this.spool.view() });
  }

  private post(message: ToPublisher): void {
    this.worker?.postMessage(message);
  }

  private hear(message: FromPublisher): void {
    if (message.kind === 'settled') this.spool.trim(message.settled);
    else if (message.kind === 'failed') this.log.warn({ reason: message.message, retryInMs: message.retryInMs }, 'publishing prediction logs failed and is tried again');
    else this.log[message.level]({ details: message.details }, `kafka: ${message.message}`);
  }

  private replace(ended: Worker): void {
    if (this.worker !== ended) return;
    this.worker = undefined;
    if (this.stopping) return;
    gatewayMetrics.publisherRestarts.inc();
    this.failures = performance.now() - this.startedMs > soundMs ? 1 : this.failures + 1;
    const restartInMs = Math.min(restartMsMax, 100 * 2 ** this.failures);
    this.log.error({ restartInMs }, 'the thread that publishes prediction logs has ended; another takes its place');
    this.restart = setTimeout(() => this.start(), restartInMs);
  }
}
