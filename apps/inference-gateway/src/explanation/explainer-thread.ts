import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MillraceError } from '@millrace/contracts';
import type { FromExplainer, ToExplainer } from './explainer-messages.js';

// From src as from dist: specs run the TypeScript around it, and the thread is the built file all the same.
const entry = fileURLToPath(new URL('../../dist/explanation/explainer.entry.js', import.meta.url));

/** Its heap: a large forest is read into some hundred MB. */
const heapMbMax = 1_024;

interface Waiting {
  readonly resolve: (answer: FromExplainer) => void;
  readonly reject: (error: MillraceError) => void;
}

/** The thread that explains; started with the first question. Ended when it overruns, and the next question starts another. */
export class ExplainerThread {
  private worker: Worker | undefined;
  private waiting: Waiting[] = [];

  /** @param onLost the thread is gone, and with it whatever was open. */
  constructor(private readonly onLost: (reason: string) => void) {}

  /**
   * One answer. A thread that does not answer within `limitMs` is ended: what it does cannot be stopped otherwise.
   * @throws MillraceError what the explanation throws; MODEL_WORKER_LOST when the thread is gone.
   */
  async ask(message: Extract<ToExplainer, { kind: 'open' | 'explain' }>, limitMs: number): Promise<FromExplainer> {
    const worker = this.start();
    const timer = setTimeout(() => this.end(worker, `it worked on one call for more than ${Math.round(limitMs)} ms`), limitMs);
    try {
      const answer = await new Promise<FromExplainer>((resolve, reject) => {
        this.waiting.push({ resolve, reject });
        worker.postMessage(message);
      });
      if (answer.kind !== 'failed') return answer;
      const { code, message: sentence, mistakes } = answer.failure;
      throw new MillraceError(code, sentence, mistakes === undefined ? {} : { mistakes });
    } finally {
      clearTimeout(timer);
    }
  }

  close(key: string): void {
    this.worker?.postMessage({ kind: 'close', key } satisfies ToExplainer);
  }

  async stop(): Promise<void> {
    const { worker } = this;
    if (worker === undefined) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'stop' } satisfies ToExplainer);
    await ended;
  }

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(entry, { name: 'explainer', resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    this.worker = worker;
    worker.on('message', (answer: FromExplainer) => this.waiting.shift()?.resolve(answer));
    worker.on('error', (error) => this.lose(worker, error.message));
    worker.once('exit', () => this.lose(worker, 'it has ended'));
    return worker;
  }

  private end(worker: Worker, reason: string): void {
    this.lose(worker, reason);
    void worker.terminate();
  }

  private lose(worker: Worker, reason: string): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const { waiting } = this;
    this.waiting = [];
    for (const { reject } of waiting) reject(new MillraceError('MODEL_WORKER_LOST', `the thread that explains was lost: ${reason}. Predictions are not affected.`));
    this.onLost(reason);
  }
}
