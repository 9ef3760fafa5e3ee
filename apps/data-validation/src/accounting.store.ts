import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query, type Transaction } from '@millrace/persistence';
import type { RecordKind } from './contracts-in-force.js';

/** Where every record and label of a stream has gone; `quarantined` still wait, `replayed` are among the admitted once archived. */
export interface Account {
  readonly admitted: number;
  readonly quarantined: number;
  readonly replayed: number;
  readonly refused: number;
}

@Injectable()
export class AccountingStore {
  constructor(private readonly database: DataSource) {}

  async addRefused(transaction: Transaction, counts: readonly { stream: string; kind: string; code: string; count: number }[]): Promise<void> {
    await transaction.query(
      `INSERT INTO refused_count (stream, kind, code, count)
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS row(stream, kind, code, count) ORDER BY stream, kind, code
       ON CONFLICT (stream, kind, code) DO UPDATE SET count = refused_count.count + excluded.count`,
      [counts.map(({ stream }) => stream), counts.map(({ kind }) => kind), counts.map(({ code }) => code), counts.map(({ count }) => count)],
    );
  }

  /** One statement, so that the four figures are of one moment. */
  async account(stream: string): Promise<Record<RecordKind, Account>> {
    const rows = await query<{ kind: RecordKind; what: keyof Account; count: string }>(
      this.database,
      `SELECT kind, 'admitted' AS what, sum(rows) AS count FROM segment WHERE stream = $1 GROUP BY kind
       UNION ALL SELECT kind, CASE status WHEN 'waiting' THEN 'quarantined' ELSE 'replayed' END, count(*) FROM quarantine WHERE stream = $1 GROUP BY kind, status
       UNION ALL SELECT kind, 'refused', sum(count) FROM refused_count WHERE stream = $1 GROUP BY kind`,
      [stream],
    );
    const figure = (kind: RecordKind, what: keyof Account) => Number(rows.find((row) => row.kind === kind && row.what === what)?.count ?? 0);
    const account = (kind: RecordKind): Account => ({
      admitted: figure(kind, 'admitted'),
      quarantined: figure(kind, 'quarantined'),
      replayed: figure(kind, 'replayed'),
      refused: figure(kind, 'refused'),
    });
    return { record: account('record'), label: account('label') };
  }

  /** Why records were refused, by code. */
  async refusals(stream: string): Promise<{ kind: string; code: string; count: number }[]> {
    const rows = await query<{ kind: string; code: string; count: string }>(this.database, 'SELECT kind, code, count FROM refused_count WHERE stream = $1 ORDER BY kind, code', [stream]);
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }
}
