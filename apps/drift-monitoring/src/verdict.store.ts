import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { VerdictIssued } from '@millrace/contracts';
import type { MeasuredMetric } from '@millrace/core/statistics';
import { query, type Transaction } from '@millrace/persistence';
import type { JudgedWindow } from './judged-window.js';

export interface VerdictFilter {
  readonly version?: string | undefined;
  readonly kind?: string | undefined;
  readonly outcome?: string | undefined;
  readonly role?: string | undefined;
  readonly limit: number;
}

export interface KeptVerdict extends VerdictIssued {
  readonly role: 'primary' | 'shadow';
  readonly metrics: readonly MeasuredMetric[];
}

interface VerdictRow extends Pick<KeptVerdict, 'model' | 'version' | 'role' | 'kind' | 'outcome' | 'rows' | 'findings' | 'metrics' | 'offsets'> {
  readonly revision: number;
  readonly budget: NonNullable<VerdictIssued['budget']> | null;
  readonly causes: NonNullable<VerdictIssued['causes']> | null;
  readonly inputs: NonNullable<VerdictIssued['inputs']> | null;
  readonly verdict_id: string;
  readonly window_start_ms: string;
  readonly window_end_ms: string;
  readonly watermark_ms: string;
}

const instant = (ms: string): string => new Date(Number(ms)).toISOString();

function keptVerdict({ verdict_id, window_start_ms, window_end_ms, watermark_ms, revision, budget, causes, inputs, ...row }: VerdictRow): KeptVerdict {
  const rest = { ...(revision > 1 ? { revision } : {}), ...(budget === null ? {} : { budget }), ...(causes === null ? {} : { causes }), ...(inputs === null ? {} : { inputs }) };
  return { verdictId: verdict_id, window: { from: instant(window_start_ms), to: instant(window_end_ms) }, watermark: instant(watermark_ms), ...row, ...rest };
}

/** Of the verdicts on drift, those on a window of inputs. */
const onInputs = `verdict_id NOT LIKE '%:freshness:%' AND verdict_id NOT LIKE '%:attribution:%'`;

const columns = 'verdict_id, model, version, role, kind, window_start_ms, window_end_ms, watermark_ms, outcome, rows, findings, metrics, offsets, revision, budget, causes, inputs';

/** What the drift verdicts before one have seen and spent. */
export interface DriftHistory {
  /** Rows of the windows before, oldest first, over all versions that answer; without the model’s first window. */
  readonly volumes: readonly number[];
  readonly spent: number;
}

@Injectable()
export class VerdictStore {
  constructor(private readonly database: DataSource) {}

  /** Both revisions of a verdict are kept. @returns false when this one was there already. */
  async keep({ verdict, role, windowStartMs, windowEndMs, metrics, state, level = 0 }: JudgedWindow, transaction: Transaction): Promise<boolean> {
    const inserted = await transaction.query(
      `INSERT INTO verdict (${columns}, state, level) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::json, $12::json, $13::json, $14, $15::json, $16::json, $17::json, $18::json, $19)
       ON CONFLICT (verdict_id, revision) DO NOTHING RETURNING verdict_id`,
      [
        verdict.verdictId,
        verdict.model,
        verdict.version,
        role,
        verdict.kind,
        windowStartMs,
        windowEndMs,
        Date.parse(verdict.watermark),
        verdict.outcome,
        verdict.rows,
        ...[verdict.findings, metrics, verdict.offsets].map((value) => JSON.stringify(value)),
        verdict.revision ?? 1,
        verdict.budget === undefined ? null : JSON.stringify(verdict.budget),
        verdict.causes === undefined ? null : JSON.stringify(verdict.causes),
        verdict.inputs === undefined ? null : JSON.stringify(verdict.inputs),
        JSON.stringify(state),
        level,
      ],
    );
    return inserted.length === 1;
  }

  /** Revision of the last verdict with this id; 0 when there is none. */
  async revisionOf(verdictId: string, transaction: Transaction): Promise<number> {
    return (await this.last(verdictId, transaction))?.revision ?? 0;
  }

  /** The last revision of the verdict with this id, and what was kept beside it; null when there is none. */
  async last(verdictId: string, transaction: Transaction): Promise<{ readonly revision: number; readonly rows: number; readonly state: unknown } | null> {
    const [row] = await transaction.query<{ revision: number; rows: number; state: unknown }>('SELECT revision, rows, state FROM verdict WHERE verdict_id = $1 ORDER BY revision DESC LIMIT 1', [verdictId]);
    return row ?? null;
  }

  /** The last window of inputs that was judged, and the version that answered most of it; null before the first. */
  async lastWindow(model: string, transaction: Transaction): Promise<{ readonly endMs: number; readonly version: string } | null> {
    const [row] = await transaction.query<{ window_end_ms: string; version: string }>(
      `SELECT window_end_ms, version FROM verdict WHERE model = $1 AND kind = 'drift' AND role = 'primary' AND ${onInputs} ORDER BY window_end_ms DESC, rows DESC, version LIMIT 1`,
      [model],
    );
    return row === undefined ? null : { endMs: Number(row.window_end_ms), version: row.version };
  }

  /** The version that answered last: of the pane that holds the latest predictions, else of the last window judged. */
  async lastVersion(model: string): Promise<string | null> {
    const [pane] = await query<{ version: string }>(this.database, `SELECT version FROM pane WHERE model = $1 AND source = 'predictions' AND role = 'primary' ORDER BY pane_end_ms DESC, rows DESC, version LIMIT 1`, [model]);
    if (pane !== undefined) return pane.version;
    const [verdict] = await query<{ version: string }>(this.database, `SELECT version FROM verdict WHERE model = $1 AND kind = 'drift' AND role = 'primary' ORDER BY window_end_ms DESC, rows DESC, version LIMIT 1`, [model]);
    return verdict?.version ?? null;
  }

  async driftHistory(model: string, windowStartMs: number, spentSinceMs: number, windows: number, transaction: Transaction): Promise<DriftHistory> {
    const rows = await transaction.query<{ rows: string }>(
      `SELECT sum(rows) AS rows FROM (SELECT DISTINCT ON (verdict_id) window_start_ms, rows FROM verdict WHERE model = $1 AND kind = 'drift' AND role = 'primary' AND window_start_ms < $2 AND ${onInputs} ORDER BY verdict_id, revision DESC) AS last
       WHERE window_start_ms > (SELECT min(window_start_ms) FROM verdict WHERE model = $1 AND kind = 'drift' AND role = 'primary' AND ${onInputs}) GROUP BY window_start_ms ORDER BY window_start_ms DESC LIMIT $3`,
      [model, windowStartMs, windows],
    );
    const [level] = await transaction.query<{ spent: number | null }>(`SELECT sum(level) AS spent FROM verdict WHERE model = $1 AND kind = 'drift' AND role = 'primary' AND window_end_ms > $2`, [model, spentSinceMs]);
    return { volumes: rows.map((row) => Number(row.rows)).reverse(), spent: level?.spent ?? 0 };
  }

  /** The state that a verdict was made from, of its first revision. */
  async stateOf(verdictId: string): Promise<unknown> {
    const [row] = await query<{ state: unknown }>(this.database, 'SELECT state FROM verdict WHERE verdict_id = $1 ORDER BY revision LIMIT 1', [verdictId]);
    return row?.state;
  }

  /** Every revision, the first one first. */
  async revisions(verdictId: string): Promise<KeptVerdict[]> {
    return (await query<VerdictRow>(this.database, `SELECT ${columns} FROM verdict WHERE verdict_id = $1 ORDER BY revision`, [verdictId])).map(keptVerdict);
  }

  /** Newest windows first. */
  async list(model: string, { version, kind, outcome, role, limit }: VerdictFilter): Promise<KeptVerdict[]> {
    const rows = await query<VerdictRow>(
      this.database,
      `SELECT ${columns} FROM verdict WHERE model = $1 AND ($2::text IS NULL OR version = $2) AND ($3::text IS NULL OR kind = $3)
         AND ($4::text IS NULL OR outcome = $4) AND ($5::text IS NULL OR role = $5)
       ORDER BY window_start_ms DESC, sequence DESC LIMIT $6`,
      [model, version ?? null, kind ?? null, outcome ?? null, role ?? null, limit],
    );
    return rows.map(keptVerdict);
  }

  /** The last verdict of each kind, and the last one on attributions, on a window of the versions that answer: what the gauges show. */
  async latest(): Promise<KeptVerdict[]> {
    const rows = await query<VerdictRow>(this.database, `SELECT DISTINCT ON (model, version, kind, verdict_id LIKE '%:attribution:%') ${columns} FROM verdict WHERE role = 'primary' AND verdict_id NOT LIKE '%:concept-drift:%' AND verdict_id NOT LIKE '%:freshness:%' ORDER BY model, version, kind, verdict_id LIKE '%:attribution:%', window_start_ms DESC, revision DESC`);
    return rows.map(keptVerdict);
  }
}
