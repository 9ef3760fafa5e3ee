/** Work that is done again and again in the background: one round at a time, the next a while after the last has ended. */
export class PeriodicTask {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();

  /** @param failed what becomes of a round that throws; the next one comes in any case. */
  constructor(
    private readonly everyMs: number,
    private readonly round: () => Promise<unknown>,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    this.timer = setTimeout(() => {
      this.running = this.round().catch(this.failed).finally(() => (this.timer === undefined ? undefined : this.start()));
    }, this.everyMs);
  }

  /** Resolves when the round under way has ended. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.running;
  }
}
