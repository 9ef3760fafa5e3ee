export interface PeriodicTaskOptions {
  readonly everyMs: number;
  /** No round so soon after the start: partitions look idle only because nobody has read them yet. */
  readonly quietMs: number;
  readonly now: () => Date;
  readonly round: () => Promise<unknown>;
  /** What becomes of a round that throws; the next one comes in any case. */
  readonly failed: (error: unknown) => void;
}

/** Work that is done again and again in the background: one round at a time, the next a while after the last has ended. */
export class PeriodicTask {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private startedAtMs = 0;

  constructor(private readonly options: PeriodicTaskOptions) {}

  start(): void {
    this.startedAtMs = this.options.now().getTime();
    this.schedule();
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }

  private schedule(): void {
    this.timer = setTimeout(() => {
      this.running = this.roundWhenSettled().catch(this.options.failed).finally(() => (this.timer === undefined ? undefined : this.schedule()));
    }, this.options.everyMs);
  }

  private async roundWhenSettled(): Promise<void> {
    const { now, quietMs, round } = this.options;
    if (now().getTime() - this.startedAtMs >= quietMs) await round();
  }
}
