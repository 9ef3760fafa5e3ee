import { recordAccepted } from '@millrace/contracts';
import type { Consumption, Delivery, Messaging, OutgoingMessage } from '@millrace/messaging';

export interface PipeState {
  /** null: the stream has no contract any more. */
  readonly topic: string | null;
  readonly state: 'stopped' | 'waiting' | 'reading';
  /** Why it waits. */
  readonly reason: string | null;
}

export interface IntakePipeOptions {
  /** Ends the group’s name; must never change, or everything is read again. */
  readonly purpose: string;
  readonly messaging: Messaging;
  readonly transform: (deliveries: readonly Delivery[]) => OutgoingMessage[];
  readonly createTopics: boolean;
  readonly retryMs: number;
  readonly onState: () => void;
  readonly onWaiting: (topic: string, error: unknown) => void;
}

/** One producer topic being read, or waited for. Changes of aim are carried out one after the other; the last one counts. */
export class IntakePipe {
  private wanted: string | null = null;
  private current: PipeState = { topic: null, state: 'stopped', reason: null };
  private consumption: Consumption | undefined;
  private turn: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: IntakePipeOptions) {}

  state(): PipeState {
    return this.current;
  }

  /** Read this topic from now on; null: none. */
  aim(topic: string | null): void {
    if (topic === this.wanted) return;
    this.wanted = topic;
    this.schedule();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.turn;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.turn = this.turn.then(() => this.reconcile());
  }

  private async reconcile(): Promise<void> {
    const topic = this.wanted;
    if (this.closed || (topic === this.current.topic && this.current.state !== 'waiting')) return;
    try {
      await this.consumption?.stop();
      this.consumption = undefined;
      if (topic === null) return this.enter({ topic, state: 'stopped', reason: null });
      this.enter({ topic, state: 'waiting', reason: this.current.topic === topic ? this.current.reason : null });
      await this.requireTopic(topic);
      this.consumption = await this.options.messaging.pipe(this.options.purpose, { topics: [topic], transform: this.options.transform });
      this.enter({ topic, state: 'reading', reason: null });
    } catch (error) {
      this.enter({ topic, state: 'waiting', reason: error instanceof Error ? error.message : String(error) });
      this.options.onWaiting(topic ?? '', error);
      if (!this.closed) this.timer = setTimeout(() => this.schedule(), this.options.retryMs);
    }
  }

  /** Topics belong to their producers: one that is not there is created only where the settings say so. */
  private async requireTopic(topic: string): Promise<void> {
    const { driver } = this.options.messaging;
    if (this.options.createTopics) {
      // The ring’s own partition count, so that one producer partition feeds one of the ring’s.
      const partitions = (await driver.watermarks(recordAccepted.type)).length;
      await driver.createTopics([{ topic, partitions, cleanup: 'delete' }]);
    }
    await driver.watermarks(topic);
  }

  private enter(state: PipeState): void {
    this.current = state;
    this.options.onState();
  }
}
