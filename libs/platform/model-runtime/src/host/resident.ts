import type { HostedModel } from './hosted-model.js';
import type { ModelFile } from './model-files.js';

const windowMs = 60_000;
const lossesMax = 3;
const retryMsMax = 300_000;

/** What the host remembers of a loaded model beside its queue. */
export class Resident {
  #losses: number[] = [];
  #failures = 0;
  #slowRuns = 0;
  #seatedMs = 0;
  /** Its runs are longer than a shared worker can bear, or one of them cost a worker its life. */
  heavy = false;
  closed = false;

  constructor(readonly model: HostedModel, readonly file: ModelFile) {}

  /** A limit of memory is the worker's, so such a model shares with nobody. */
  get ownNeeded(): boolean { return this.model.limits.memoryMbMax !== Infinity; }

  seated(nowMs: number): void {
    this.#seatedMs = nowMs;
  }

  /** @returns whether the model has lost too many workers of late to be given another one at once. */
  lose(nowMs: number): boolean {
    if (nowMs - this.#seatedMs > windowMs) {
      this.#losses = [];
      this.#failures = 0;
    }
    this.#losses = [...this.#losses.filter((atMs) => nowMs - atMs < windowMs), nowMs];
    return this.#failures > 0 || this.#losses.length >= lossesMax;
  }

  /** Milliseconds until the next attempt: twice as long each time, up to five minutes. */
  nextRetryMs(firstMs: number): number {
    const delayMs = Math.min(retryMsMax, firstMs * 2 ** this.#failures);
    this.#failures += 1;
    return delayMs;
  }

  /** One long run may be the machine's fault; three more long than short ones are the model's. @returns true once. */
  becomesHeavy(slow: boolean): boolean {
    if (this.heavy) return false;
    this.#slowRuns = Math.max(0, this.#slowRuns + (slow ? 1 : -1));
    this.heavy = this.#slowRuns >= 3;
    return this.heavy;
  }
}
