import { canonicalJson, MillraceError, sha256Hex } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import type { Log } from '../data-plane/log.js';
import type { ServingVersion } from '../data-plane/serving-version.js';
import { ExplainerThread } from './explainer-thread.js';
import type { ExplainedFile } from './explainer-messages.js';

export interface ExplanationRequest {
  readonly model: string;
  readonly version: ServingVersion;
  /** Judged before. */
  readonly rows: readonly Features[];
  readonly target: string | undefined;
  readonly background: readonly Features[] | undefined;
  /** Of the model for one row, where orders are sampled; absent: as many as who asks is given. */
  readonly evaluationsMax?: number;
  /** On the clock of performance.now(). */
  readonly deadlineMs: number;
}

/** Requests that may wait for the one in hand; beyond it they are refused at once. */
const waitingMax = 16;
/** Explainers kept open; each holds a copy of its model in a worker process. */
const keptMax = 8;
/** What the thread is given beyond a deadline, at which it gives up by itself, before it is ended. */
const graceMs = 2_000;

/** Explanations of versions in service, one after the other in a thread of their own, so that predictions never wait for them. */
export class Explanations {
  private readonly thread: ExplainerThread;
  /** By key, least recently used first. */
  private readonly open = new Map<string, ServingVersion>();
  private readonly watched = new WeakSet<ServingVersion>();
  private turn: Promise<unknown> = Promise.resolve();
  private waiting = 0;
  private stopping = false;

  constructor(private readonly log: Log) {
    this.thread = new ExplainerThread((reason) => {
      this.open.clear();
      if (!this.stopping) this.log.warn({ reason }, 'the thread that explains was lost; the next request starts another');
    });
  }

  /**
   * @returns the whole answer, as JSON.
   * @throws MillraceError MODEL_OVERLOADED, DEADLINE_EXCEEDED, MODEL_WORKER_LOST, and what `openExplainer` and `explain` throw.
   */
  async explain(request: ExplanationRequest): Promise<Uint8Array> {
    if (this.stopping) throw new MillraceError('MODEL_NOT_READY', 'this server is closing');
    if (this.waiting >= waitingMax) throw new MillraceError('MODEL_OVERLOADED', `${this.waiting} requests for explanations wait already; try again later`);
    this.waiting += 1;
    const work = this.turn.then(() => this.one(request)).finally(() => (this.waiting -= 1));
    this.turn = work.catch(() => undefined);
    return inTime(work, request.deadlineMs);
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.turn;
    await this.thread.stop();
  }

  private async one(request: ExplanationRequest): Promise<Uint8Array> {
    const { model, version, rows, target, deadlineMs } = request;
    const key = keyOf(request);
    if (restMs(deadlineMs) > 0) await this.ensureOpen(key, request);
    const budgetMs = restMs(deadlineMs);
    if (budgetMs <= 0) throw late();
    const answer = await this.thread.ask({ kind: 'explain', key, budgetMs, rows, target, model, version: version.version }, budgetMs + graceMs);
    if (answer.kind !== 'explained') throw new MillraceError('INTERNAL', 'the thread that explains gave another answer than was asked for');
    if (version.closed) this.forget(key);
    return answer.body;
  }

  private async ensureOpen(key: string, { model, version, background, evaluationsMax, deadlineMs }: ExplanationRequest): Promise<void> {
    const isOpen = this.open.delete(key);
    if (!isOpen) {
      const { signature } = version.tabular();
      const bytes = await version.readFile();
      const { featureNames } = version.meaning;
      const file: ExplainedFile = { name: `${model}@${version.version} explained`, bytes, signature, ...(featureNames === undefined ? {} : { featureNames }), ...(background === undefined ? {} : { background }), ...(evaluationsMax === undefined ? {} : { evaluationsMax }) };
      await this.thread.ask({ kind: 'open', key, file }, restMs(deadlineMs) + graceMs);
      this.watch(version);
    }
    this.open.set(key, version);
    for (const [oldest] of this.open) {
      if (this.open.size <= keptMax) break;
      this.forget(oldest);
    }
  }

  /** A version that goes takes its explainers with it, after the work in hand. */
  private watch(version: ServingVersion): void {
    if (this.watched.has(version)) return;
    this.watched.add(version);
    version.whenClosed(() => {
      this.turn = this.turn.then(() => {
        for (const [key, owner] of this.open) if (owner === version) this.forget(key);
      });
    });
  }

  private forget(key: string): void {
    if (this.open.delete(key)) this.thread.close(key);
  }
}

const restMs = (deadlineMs: number): number => deadlineMs - performance.now();
const late = (): MillraceError => new MillraceError('DEADLINE_EXCEEDED', 'the time of the request was over before it was explained');

/** Rejects at the deadline, whatever becomes of the work. */
async function inTime<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_resolve, reject) => (timer = setTimeout(() => reject(late()), Math.max(0, restMs(deadlineMs)))));
  try {
    return await Promise.race([work, overdue]);
  } finally {
    clearTimeout(timer);
  }
}

function keyOf({ model, version: { version, identity }, background, evaluationsMax }: ExplanationRequest): string {
  const against = background === undefined ? '' : sha256Hex(canonicalJson(background));
  return [model, version, identity, against, evaluationsMax ?? ''].join('\n');
}
