import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { PredictionServed } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { ServiceLog } from '@millrace/service';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog } from '../data-plane/answer-log.js';
import { encodePredictionLine } from './prediction-line.js';
import { Spool } from './spool/spool.js';

/** A frame is the least that the relay publishes at once, and Kafka takes 1 MiB per partition and request; a character is at most 3 bytes. */
const frameCharsMax = 96 * 1024;
/** A line beyond it might never fit into Kafka and would stop all that wait behind it. */
const lineBytesMax = 512 * 1024;

/**
 * Logs answered predictions. What is appended in one turn of the event loop is written with one system call, and only
 * then are the callbacks called that send the answers: an answered prediction is on disk. Kafka comes later, by the relay.
 */
@Injectable()
export class PredictionLog implements AnswerLog, OnApplicationBootstrap, OnModuleDestroy {
  readonly keeps = true;
  private lines: string[] = [];
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
    this.messaging.relay(`spool.${this.spool.instance}`, this.spool, 25);
    this.gaugeTimer = setInterval(() => this.gauge(), 2_000);
    this.gaugeTimer.unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.gaugeTimer);
  }

  /** `done` is called once the records are on disk, or counted as dropped; it must not throw. */
  append(predictions: readonly PredictionServed[], traceparent: string | undefined, done: () => void): void {
    for (const prediction of predictions) this.lines.push(encodePredictionLine(prediction, traceparent));
    this.afterWrite.push(done);
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(this.write);
  }

  readonly write = (): void => {
    const { lines, afterWrite } = this;
    this.lines = [];
    this.afterWrite = [];
    this.scheduled = false;
    if (lines.length > 0) this.keep(lines);
    for (const done of afterWrite) done();
  };

  private keep(lines: readonly string[]): void {
    const fitting = lines.filter((line) => line.length * 3 <= lineBytesMax || Buffer.byteLength(line) <= lineBytesMax);
    if (fitting.length < lines.length) gatewayMetrics.logDropped.inc({ reason: 'too-large' }, lines.length - fitting.length);
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

function framesOf(lines: readonly string[]): string[] {
  const frames: string[] = [];
  let frame = '';
  for (const line of lines) {
    if (frame !== '' && frame.length + line.length > frameCharsMax) {
      frames.push(frame);
      frame = '';
    }
    frame += line;
  }
  frames.push(frame);
  return frames;
}
