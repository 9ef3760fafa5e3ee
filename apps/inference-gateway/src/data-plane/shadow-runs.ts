import type { PredictionServed } from '@millrace/contracts';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog } from './answer-log.js';
import type { Log } from './log.js';
import type { ServingVersion } from './serving-version.js';

/** One instance that another version has answered; `served` lacks only what the shadow version is to say. */
export interface ShadowJob {
  readonly version: ServingVersion;
  readonly features: Readonly<Record<string, unknown>>;
  readonly served: Omit<PredictionServed, 'output' | 'latencyMs' | 'servedAt'>;
  readonly traceparent: string | undefined;
}

/** Instances of one run: small, so that answers asked for meanwhile do not wait long behind it. */
const runRowsMax = 64;

/**
 * Runs the other version on what was answered, off the answer path: one small run at a time, between turns of the event
 * loop, from a bounded queue. A full queue drops and counts; a failing shadow version fails nobody.
 */
export class ShadowRuns {
  private queue: ShadowJob[] = [];
  private working: Promise<void> | undefined;

  constructor(
    private readonly queueMax: number,
    private readonly answerLog: AnswerLog,
    private readonly log: Log,
    private readonly now: () => Date,
  ) {}

  offer(job: ShadowJob): void {
    if (this.queue.length >= this.queueMax) {
      gatewayMetrics.shadowDropped.inc({ model: job.served.model, reason: 'queue-full' });
      return;
    }
    this.queue.push(job);
    this.working ??= this.work();
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    await this.working;
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const [first] = this.queue;
      if (first === undefined) break;
      let count = 1;
      while (count < runRowsMax && this.queue[count]?.version === first.version) count += 1;
      const jobs = this.queue.slice(0, count);
      this.queue = this.queue.slice(count);
      await this.run(first.version, jobs);
    }
    this.working = undefined;
  }

  private async run(version: ServingVersion, jobs: readonly ShadowJob[]): Promise<void> {
    const startedMs = performance.now();
    try {
      const fitting = jobs.filter((job) => version.judge(job.features, () => true).length === 0);
      if (fitting.length < jobs.length) this.drop(jobs[0], 'features', jobs.length - fitting.length);
      if (fitting.length === 0) return;
      const outputs = await version.predict(fitting.map(({ features }) => features));
      const latencyMs = performance.now() - startedMs;
      const servedAt = this.now().toISOString();
      fitting.forEach((job, index) => {
        const output = outputs[index];
        if (output === undefined) return;
        this.answerLog.append([{ ...job.served, output, latencyMs, servedAt }], job.traceparent, () => undefined);
      });
      gatewayMetrics.predictions.inc({ model: jobs[0]?.served.model, version: version.version, role: 'shadow', outcome: 'answered' }, fitting.length);
    } catch (error) {
      // A version that was routed away while its shadow jobs waited is closed: they are dropped like any other failure.
      this.log.debug({ err: error, version: version.version }, 'a shadow run failed');
      this.drop(jobs[0], 'failed', jobs.length);
    }
  }

  private drop(job: ShadowJob | undefined, reason: string, count: number): void {
    if (job !== undefined) gatewayMetrics.shadowDropped.inc({ model: job.served.model, reason }, count);
  }
}
