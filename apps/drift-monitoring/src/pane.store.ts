import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query, type Transaction } from '@millrace/persistence';
import type { Pane, PaneSource } from './pane.js';

interface PaneRow<State> {
  readonly model: string;
  readonly version: string;
  readonly role: 'primary' | 'shadow';
  readonly window_start_ms: string;
  readonly window_end_ms: string;
  readonly partition: number;
  readonly rows: number;
  readonly first_offset: string;
  readonly last_offset: string;
  readonly payload: State;
}

const columns = 'model, version, role, window_start_ms, window_end_ms, partition, rows, first_offset, last_offset, payload';

function paneOf<State>(row: PaneRow<State>): Pane<State> {
  return {
    model: row.model,
    version: row.version,
    role: row.role,
    windowStartMs: Number(row.window_start_ms),
    windowEndMs: Number(row.window_end_ms),
    partition: row.partition,
    rows: row.rows,
    firstOffset: Number(row.first_offset),
    lastOffset: Number(row.last_offset),
    state: row.payload,
  };
}

/** Open panes: what windows are made of until they close. */
@Injectable()
export class PaneStore {
  constructor(private readonly database: DataSource) {}

  async ofPartition<State>(source: PaneSource, partition: number): Promise<Pane<State>[]> {
    const rows = await query<PaneRow<State>>(this.database, `SELECT ${columns} FROM pane WHERE source = $1 AND partition = $2`, [source, partition]);
    return rows.map(paneOf);
  }

  async save<State>(source: PaneSource, panes: readonly Pane<State>[], transaction: Transaction): Promise<void> {
    if (panes.length === 0) return;
    const column = <T>(of: (pane: Pane<State>) => T): T[] => panes.map(of);
    await transaction.query(
      `INSERT INTO pane (source, ${columns})
       SELECT $1, model, version, role, window_start_ms, window_end_ms, partition, rows, first_offset, last_offset, payload::json
       FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::integer[], $8::integer[], $9::bigint[], $10::bigint[], $11::text[]) AS n(${columns})
       ON CONFLICT (model, source, version, role, window_start_ms, window_end_ms, partition)
       DO UPDATE SET rows = EXCLUDED.rows, first_offset = EXCLUDED.first_offset, last_offset = EXCLUDED.last_offset, payload = EXCLUDED.payload`,
      [
        source,
        column(({ model }) => model),
        column(({ version }) => version),
        column(({ role }) => role),
        column(({ windowStartMs }) => windowStartMs),
        column(({ windowEndMs }) => windowEndMs),
        column(({ partition }) => partition),
        column(({ rows }) => rows),
        column(({ firstOffset }) => firstOffset),
        column(({ lastOffset }) => lastOffset),
        column(({ state }) => JSON.stringify(state)),
      ],
    );
  }

  /** Takes out the panes of windows that end at or before `untilMs`, in a fixed order. */
  async take<State>(model: string, source: PaneSource, untilMs: number, transaction: Transaction): Promise<Pane<State>[]> {
    const rows = await transaction.query<PaneRow<State>>(`DELETE FROM pane WHERE model = $1 AND source = $2 AND window_end_ms <= $3 RETURNING ${columns}`, [model, source, untilMs]);
    const panes = rows.map((row) => paneOf(row));
    const order = ({ windowStartMs, windowEndMs, version, role, partition }: Pane<State>): string => JSON.stringify([windowStartMs, windowEndMs, version, role, String(partition).padStart(6, '0')]);
    return panes.sort((a, b) => a.windowStartMs - b.windowStartMs || (order(a) < order(b) ? -1 : 1));
  }
}
