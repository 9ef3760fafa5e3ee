import type { Transaction } from '@millrace/persistence';
import type { ClosingStore } from './closing.store.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import type { Pane, PaneKey, PaneSource } from './pane.js';
import type { PaneStore } from './pane.store.js';

interface Partition<State> {
  readonly panes: Map<string, Pane<State>>;
  /** Rows per pane since the last save. */
  readonly unsaved: Map<string, number>;
  readonly times: Map<string, { eventTimeMs: number; movedAt: Date }>;
  /** As of the save that is under way. */
  closedUntil: Map<string, number>;
}

const keyOf = ({ model, version, role, windowStartMs, windowEndMs }: PaneKey): string => JSON.stringify([model, version, role, windowStartMs, windowEndMs]);

/** The open panes of the partitions that this process reads, in memory, and their checkpoints. */
export class PaneBook<State> {
  private readonly partitions = new Map<number, Partition<State>>();

  constructor(
    readonly source: PaneSource,
    private readonly store: PaneStore,
    private readonly closing: ClosingStore,
    private readonly now: () => Date,
  ) {}

  async restore(partition: number): Promise<void> {
    this.partitions.delete(partition);
    const panes = await this.store.ofPartition<State>(this.source, partition);
    this.partitions.set(partition, { panes: new Map(panes.map((pane) => [keyOf(pane), pane])), unsaved: new Map(), times: new Map(), closedUntil: new Map() });
  }

  /** The pane that a record belongs to, with the record counted in. What it says is for the caller to observe. */
  record(at: { readonly partition: number; readonly offset: number; readonly eventTimeMs: number }, key: PaneKey, empty: () => State): Pane<State> {
    const partition = this.partition(at.partition);
    const name = keyOf(key);
    let pane = partition.panes.get(name);
    if (pane === undefined) {
      pane = { ...key, partition: at.partition, state: empty(), rows: 0, firstOffset: at.offset, lastOffset: at.offset };
      partition.panes.set(name, pane);
    }
    pane.rows += 1;
    pane.lastOffset = at.offset;
    partition.unsaved.set(name, (partition.unsaved.get(name) ?? 0) + 1);
    const time = partition.times.get(key.model);
    if (time === undefined) partition.times.set(key.model, { eventTimeMs: at.eventTimeMs, movedAt: this.now() });
    else {
      time.eventTimeMs = Math.max(time.eventTimeMs, at.eventTimeMs);
      time.movedAt = this.now();
    }
    return pane;
  }

  /** Panes of windows that were closed meanwhile are not saved: what they hold came too late. */
  async save(number: number, transaction: Transaction): Promise<void> {
    const partition = this.partition(number);
    const changed = [...partition.unsaved.keys()].flatMap((name) => partition.panes.get(name) ?? []);
    const models = [...new Set([...partition.times.keys(), ...[...partition.panes.values()].map(({ model }) => model)])];
    if (models.length === 0) return;
    partition.closedUntil = await this.closing.hold(this.source, models, transaction);
    await this.store.save(this.source, changed.filter((pane) => !isClosed(pane, partition.closedUntil)), transaction);
    await this.closing.saveTimes(this.source, number, [...partition.times].map(([model, time]) => ({ model, ...time })), transaction);
  }

  /** After the checkpoint has committed. */
  saved(number: number): void {
    const partition = this.partition(number);
    for (const [name, pane] of partition.panes) {
      if (!isClosed(pane, partition.closedUntil)) continue;
      const late = partition.unsaved.get(name) ?? 0;
      if (late > 0) driftMonitoringMetrics.late.inc({ model: pane.model, source: this.source }, late);
      partition.panes.delete(name);
    }
    partition.unsaved.clear();
    partition.times.clear();
  }

  private partition(number: number): Partition<State> {
    const partition = this.partitions.get(number);
    if (partition === undefined) throw new Error(`partition ${number} was not restored`);
    return partition;
  }
}

function isClosed(pane: PaneKey, closedUntil: ReadonlyMap<string, number>): boolean {
  return pane.windowEndMs <= (closedUntil.get(pane.model) ?? 0);
}
