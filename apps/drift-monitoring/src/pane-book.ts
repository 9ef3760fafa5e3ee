import type { MonitoredModel, Pane, PaneKey } from '@millrace/core/verdicts';
import type { Transaction } from '@millrace/persistence';
import type { ClosingStore } from './closing.store.js';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import type { PaneSource } from './pane.js';
import type { PaneStore } from './pane.store.js';

interface Partition<State> {
  readonly panes: Map<string, Pane<State>>;
  /** Rows per pane since the last save. */
  readonly unsaved: Map<string, number>;
  readonly times: Map<string, { eventTimeMs: number; movedAt: Date }>;
  /** Largest event time of each model. */
  readonly clocks: Map<string, number>;
  /** Panes that were merged into their window’s since the last save. */
  readonly merged: Map<string, PaneKey>;
  /** As of the save that is under way. */
  closedUntil: Map<string, number>;
}

/** For panes that are shorter than their window, and outlive it. */
export interface PanesInWindows<State> {
  /** Makes one pane of two that nothing more is expected for. */
  merge(a: State, b: State): State;
  /** A pane that nothing more is expected for, without what only an open one needs. */
  settle(state: State): State;
  /** How long records of a model may be late; and so long after its window was closed, on the stream clock, a pane may still change. */
  times(model: string): Pick<MonitoredModel, 'latenessMs' | 'amendMs'> | undefined;
}

export interface RecordPlace {
  readonly partition: number;
  readonly offset: number;
  readonly eventTimeMs: number;
}

const keyOf = ({ model, version, role, windowStartMs, windowEndMs, paneStartMs = windowStartMs, paneEndMs = windowEndMs }: PaneKey): string => JSON.stringify([model, version, role, windowStartMs, windowEndMs, paneStartMs, paneEndMs]);

/** The open panes of the partitions that this process reads, in memory, and their checkpoints. */
export class PaneBook<State> {
  private readonly partitions = new Map<number, Partition<State>>();

  constructor(
    readonly source: PaneSource,
    private readonly store: PaneStore,
    private readonly closing: ClosingStore,
    private readonly now: () => Date,
    private readonly inWindows: PanesInWindows<State> | null = null,
  ) {}

  async restore(number: number): Promise<void> {
    this.partitions.delete(number);
    const panes = await this.store.ofPartition<State>(this.source, number);
    const clocks = (await this.closing.clocks(this.source)).filter(({ partition }) => partition === number).map(({ model, eventTimeMs }): [string, number] => [model, eventTimeMs]);
    this.partitions.set(number, { panes: new Map(panes.map((pane) => [keyOf(pane), pane])), unsaved: new Map(), times: new Map(), clocks: new Map(clocks), merged: new Map(), closedUntil: new Map() });
  }

  /** Largest event time of the model in the partition; −Infinity before its first record. */
  clock(partition: number, model: string): number {
    return this.partition(partition).clocks.get(model) ?? -Infinity;
  }

  /** The pane that a record belongs to, with the record counted in. What it says is for the caller to observe. */
  record(at: RecordPlace, key: PaneKey, empty: () => State): Pane<State> {
    const pane = this.open(at, key, empty);
    this.count(at, pane);
    return pane;
  }

  /** The pane that a record belongs to, without it. The clock moves on. */
  open(at: RecordPlace, key: PaneKey, empty: () => State): Pane<State> {
    const partition = this.partition(at.partition);
    partition.clocks.set(key.model, Math.max(partition.clocks.get(key.model) ?? -Infinity, at.eventTimeMs));
    const time = partition.times.get(key.model);
    if (time === undefined) partition.times.set(key.model, { eventTimeMs: at.eventTimeMs, movedAt: this.now() });
    else {
      time.eventTimeMs = Math.max(time.eventTimeMs, at.eventTimeMs);
      time.movedAt = this.now();
    }
    const name = keyOf(key);
    let pane = partition.panes.get(name);
    if (pane === undefined) {
      pane = { ...key, partition: at.partition, state: empty(), rows: 0, firstOffset: at.offset, lastOffset: at.offset };
      partition.panes.set(name, pane);
    }
    return pane;
  }

  /** Counts a record in. */
  count({ partition, offset }: RecordPlace, pane: Pane<State>): void {
    const { unsaved } = this.partition(partition);
    pane.rows += 1;
    pane.firstOffset = Math.min(pane.firstOffset, offset);
    pane.lastOffset = Math.max(pane.lastOffset, offset);
    const name = keyOf(pane);
    unsaved.set(name, (unsaved.get(name) ?? 0) + 1);
  }

  /** Panes of windows that can no longer change are not saved: what they hold came too late. */
  async save(number: number, transaction: Transaction): Promise<void> {
    const partition = this.partition(number);
    this.mergePassed(partition);
    const changed = [...partition.unsaved.keys()].flatMap((name) => partition.panes.get(name) ?? []);
    const models = [...new Set([...partition.times.keys(), ...[...partition.panes.values()].map(({ model }) => model)])];
    if (models.length === 0) return;
    partition.closedUntil = await this.closing.hold(this.source, models, transaction);
    await this.store.remove(this.source, number, [...partition.merged.values()], transaction);
    await this.store.save(this.source, changed.filter((pane) => !this.isOver(pane, partition.closedUntil)), transaction);
    await this.closing.saveTimes(this.source, number, [...partition.times].map(([model, time]) => ({ model, ...time })), transaction);
  }

  /** After the checkpoint has committed. */
  saved(number: number): void {
    const partition = this.partition(number);
    for (const [name, pane] of partition.panes) {
      const rows = partition.unsaved.get(name) ?? 0;
      if (this.isOver(pane, partition.closedUntil)) {
        if (rows > 0) driftMonitoringMetrics.late.inc({ model: pane.model, source: this.source }, rows);
        partition.panes.delete(name);
      } else if (rows > 0 && pane.windowEndMs <= (partition.closedUntil.get(pane.model) ?? 0)) driftMonitoringMetrics.amending.inc({ model: pane.model }, rows);
    }
    partition.unsaved.clear();
    partition.times.clear();
    partition.merged.clear();
  }

  /** Panes behind the partition’s clock and the lateness become one per window, so that few are open at a time. Merging in any order gives the same, so when it is done does not matter. */
  private mergePassed(partition: Partition<State>): void {
    if (this.inWindows === null) return;
    for (const [name, pane] of partition.panes) {
      const { paneStartMs = pane.windowStartMs, paneEndMs = pane.windowEndMs, windowStartMs, windowEndMs, model, version, role } = pane;
      const whole = paneStartMs === windowStartMs && paneEndMs === windowEndMs;
      if (whole || paneEndMs > (partition.clocks.get(model) ?? -Infinity) - (this.inWindows.times(model)?.latenessMs ?? 0)) continue;
      const key = { model, version, role, windowStartMs, windowEndMs };
      const into = partition.panes.get(keyOf(key));
      const [firstOffset, lastOffset] = [Math.min(pane.firstOffset, into?.firstOffset ?? Infinity), Math.max(pane.lastOffset, into?.lastOffset ?? 0)];
      const state = into === undefined ? this.inWindows.settle(pane.state) : this.inWindows.merge(into.state, pane.state);
      partition.panes.set(keyOf(key), { ...key, partition: pane.partition, state, rows: pane.rows + (into?.rows ?? 0), firstOffset, lastOffset });
      partition.unsaved.set(keyOf(key), (partition.unsaved.get(keyOf(key)) ?? 0) + (partition.unsaved.get(name) ?? 0));
      partition.panes.delete(name);
      partition.unsaved.delete(name);
      partition.merged.set(name, pane);
    }
  }

  private isOver(pane: PaneKey, closedUntil: ReadonlyMap<string, number>): boolean {
    return pane.windowEndMs + (this.inWindows?.times(pane.model)?.amendMs ?? 0) <= (closedUntil.get(pane.model) ?? 0);
  }

  private partition(number: number): Partition<State> {
    const partition = this.partitions.get(number);
    if (partition === undefined) throw new Error(`partition ${number} was not restored`);
    return partition;
  }
}
