import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { VersionRegistered } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

export interface ReferenceRow {
  readonly model: string;
  readonly version: string;
  /** null: the version was registered without one. */
  readonly reference: VersionRegistered['reference'];
}

@Injectable()
export class ReferenceStore {
  constructor(private readonly database: DataSource) {}

  async keep(versions: readonly VersionRegistered[], transaction: Transaction): Promise<void> {
    await transaction.query(
      `INSERT INTO reference (model, version, reference, registered_at)
       SELECT DISTINCT ON (model, version) model, version, reference::json, registered_at FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS n(model, version, reference, registered_at)
       ON CONFLICT (model, version) DO NOTHING`,
      [
        versions.map(({ model }) => model),
        versions.map(({ version }) => version),
        versions.map(({ reference }) => (reference === null ? null : JSON.stringify(reference))),
        versions.map(({ registeredAt }) => registeredAt),
      ],
    );
  }

  async find(model: string, version: string): Promise<ReferenceRow | undefined> {
    const [row] = await query<ReferenceRow>(this.database, 'SELECT model, version, reference FROM reference WHERE model = $1 AND version = $2', [model, version]);
    return row;
  }
}
