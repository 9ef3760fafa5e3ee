import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ContractChanged } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

interface ContractRow {
  readonly stream: string;
  readonly version: string;
  readonly sha256: string;
  readonly document: Record<string, unknown>;
  readonly changed_at: Date;
}

const columns = 'stream, version, sha256, document, changed_at';

@Injectable()
export class ContractStore {
  constructor(private readonly database: DataSource) {}

  async current(stream: string): Promise<ContractChanged | undefined> {
    const [row] = await query<ContractRow>(this.database, `SELECT ${columns} FROM contract_version WHERE stream = $1 ORDER BY sequence DESC LIMIT 1`, [stream]);
    return row === undefined ? undefined : contractOf(row);
  }

  async all(): Promise<ContractChanged[]> {
    const rows = await query<ContractRow>(this.database, `SELECT DISTINCT ON (stream) ${columns} FROM contract_version ORDER BY stream, sequence DESC`);
    return rows.map(contractOf);
  }

  async versions(stream: string): Promise<{ version: string; sha256: string; changedAt: string }[]> {
    const rows = await query<ContractRow>(this.database, `SELECT ${columns} FROM contract_version WHERE stream = $1 ORDER BY sequence`, [stream]);
    return rows.map(contractOf).map(({ version, sha256, changedAt }) => ({ version, sha256, changedAt }));
  }

  /** Holds the stream until the transaction ends, so that two writers of one stream take turns. */
  async lock(transaction: Transaction, stream: string): Promise<void> {
    await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('contract/' || $1, 0))`, [stream]);
  }

  async find(transaction: Transaction, stream: string, version: string): Promise<ContractChanged | undefined> {
    const [row] = await transaction.query<ContractRow>(`SELECT ${columns} FROM contract_version WHERE stream = $1 AND version = $2`, [stream, version]);
    return row === undefined ? undefined : contractOf(row);
  }

  async add(transaction: Transaction, contract: ContractChanged): Promise<void> {
    await transaction.query(
      `INSERT INTO contract_version (stream, version, sequence, sha256, document, changed_at)
       SELECT $1, $2, coalesce(max(sequence), 0) + 1, $3, $4, $5 FROM contract_version WHERE stream = $1`,
      [contract.stream, contract.version, contract.sha256, JSON.stringify(contract.document), contract.changedAt],
    );
  }
}

function contractOf(row: ContractRow): ContractChanged {
  return { stream: row.stream, version: row.version, sha256: row.sha256, document: row.document, changedAt: row.changed_at.toISOString() };
}
