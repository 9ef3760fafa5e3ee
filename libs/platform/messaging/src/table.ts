import { randomUUID } from 'node:crypto';
import type { DataOf, EventDefinition } from '@millrace/contracts';
import type { Consumption, LogDriver } from './driver.js';
import { decodeEvent, type Received } from './envelope.js';

export interface TableOptions {
  readonly onRefused?: (error: unknown) => void;
}

/** A compacted topic as a map in memory, latest event per key. Complete once started; it then follows the topic. */
export class CompactedTable<D extends EventDefinition> {
  private readonly entries = new Map<string, Received<DataOf<D>>>();
  private readonly listeners = new Set<(key: string, entry: Received<DataOf<D>> | undefined) => void>();
  private consumption: Consumption | undefined;

  private constructor(private readonly definition: D) {}

  /** Resolves when the table holds everything that was in the topic at the call. */
  static async start<D extends EventDefinition>(driver: LogDriver, definition: D, options: TableOptions = {}): Promise<CompactedTable<D>> {
    const table = new CompactedTable(definition);
    const goals = new Map<number, number>();
    for (const { partition, low, high } of await driver.watermarks(definition.type)) if (high > low) goals.set(partition, high);
    let caughtUp: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => (caughtUp = resolve));
    if (goals.size === 0) caughtUp();
    table.consumption = await driver.consume({
      // A table needs every partition in every process, so each process is a group of its own.
      group: `table.${definition.type}.${randomUUID()}`,
      topics: [definition.type],
      onBatch: async (deliveries) => {
        for (const delivery of deliveries) {
          if (delivery.value === null) table.drop(delivery.key ?? '');
          else table.learn(delivery, options);
        }
      },
      onPosition: ({ partition, offset }) => {
        if (offset >= (goals.get(partition) ?? Infinity)) goals.delete(partition);
        if (goals.size === 0) caughtUp();
      },
    });
    await ready;
    return table;
  }

  get(key: string): DataOf<D> | undefined {
    return this.entries.get(key)?.data;
  }

  /** With its place in the log, for those who have to cite it. */
  received(key: string): Received<DataOf<D>> | undefined {
    return this.entries.get(key);
  }

  values(): DataOf<D>[] {
    return [...this.entries.values()].map(({ data }) => data);
  }

  /** Called for every later change; not for what the table already holds. */
  onChange(listener: (key: string, entry: Received<DataOf<D>> | undefined) => void): void {
    this.listeners.add(listener);
  }

  async stop(): Promise<void> {
    await this.consumption?.stop();
  }

  private learn(delivery: Parameters<typeof decodeEvent>[1], options: TableOptions): void {
    let entry: Received<DataOf<D>>;
    try {
      entry = decodeEvent(this.definition, delivery);
    } catch (error) {
      // The last good entry stays in force; a table that stopped here would take the service down with it.
      options.onRefused?.(error);
      return;
    }
    const key = delivery.key ?? '';
    this.entries.set(key, entry);
    for (const listener of this.listeners) listener(key, entry);
  }

  private drop(key: string): void {
    this.entries.delete(key);
    for (const listener of this.listeners) listener(key, undefined);
  }
}
