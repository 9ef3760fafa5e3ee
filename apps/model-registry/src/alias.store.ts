import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query, type Transaction } from '@millrace/persistence';

/** What an alias named from `movedAt` on; version null: it named nothing. */
export interface AliasEntry {
  readonly alias: string;
  readonly version: string | null;
  readonly movedAt: string;
  readonly routeRevision: number;
  readonly reason: string;
}

interface AliasRow {
  readonly alias: string;
  readonly version: string | null;
  readonly moved_at: Date;
  readonly route_revision: number;
  readonly reason: string;
}

const columns = 'alias, version, moved_at, route_revision, reason';

@Injectable()
export class AliasStore {
  constructor(private readonly database: DataSource) {}

  async history(model: string, alias: string): Promise<AliasEntry[]> {
    const rows = await query<AliasRow>(this.database, `SELECT ${columns} FROM alias_history WHERE model = $1 AND alias = $2 ORDER BY moved_at, id`, [model, alias]);
    return rows.map(entryOf);
  }

  /** The entry in force at `at`, ISO 8601; undefined: the alias did not exist yet. */
  async at(model: string, alias: string, at: string): Promise<AliasEntry | undefined> {
    const [row] = await query<AliasRow>(
      this.database,
      `SELECT ${columns} FROM alias_history WHERE model = $1 AND alias = $2 AND moved_at <= $3 ORDER BY moved_at DESC, id DESC LIMIT 1`,
      [model, alias, at],
    );
    return row === undefined ? undefined : entryOf(row);
  }

  async current(model: string): Promise<AliasEntry[]> {
    const rows = await query<AliasRow>(this.database, `SELECT DISTINCT ON (alias) ${columns} FROM alias_history WHERE model = $1 ORDER BY alias, id DESC`, [model]);
    return rows.map(entryOf);
  }

  async historyOfVersion(model: string, version: string): Promise<AliasEntry[]> {
    const rows = await query<AliasRow>(this.database, `SELECT ${columns} FROM alias_history WHERE model = $1 AND version = $2 ORDER BY id`, [model, version]);
    return rows.map(entryOf);
  }

  async latest(transaction: Transaction, model: string, alias: string): Promise<AliasEntry | undefined> {
    const [row] = await transaction.query<AliasRow>(`SELECT ${columns} FROM alias_history WHERE model = $1 AND alias = $2 ORDER BY id DESC LIMIT 1`, [model, alias]);
    return row === undefined ? undefined : entryOf(row);
  }

  async add(transaction: Transaction, model: string, entry: AliasEntry): Promise<void> {
    await transaction.query(`INSERT INTO alias_history (model, ${columns}) VALUES ($1, $2, $3, $4, $5, $6)`, [model, entry.alias, entry.version, entry.movedAt, entry.routeRevision, entry.reason]);
  }
}

function entryOf(row: AliasRow): AliasEntry {
  return { alias: row.alias, version: row.version, movedAt: row.moved_at.toISOString(), routeRevision: row.route_revision, reason: row.reason };
}
