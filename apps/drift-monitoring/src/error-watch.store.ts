import { Injectable } from '@nestjs/common';
import type { ErrorWatch } from '@millrace/core/performance';
import type { Transaction } from '@millrace/persistence';

/** The error watch of each version. Callers hold the model’s closing row for errors. */
@Injectable()
export class ErrorWatchStore {
  async read(model: string, version: string, transaction: Transaction): Promise<ErrorWatch | null> {
    const [row] = await transaction.query<{ payload: ErrorWatch }>('SELECT payload FROM error_watch WHERE model = $1 AND version = $2', [model, version]);
    return row?.payload ?? null;
  }

  async keep(model: string, version: string, watch: ErrorWatch, transaction: Transaction): Promise<void> {
    await transaction.query('INSERT INTO error_watch (model, version, payload) VALUES ($1, $2, $3::json) ON CONFLICT (model, version) DO UPDATE SET payload = EXCLUDED.payload', [model, version, JSON.stringify(watch)]);
  }
}
