import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { ContractChanged } from '@millrace/contracts';
import { query } from '@millrace/persistence';

/** Every contract version this service has judged by: the compacted topic keeps only the newest. */
@Injectable()
export class ContractStore {
  constructor(private readonly database: DataSource) {}

  async keep(event: ContractChanged): Promise<void> {
    const { stream, version, sha256 } = event;
    await query(
      this.database,
      `INSERT INTO contract_version (stream, version, sha256, event) VALUES ($1, $2, $3, $4)
       ON CONFLICT (stream, version) DO UPDATE SET sha256 = excluded.sha256, event = excluded.event WHERE contract_version.sha256 <> excluded.sha256`,
      [stream, version, sha256, JSON.stringify(event)],
    );
  }

  async find(stream: string, version: string): Promise<ContractChanged | undefined> {
    const [row] = await query<{ event: ContractChanged }>(this.database, 'SELECT event FROM contract_version WHERE stream = $1 AND version = $2', [stream, version]);
    return row?.event;
  }
}
