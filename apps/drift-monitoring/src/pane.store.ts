import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Pane, PaneKey } from '@millrace/core/verdicts';
import { query, type Transaction } from '@millrace/persistence';
import type { PaneSource } from './pane.js';
import { paneForms } from './pane-form.js';

interface PaneRow {
  readonly model: string;
  readonly version: string;
  readonly role: 'primary' | 'shadow';
  readonly window_start_ms: string;
  readonly window_end_ms: string;
  readonly partition: number;
  readonly rows: number;
  readonly first_offset: string;
  readonly last_offset: string;
  readonly payload: Buffer;
  readonly pane_start_ms: string;
  readonly pane_end_ms: string;
  readonly judged: boolean;
}

const columns = 'model, version, role, window_start_ms, window_end_ms, pane_start_ms, pane_end_ms, partition, rows, first_offset, last_offset, payload';

/** A pane of a window that may have been judged before. */
export interface StoredPane<State> extends Pane<State> {
  readonly judged: boolean;
}

function paneOf<State>(source: PaneSource, row: PaneRow): StoredPane<State> {
  return {
    model: row.model,
    version: row.version,
    role: row.role,
    windowStartMs: Number(row.window_start_ms),
    windowEndMs: Number(row.window_end_ms),
    paneStartMs: Number(row.pane_start_ms),
    paneEndMs: Number(row.pane_end_ms),
    judged: row.judged,
    partition: row.partition,
    rows: row.rows,
    firstOffset: Number(row.first_offset),
    lastOffset: Number(row.last_offset),
    state: paneForms[source].decode(row.payload) as State,
  };
}

/** Panes: what windows are made of. */
@Injectable()
export class PaneStore {
  constructor(private readonly database: DataSource) {}

  async ofPartition<State>(source: PaneSource, partition: number): Promise<Pane<State>[]> {
    const rows = await query<PaneRow>(this.database, `SELECT ${columns}, judged FROM pane WHERE source = $1 AND partition = $2`, [source, partition]);
    return rows.map((row) => paneOf<State>(source, row));
  }

  async save<State>(source: PaneSource, panes: readonly Pane<State>[], transaction: Transaction): Promise<void> {
    if (panes.length === 0) return;
    const column = <T>(of: (pane: Pane<State>) => T): T[] => panes.map(of);
    await transaction.query(
      `INSERT INTO pane (source, ${columns})
       SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::integer[], $10::integer[], $11::bigint[], $12::bigint[], $13::bytea[]) AS n(${columns})
       ON CONFLICT (model, source, version, role, window_start_ms, window_end_ms, pane_start_ms, pane_end_ms, partition)
       DO UPDATE SET rows = EXCLUDED.rows, first_offset = EXCLUDED.first_offset, last_offset = EXCLUDED.last_offset, payload = EXCLUDED.payload, judged = false`,
      [
        source,
        ...this.keys(panes),
        column(({ partition }) => partition),
        column(({ rows }) => rows),
        column(({ firstOffset }) => firstOffset),
        column(({ lastOffset }) => lastOffset),
        column(({ state }) => paneForms[source].encode(state)),
      ],
    );
  }

  /** Panes that were merged into others. */
  async remove(source: PaneSource, partition: number, panes: readonly PaneKey[], transaction: Transaction): Promise<void> {
    if (panes.length === 0) return;
    await transaction.query(
      `DELETE FROM pane AS p USING unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[]) AS n(model, version, role, window_start_ms, window_end_ms, pane_start_ms, pane_end_ms)
       WHERE p.source = $1 AND p.partition = $2 AND p.model = n.model AND p.version = n.version AND p.role = n.role AND p.window_start_ms = n.window_start_ms AND p.window_end_ms = n.window_end_ms
         AND p.pane_start_ms = n.pane_start_ms AND p.pane_end_ms = n.pane_end_ms`,
      [source, partition, ...this.keys(panes)],
    );
  }

  private keys(panes: readonly PaneKey[]): unknown[] {
    return [
      panes.map(({ model }) => model),
      panes.map(({ version }) => version),
      panes.map(({ role }) => role),
      panes.map(({ windowStartMs }) => windowStartMs),
      panes.map(({ windowEndMs }) => windowEndMs),
      panes.map(({ paneStartMs, windowStartMs }) => paneStartMs ?? windowStartMs),
      panes.map(({ paneEndMs, windowEndMs }) => paneEndMs ?? windowEndMs),
    ];
  }

  /** All panes of the windows that end at or before `untilMs` and have rows that were never judged, in a fixed order; they count as judged from now on. */
  async judge<State>(model: string, source: PaneSource, untilMs: number, transaction: Transaction): Promise<StoredPane<State>[]> {
    const rows = await transaction.query<PaneRow>(
      `SELECT ${columns}, judged FROM pane AS p WHERE model = $1 AND source = $2 AND window_end_ms <= $3
         AND EXISTS (SELECT 1 FROM pane AS o WHERE o.model = $1 AND o.source = $2 AND o.window_start_ms = p.window_start_ms AND o.window_end_ms = p.window_end_ms AND NOT o.judged)`,
      [model, source, untilMs],
    );
    await transaction.query('UPDATE pane SET judged = true WHERE model = $1 AND source = $2 AND window_end_ms <= $3 AND NOT judged', [model, source, untilMs]);
    return inOrder(rows.map((row) => paneOf<State>(source, row)));
  }

  /** Forgets the panes of windows that end at or before `untilMs`. */
  async forget(model: string, source: PaneSource, untilMs: number, transaction: Transaction): Promise<void> {
    await transaction.query('DELETE FROM pane WHERE model = $1 AND source = $2 AND window_end_ms <= $3', [model, source, untilMs]);
  }

  /** Takes out the panes of windows that end at or before `untilMs`, in a fixed order. */
  async take<State>(model: string, source: PaneSource, untilMs: number, transaction: Transaction): Promise<Pane<State>[]> {
    const rows = await transaction.query<PaneRow>(`DELETE FROM pane WHERE model = $1 AND source = $2 AND window_end_ms <= $3 RETURNING ${columns}, judged`, [model, source, untilMs]);
    return inOrder(rows.map((row) => paneOf<State>(source, row)));
  }
}

function inOrder<P extends Pane<unknown>>(panes: readonly P[]): P[] {
  const order = ({ windowStartMs, windowEndMs, version, role, paneStartMs = windowStartMs, paneEndMs = windowEndMs, partition }: Pane<unknown>): string =>
    [windowStartMs, windowEndMs, version, role, partition, paneStartMs, paneEndMs].map((part) => (typeof part === 'number' ? String(part).padStart(16, '0') : part)).join('\u0000');
  return [...panes].sort((a, b) => a.windowStartMs - b.windowStartMs || (order(a) < order(b) ? -1 : 1));
}
