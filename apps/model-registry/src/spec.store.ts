import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ModelSpec, SpecChanged } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

interface SpecRow {
  readonly model: string;
  readonly revision: number;
  readonly sha256: string;
  readonly spec: ModelSpec;
  readonly changed_at: Date;
}

const columns = 'model, revision, sha256, spec, changed_at';

@Injectable()
export class SpecStore {
  constructor(private readonly database: DataSource) {}

  async current(model: string): Promise<SpecChanged | undefined> {
    const [row] = await query<SpecRow>(this.database, `SELECT ${columns} FROM spec_revision WHERE model = $1 ORDER BY revision DESC LIMIT 1`, [model]);
    return row === undefined ? undefined : specOf(row);
  }

  async revision(model: string, revision: number): Promise<SpecChanged | undefined> {
    const [row] = await query<SpecRow>(this.database, `SELECT ${columns} FROM spec_revision WHERE model = $1 AND revision = $2`, [model, revision]);
    return row === undefined ? undefined : specOf(row);
  }

  async all(): Promise<SpecChanged[]> {
    const rows = await query<SpecRow>(this.database, `SELECT DISTINCT ON (model) ${columns} FROM spec_revision ORDER BY model, revision DESC`);
    return rows.map(specOf);
  }

  /** The newest revision, with the model held until the transaction ends. */
  async lockCurrent(transaction: Transaction, model: string): Promise<SpecChanged | undefined> {
    await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('spec/' || $1, 0))`, [model]);
    const [row] = await transaction.query<SpecRow>(`SELECT ${columns} FROM spec_revision WHERE model = $1 ORDER BY revision DESC LIMIT 1`, [model]);
    return row === undefined ? undefined : specOf(row);
  }

  async add(transaction: Transaction, spec: SpecChanged): Promise<void> {
    await transaction.query(`INSERT INTO spec_revision (${columns}) VALUES ($1, $2, $3, $4, $5)`, [spec.model, spec.revision, spec.sha256, JSON.stringify(spec.spec), spec.changedAt]);
  }
}

function specOf(row: SpecRow): SpecChanged {
  return { model: row.model, revision: row.revision, sha256: row.sha256, spec: row.spec, changedAt: row.changed_at.toISOString() };
}
