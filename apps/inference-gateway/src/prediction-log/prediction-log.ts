import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { PredictionFailed, PredictionServed } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { ServiceLog } from '@millrace/service';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog, ServedText } from '../data-plane/answer-log.js';
import { failedRecord, servedRecord, servedTextRecord } from './prediction-record.js';
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
  /** Of one turn, one character per byte. */
  private records: string[] = [];
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

  /** `done` is called once the records are on disk, or counted as dropped; it must not throw. */
  append(predictions: readonly PredictionServed[], traceparent: string | undefined, done: () => void): void {
    for (const prediction of predictions) this.records.push(servedRecord(prediction, traceparent));
    this.afterWrite.push(done);
    this.schedule();
  }

  /** As `append`, for events that were made as text: what most answers cost. */
  appendTexts(predictions: readonly ServedText[], traceparent: string | undefined, done: () => void): void {
    for (const prediction of predictions) this.records.push(servedTextRecord(prediction, traceparent));
    this.afterWrite.push(done);
    this.schedule();
  }

  fail(failures: readonly PredictionFailed[], traceparent: string | undefined, done?: () => void): void {
    for (const failure of failures) this.records.push(failedRecord(failure, traceparent));
    if (done !== undefined) this.afterWrite.push(done);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.write);
  }

  readonly write = (): void => {
    const { records, afterWrite } = this;
    this.records = [];
    this.afterWrite = [];
    this.scheduled = false;
    if (records.length > 0) this.keep(records);
    for (const done of afterWrite) done();
  };

  private keep(records: readonly string[]): void {
    const fitting = records.every(fits) ? records : records.filter(fits);
    if (fitting.length < records.length) gatewayMetrics.logDropped.inc({ reason: 'too-large' }, records.length - fitting.length);
    if (fitting.length === 0) return;
    try {
      if (!this.spool.append(framesOf(fitting))) gatewayMetrics.logDropped.inc({ reason: 'spool-full' }, fitting.length);
    } catch (error) {
      gatewayMetrics.logDropped.inc({ reason: 'disk' }, fitting.length);
      this.log.error({ err: error, records: fitting.length }, 'prediction logs could not be written to the spool');
    }
  }

  private gauge(): void {
    gatewayMetrics.spoolBytes.set(this.spool.waitingBytes);
    gatewayMetrics.spoolAge.set(this.spool.waitingSeconds());
  }
}

const fits = (record: string): boolean => record.length <= recordBytesMax;

function framesOf(records: readonly string[]): string[] {
  const frames: string[] = [];
  let frame = '';
  for (const record of records) {
    if (frame !== '' && frame.length + record.length > frameBytesMax) {
      frames.push(frame);
      frame = '';
    }
    frame += record;
  }
  frames.push(frame);
  return frames;
}
