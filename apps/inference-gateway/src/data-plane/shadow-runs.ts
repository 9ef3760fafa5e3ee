import { MillraceError, type PredictionOutput, type PredictionServed } from '@millrace/contracts';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { AnswerLog } from './answer-log.js';
import { failureOf, isVersionFailure } from './failed-answers.js';
import type { Log } from './log.js';
import type { ServingVersion } from './serving-version.js';

/** One instance that another version has answered; `served` lacks only what the shadow version is to say. */
export interface ShadowJob {
  readonly version: ServingVersion;
  readonly features: Readonly<Record<string, unknown>>;
  readonly served: Omit<PredictionServed, 'output' | 'latencyMs' | 'servedAt'>;
  /** The version that has answered is asked again, to know how much it differs from itself; absent: it is not. */
  readonly repeat?: { readonly version: ServingVersion; readonly answered: PredictionOutput };
  readonly traceparent: string | undefined;
}

/** Instances of one run: small, so that answers asked for meanwhile do not wait long behind it. */
const runRowsMax = 64;
const probeEveryMs = 100;

/**
 * Runs the other version on what was answered, off the answer path: one small run at a time, between turns of the event
 * loop, from a bounded queue. A full queue drops and counts; a failing shadow version fails nobody.
 */
export class ShadowRuns {
  private queue: ShadowJob[] = [];
  private working: Promise<void> | undefined;
  private probedMs = -Infinity;

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
      const runRows = this.probeIsDue() ? 1 : runRowsMax;
      let count = 1;
      while (count < runRows && this.queue[count]?.version === first.version) count += 1;
      const jobs = this.queue.slice(0, count);
      this.queue = this.queue.slice(count);
      await this.run(first.version, jobs);
    }
    this.working = undefined;
  }

  /** Now and then one instance runs alone: only its latency compares with that of an answer somebody waited for. */
  private probeIsDue(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.probedMs < probeEveryMs) return false;
    this.probedMs = nowMs;
    return true;
  }

  private async run(version: ServingVersion, jobs: readonly ShadowJob[]): Promise<void> {
    const startedMs = performance.now();
    const fitting = this.fitting(version, jobs, startedMs);
    if (fitting.length === 0) return;
    try {
      const outputs = await version.predict(fitting.map(({ features }) => features));
      const latencyMs = performance.now() - startedMs;
      const servedAt = this.now().toISOString();
      const again = await this.again(fitting);
      fitting.forEach((job, index) => {
        const output = outputs[index];
        if (output === undefined) return;
        const compared = again.get(job);
        this.answerLog.append([{ ...job.served, output, latencyMs, servedAt, ...(compared === undefined ? {} : { compared }), runRows: fitting.length }], job.traceparent, () => undefined);
      });
      gatewayMetrics.predictions.inc({ model: jobs[0]?.served.model, version: version.version, role: 'shadow', outcome: 'answered' }, fitting.length);
    } catch (error) {
      // A version that was routed away while its shadow jobs waited is closed: they are dropped like any other failure.
      this.log.debug({ err: error, version: version.version }, 'a shadow run failed');
      this.drop(fitting[0], 'failed', fitting.length);
      if (isVersionFailure(error)) this.fail(fitting, error, startedMs);
    }
  }

  /** What the version that answered says when it is asked the same again. Where it does not, nothing is lost but this. */
  private async again(jobs: readonly ShadowJob[]): Promise<ReadonlyMap<ShadowJob, NonNullable<PredictionServed['compared']>>> {
    const compared = new Map<ShadowJob, NonNullable<PredictionServed['compared']>>();
    const version = jobs.find(({ repeat }) => repeat !== undefined)?.repeat?.version;
    if (version === undefined) return compared;
    const asked = jobs.flatMap((job) => (job.repeat?.version === version ? [{ job, champion: job.repeat.answered }] : []));
    try {
      const outputs = await version.predict(asked.map(({ job }) => job.features));
      asked.forEach(({ job, champion }, index) => {
        const again = outputs[index];
        if (again !== undefined) compared.set(job, { champion, again });
      });
    } catch (error) {
      this.log.debug({ err: error, version: version.version }, 'a version was not asked again');
    }
    return compared;
  }

  /** A version that cannot take what callers send would refuse them. */
  private fitting(version: ServingVersion, jobs: readonly ShadowJob[], startedMs: number): readonly ShadowJob[] {
    const fitting: ShadowJob[] = [];
    for (const job of jobs) {
      const [mistake] = version.judge(job.features, () => true);
      if (mistake === undefined) fitting.push(job);
      else this.fail([job], new MillraceError(mistake.code, `${mistake.path} ${mistake.message}`), startedMs);
    }
    this.drop(jobs[0], 'features', jobs.length - fitting.length);
    return fitting;
  }

  private fail(jobs: readonly ShadowJob[], error: unknown, startedMs: number): void {
    if (!this.answerLog.keeps) return;
    const latencyMs = performance.now() - startedMs;
    const servedAt = this.now().toISOString();
    for (const { served, traceparent } of jobs) {
      const { model, recordId, requestId, version, role, arm, unit, eventTime, routeRevision, armProbability } = served;
      this.answerLog.fail([{ model, recordId, requestId, version, role, arm, unit, eventTime, routeRevision, armProbability, ...failureOf(error), latencyMs, servedAt }], traceparent);
    }
  }

  private drop(job: ShadowJob | undefined, reason: string, count: number): void {
    if (job !== undefined && count > 0) gatewayMetrics.shadowDropped.inc({ model: job.served.model, reason }, count);
  }
}
