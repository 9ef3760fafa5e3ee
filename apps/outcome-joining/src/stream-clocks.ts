import { Injectable } from '@nestjs/common';
import { labelAdmitted, predictionServed } from '@millrace/contracts';
import { isIdle, watermarkMs } from '@millrace/core/drift';
import { Messaging } from '@millrace/messaging';
import { OutcomeJoiningSettings } from './outcome-joining.config.js';
import { StreamClockStore, type ClockRow } from './stream-clock.store.js';

/** The event-time clock of each stream: the least of its partitions’ event times, over predictions and labels, idle ones left out. */
@Injectable()
export class StreamClocks {
  constructor(
    private readonly store: StreamClockStore,
    private readonly messaging: Messaging,
    private readonly settings: OutcomeJoiningSettings,
  ) {}

  async read(): Promise<Map<string, Date>> {
    const rows = await this.store.rows();
    const idleMs = this.settings.idleSeconds * 1_000;
    const newest = Math.max(...rows.map(({ moved_at }) => moved_at.getTime()));
    // Asking the broker is needed only when somebody is silent.
    const unread = rows.some(({ moved_at }) => newest - moved_at.getTime() > idleMs) ? await this.unread() : new Map<string, number>();
    const clocks = new Map<string, Date>();
    for (const stream of new Set(rows.map((row) => row.stream))) {
      const partitions = rows.filter((row) => row.stream === stream);
      const last = Math.max(...partitions.map(({ moved_at }) => moved_at.getTime()));
      const clock = watermarkMs(partitions.map((row) => ({ maxEventTimeMs: row.event_time.getTime(), idle: isIdle(silenceOf(row, rows, last, unread), idleMs) })), 0);
      if (clock !== null) clocks.set(stream, new Date(clock));
    }
    return clocks;
  }

  private async unread(): Promise<Map<string, number>> {
    const unread = new Map<string, number>();
    for (const [source, event] of [['predictions', predictionServed], ['labels', labelAdmitted]] as const) {
      for (const [partition, count] of await this.messaging.unread(source, event)) unread.set(`${source}/${partition}`, count);
    }
    return unread;
  }
}

function silenceOf(row: ClockRow, rows: readonly ClockRow[], last: number, unread: ReadonlyMap<string, number>): { silentMs: number; partitionSilentMs: number; unread: number } {
  const place = ({ source, partition }: ClockRow): string => `${source}/${partition}`;
  const moved = Math.max(...rows.filter((other) => place(other) === place(row)).map(({ moved_at }) => moved_at.getTime()));
  return { silentMs: last - row.moved_at.getTime(), partitionSilentMs: last - moved, unread: unread.get(place(row)) ?? 0 };
}
