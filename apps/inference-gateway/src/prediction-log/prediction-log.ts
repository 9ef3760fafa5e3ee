import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { PredictionExplained, PredictionFailed, PredictionServed } from '@millrace/contracts';
import { Messaging, RecordBytes } from '@millrace/messaging';
import { ServiceLog } from '@millrace/service';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog, ServedJson } from '../data-plane/answer-log.js';
import { addExplained, addFailed, addServed, addServedJson } from './prediction-record.js';
import { publishSpool } from './publish-spool.js';
import { Spool } from './spool/spool.js';

/** A frame is the least that the relay publishes at once, and Kafka takes 1 MiB per partition and request. */
const frameBytesMax = 256 * 1024;
/** A record beyond it might never fit into Kafka and would stop all that wait behind it. */
const recordBytesMax = 512 * 1024;

/**
 * Logs answered predictions. What is appended in one turn of the event loop is written with one system call, and only
 * then are the callbacks called that send the answers: an answered prediction is on disk. Kafka comes later, by a thread
 * of its own.
 */
@Injectable()
export class PredictionLog implements AnswerLog, OnApplicationBootstrap, OnModuleDestroy {
  readonly keeps = true;
  /** Of one turn. */
  private readonly records = new RecordBytes();
  private recordCount = 0;
  /** Where frames of the turn’s records begin. */
  private frameStarts = [0];
  private afterWrite: (() => void)[] = [];
  private scheduled = false;
  private gaugeTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly spool: Spool,
    private readonly messaging: Messaging,
    private readonly log: ServiceLog,
  ) {}

  onApplicationBootstrap(): void {
    if (this.spool.tornBytes > 0) this.log.warn({ bytes: this.spool.tornBytes }, 'the last process died while writing its spool; the torn end was cut off');
    publishSpool(this.spool, this.messaging, this.log);
    this.gaugeTimer = setInterval(() => this.gauge(), 2_000);
    this.gaugeTimer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.gaugeTimer);
  }

  append(predictions: readonly PredictionServed[], traceparent: string | undefined, done: () => void): void {
    for (const prediction of predictions) this.placed(() => addServed(this.records, prediction, traceparent));
    this.whenKept(done);
  }

  appendJson(prediction: ServedJson, traceparent: string | undefined): void {
    const from = this.records.length;
    addServedJson(this.records, prediction, traceparent);
    this.place(from);
  }

  fail(failures: readonly PredictionFailed[], traceparent: string | undefined, done?: () => void): void {
    for (const failure of failures) this.placed(() => addFailed(this.records, failure, traceparent));
    if (done !== undefined) this.afterWrite.push(done);
    this.schedule();
  }

  explain(explained: readonly PredictionExplained[], traceparent: string | undefined): void {
    for (const each of explained) this.placed(() => addExplained(this.records, each, traceparent));
    this.schedule();
  }

  /** `done` is called once the records are on disk, or counted as dropped; it must not throw. */
  whenKept(done: () => void): void {
    this.afterWrite.push(done);
    this.schedule();
  }

  private placed(add: () => void): void {
    const from = this.records.length;
    add();
    this.place(from);
  }

  /** Finds the frame of the record that was added from here on, or takes it out again. */
  private place(from: number): void {
    const bytes = this.records.length - from;
    if (bytes > recordBytesMax) {
      gatewayMetrics.logDropped.inc({ reason: 'too-large' });
      this.records.cut(from);
      return;
    }
    this.recordCount += 1;
    const start = this.frameStarts[this.frameStarts.length - 1] ?? 0;
    if (from > start && from - start + bytes > frameBytesMax) this.frameStarts.push(from);
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.write);
  }

  readonly write = (): void => {
    const { afterWrite } = this;
    this.afterWrite = [];
    this.scheduled = false;
    if (this.recordCount > 0) this.keep(this.recordCount);
    for (const done of afterWrite) done();
  };

  /** Writes the records of the turn; they are gone from memory then, written or not. */
  private keep(count: number): void {
    const { records, frameStarts } = this;
    try {
      const frames = frameStarts.map((start, index) => records.view(start, frameStarts[index + 1] ?? records.length));
      if (!this.spool.append(frames)) gatewayMetrics.logDropped.inc({ reason: 'spool-full' }, count);
    } catch (error) {
      gatewayMetrics.logDropped.inc({ reason: 'disk' }, count);
      this.log.error({ err: error, records: count }, 'prediction logs could not be written to the spool');
    }
    records.cut(0);
    this.recordCount = 0;
    if (frameStarts.length > 1) this.frameStarts = [0];
  }

  private gauge(): void {
    gatewayMetrics.spoolBytes.set(this.spool.waitingBytes);
    gatewayMetrics.spoolAge.set(this.spool.waitingSeconds());
  }
}
