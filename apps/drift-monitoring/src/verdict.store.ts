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
  readonly verdict_id: string;
  readonly window_start_ms: string;
  readonly window_end_ms: string;
  readonly watermark_ms: string;
}

const instant = (ms: string): string => new Date(Number(ms)).toISOString();

function keptVerdict({ verdict_id, window_start_ms, window_end_ms, watermark_ms, ...row }: VerdictRow): KeptVerdict {
  return { verdictId: verdict_id, window: { from: instant(window_start_ms), to: instant(window_end_ms) }, watermark: instant(watermark_ms), ...row };
}

const columns = 'verdict_id, model, version, role, kind, window_start_ms, window_end_ms, watermark_ms, outcome, rows, findings, metrics, offsets';

@Injectable()
export class VerdictStore {
  constructor(private readonly database: DataSource) {}

  async keep({ verdict, role, windowStartMs, windowEndMs, metrics, state }: JudgedWindow, transaction: Transaction): Promise<void> {
    await transaction.query(
      `INSERT INTO verdict (${columns}, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::json, $12::json, $13::json, $14::json)`,
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
        ...[verdict.findings, metrics, verdict.offsets, state].map((value) => JSON.stringify(value)),
      ],
    );
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

  /** The last verdict of each kind on the versions that answer: what the gauges show. */
  async latest(): Promise<KeptVerdict[]> {
    const rows = await query<VerdictRow>(this.database, `SELECT DISTINCT ON (model, version, kind) ${columns} FROM verdict WHERE role = 'primary' ORDER BY model, version, kind, window_start_ms DESC`);
    return rows.map(keptVerdict);
  }
}
