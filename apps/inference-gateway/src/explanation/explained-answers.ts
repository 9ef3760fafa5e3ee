import { ExplainResponse, matches, MillraceError, type PredictionExplained } from '@millrace/contracts';
import { watchedExplanations } from '@millrace/core/explanation';
import { positionOf, type Features } from '@millrace/core/inference';
import type { AnswerLog } from '../data-plane/answer-log.js';
import type { Log } from '../data-plane/log.js';
import type { ServingVersion } from '../data-plane/serving-version.js';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { Explanations } from './explanations.js';

/** An answer that somebody was given. */
export type GivenAnswer = Pick<PredictionExplained, 'model' | 'recordId' | 'predictionId' | 'eventTime'>;

interface Job {
  readonly version: ServingVersion;
  readonly features: Features;
  readonly answer: GivenAnswer;
  readonly traceparent: string | undefined;
}

/** Answers that wait; what does not fit is dropped and counted. */
const queueMax = 1_000;
/** Rows of one question to the thread: small, so that who asks for an explanation does not wait long behind them. */
const rowsPerRun = 32;
const runMsMax = 30_000;
/** Where on [0, 1) a prediction lies: its own, so that the draw has nothing to do with any other. */
const salt = 'explained';

/**
 * Explains the part of the answers that the specs ask for, after they were given: in the thread that explains, one small run at a time,
 * from a bounded queue. Which ones follows from their prediction ids. What is explained goes the way of answers: spool, then Kafka.
 */
export class ExplainedAnswers {
  private readonly shares = new Map<string, number>();
  private readonly unexplainable = new WeakSet<ServingVersion>();
  private queue: Job[] = [];
  private working: Promise<void> | undefined;

  constructor(
    private readonly explanations: Explanations,
    private readonly answerLog: AnswerLog,
    private readonly log: Log,
    private readonly now: () => Date,
  ) {}

  /** The part of a model’s answers that is explained from now on. */
  share(model: string, share: number): void {
    if (share > 0) this.shares.set(model, share);
    else this.shares.delete(model);
  }

  /** Of answers that are not to be explained it costs a look into a map. */
  offer(version: ServingVersion, answer: GivenAnswer, features: Features, traceparent: string | undefined): void {
    const share = this.shares.get(answer.model);
    if (share === undefined || !version.isTabular || positionOf(salt, answer.predictionId) >= share) return;
    const job = { version, features, answer, traceparent };
    if (this.unexplainable.has(version)) this.count([job], 'unavailable');
    else if (this.queue.length >= queueMax) this.count([job], 'queue-full');
    else {
      this.queue.push(job);
      this.working ??= this.work();
    }
  }

  /** Whether answers of this model are explained at all. */
  watches(model: string): boolean {
    return this.shares.has(model);
  }

  /** What waits is dropped; resolves after the run in hand. */
  async stop(): Promise<void> {
    this.shares.clear();
    this.count(this.queue, 'stopped');
    this.queue = [];
    await this.working;
  }

  private async work(): Promise<void> {
    while (this.queue.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const [first] = this.queue;
      if (first === undefined) break;
      const jobs = this.queue.filter(({ version }) => version === first.version).slice(0, rowsPerRun);
      const taken = new Set(jobs);
      this.queue = this.queue.filter((job) => !taken.has(job));
      await this.run(first.version, jobs);
    }
    this.working = undefined;
  }

  private async run(version: ServingVersion, jobs: readonly Job[]): Promise<void> {
    const model = jobs[0]?.answer.model ?? '';
    try {
      const body = await this.explanations.explain({
        model, version, rows: jobs.map(({ features }) => features), target: undefined, background: undefined, deadlineMs: performance.now() + runMsMax, ...watchedExplanations,
      });
      const response: unknown = JSON.parse(new TextDecoder().decode(body));
      if (!matches(ExplainResponse, response)) throw new MillraceError('INTERNAL', 'the thread that explains gave an answer that is none');
      jobs.forEach((job, index) => this.tell(job, version.version, response, index));
      this.count(jobs, 'explained');
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'EXPLANATION_UNAVAILABLE') {
        this.unexplainable.add(version);
        this.log.warn({ err: error, model, version: version.version }, 'answers of this version cannot be explained');
        this.count(jobs, 'unavailable');
        return;
      }
      this.log.debug({ err: error, model, version: version.version }, 'answers were not explained');
      this.count(jobs, 'failed');
    }
  }

  private tell({ answer, traceparent }: Job, version: string, { method, explanations }: ExplainResponse, index: number): void {
    const explanation = explanations[index];
    if (explanation === undefined) return;
    const { unit, base, output, class: named, contributions } = explanation;
    const explained: PredictionExplained = {
      ...answer, version, method, unit, ...(named === undefined ? {} : { class: named }), base, output,
      contributions: Object.fromEntries(contributions.map(({ feature, contribution }) => [feature, contribution])), explainedAt: this.now().toISOString(),
    };
    this.answerLog.explain([explained], traceparent);
  }

  private count(jobs: readonly Job[], outcome: 'explained' | 'failed' | 'queue-full' | 'stopped' | 'unavailable'): void {
    for (const { answer, version } of jobs) gatewayMetrics.explainedAnswers.inc({ model: answer.model, version: version.version, outcome });
  }
}
